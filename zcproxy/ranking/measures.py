"""The measures of a table, each with its interval and its spread over initialisations."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from zcproxy.correlation import (
    bootstrap_draws,
    has_top_decile,
    interval,
    kendall_tau,
    ndcg,
    partial_spearman,
    pick_accuracy,
    regret,
    spearman_rho,
    top_decile_tau,
    weighted_tau,
)

Array = NDArray[np.float64]

FEWEST_FOR_INTERVAL = 10
"""Below this many networks no interval is given: their draws with replacement are too few and too alike."""

MEASURES: Mapping[str, Callable[[Array, Array, Array], float]] = {
    "tau": lambda scores, labels, _: kendall_tau(scores, labels),
    "spearman": lambda scores, labels, _: spearman_rho(scores, labels),
    "weighted_tau": lambda scores, labels, _: weighted_tau(scores, labels),
    "tau_top_decile": lambda scores, labels, _: top_decile_tau(scores, labels),
    "ndcg": lambda scores, labels, _: ndcg(scores, labels),
    "pick_accuracy": lambda scores, labels, _: pick_accuracy(scores, labels),
    "regret": lambda scores, labels, _: regret(scores, labels),
    "partial_spearman": partial_spearman,
}
"""From scores, labels and params, each one number per network, to the value; in the order of the columns."""


@dataclass(frozen=True)
class Estimate:
    """One value of a table.

    Attributes:
        value: mean over the initialisations; NaN where it is undefined for one of them.
        low: lower end of the 95 % bootstrap interval over architectures and initialisations.
        high: upper end. Both ends are NaN below `FEWEST_FOR_INTERVAL` networks.
        spread: standard deviation over the initialisations; NaN for a single one.
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    spread: float = math.nan


@dataclass(frozen=True)
class Judgement:
    """What a table says of one proxy.

    Attributes:
        estimates: by measure.
        draws: tau of each resample of the networks, see `bootstrap_draws`; empty below `FEWEST_FOR_INTERVAL` networks.
    """

    estimates: dict[str, Estimate]
    draws: Array = field(repr=False)


def judge(scores: Array, labels: Array, params: Array, *, seed_names: Sequence[str | int], resamples: int) -> Judgement:
    """Return every measure of one proxy, and its tau in each resample.

    The interval says what another draw of networks *and* another initialisation would change.

    Args:
        scores: initialisations x networks, NaN ranks worst.
        labels: accuracies in percent, one per network.
        params: parameters, one per network.
        seed_names: what the resamples derive from.
        resamples: how many.

    Raises:
        BenchmarkError: the labels are all equal, fewer than two, or not finite.
        ConfigurationError: `resamples` is below 1.
    """
    rows = list(scores)
    found = {name: np.array([measure(row, labels, params) for row in rows]) for name, measure in MEASURES.items()}
    draws = {name: np.zeros(0) for name in MEASURES}
    if len(labels) >= FEWEST_FOR_INTERVAL:
        draws = bootstrap_draws(rows, labels, MEASURES, seed_names, given=params, resamples=resamples)
    if not has_top_decile(len(labels)):
        found["tau_top_decile"] = np.full(len(rows), math.nan)
        draws["tau_top_decile"] = np.zeros(0)
    estimates = {
        name: Estimate(
            float(values.mean()),
            *interval(draws[name]),
            float(values.std(ddof=1)) if len(values) > 1 else math.nan,
        )
        for name, values in found.items()
    }
    return Judgement(estimates, draws["tau"])
