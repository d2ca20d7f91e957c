"""Fitness cases: what a formula may be judged by on a task beside tau over all networks."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from zcproxy.correlation import PairwiseTau
from zcproxy.correlation.ranks import is_constant, rank_scores

Array = NDArray[np.float64]
Case = Callable[[Array], float]
"""Scores (one per network) to a correlation in [-1, 1]; 0 where the scores tell nothing apart."""

LEAST_IN_BAND = 20
MOST_BANDS = 5
LEAST_IN_TOP = 20
"""Networks of the `top`, where a tenth of them are fewer: tau among ten networks is mostly chance."""
SIZES = ("total_params", "total_macs")
"""The columns that cases are made with, beside the labels."""


def tau_in_bands(labels: Array, macs: Array) -> Case:
    """Return the mean tau within bands of networks of about the same number of multiply-adds."""
    order = np.argsort(macs, kind="stable")
    bands = np.array_split(order, max(1, min(MOST_BANDS, len(order) // LEAST_IN_BAND)))
    taus = [(band, PairwiseTau(labels[band], credit_ties=False)) for band in bands if not is_constant(labels[band])]
    return lambda scores: _mean([_or_zero(tau(scores[band])) for band, tau in taus])


def tau_in_top(labels: Array) -> Case:
    """Return tau among the networks of the best tenth of the labels, and at least `LEAST_IN_TOP`."""
    count = min(len(labels), max(LEAST_IN_TOP, -(-len(labels) // 10)))
    best = np.flatnonzero(labels >= np.partition(labels, -count)[-count])
    if is_constant(labels[best]):
        return lambda scores: 0.0
    tau = PairwiseTau(labels[best], credit_ties=False)
    return lambda scores: _or_zero(tau(scores[best]))


def rho_given_params(labels: Array, params: Array) -> Case:
    """Return Spearman's rho with the number of parameters held fixed: see `zcproxy.correlation.partial_spearman`."""
    label, size = _standardised(labels), _standardised(params)
    of_label = float(label @ size)

    def rho(scores: Array) -> float:
        score = _standardised(scores)
        of_score = float(score @ size)
        left = (1.0 - of_label**2) * (1.0 - of_score**2)
        return (float(score @ label) - of_label * of_score) / math.sqrt(left) if left > 1e-12 else 0.0

    return rho


CASES: dict[str, Callable[[Array, Array, Array], Case]] = {
    "bands": lambda labels, params, macs: tau_in_bands(labels, macs),
    "top": lambda labels, params, macs: tau_in_top(labels),
    "partial": lambda labels, params, macs: rho_given_params(labels, params),
}
"""Name -> what makes the case from accuracies, parameters and multiply-adds of the networks."""


def _standardised(values: Array) -> Array:
    ranks = rank_scores(values)
    ranks -= ranks.mean()
    length = float(np.linalg.norm(ranks))
    return ranks / length if length else ranks


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _or_zero(value: float) -> float:
    return 0.0 if math.isnan(value) else value
