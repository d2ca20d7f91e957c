"""Weights of candidates in one formula: a sum of their logarithms, fitted to labels and held near the general one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls
from scipy.special import ndtri

from zcproxy.correlation.ranks import mean_ranks

Array = NDArray[np.float64]

PENALTY = 3.0
"""Networks with a label that what is expected of the general candidate weighs as much as."""

EXPECTED_WEIGHT = 0.707
"""Weight of the general candidate before there are labels: the correlation of normal variables whose tau is .5.

Source: Greiner's relation, sin(pi / 2 * tau); Kendall and Gibbons, "Rank Correlation Methods" (1990), chapter 10.
"""

MOST_TERMS = 4
"""Candidates in one formula, the general one among them."""


DIGITS = 4
"""Significant digits of a weight."""


@dataclass(frozen=True)
class Term:
    """A candidate in a formula.

    Attributes:
        place: of the candidate.
        weight: positive; what its logarithm is multiplied by.
    """

    place: int
    weight: float


def weighable(scores: Array) -> NDArray[np.bool_]:
    """Return candidates: whether all scores are positive and finite, and not all equal: so they have logarithms.

    Args:
        scores: initialisations x candidates x networks.
    """
    with np.errstate(invalid="ignore"):
        sound = (np.isfinite(scores) & (scores > 0)).all(axis=(0, 2))
        found: NDArray[np.bool_] = sound & (np.ptp(scores.mean(axis=0), axis=1) > 0)
    return found


def fit_terms(logarithms: Array, labels: Array, places: Sequence[int]) -> tuple[Term, ...]:
    """Return the terms of the formula that fits labels best, at most `MOST_TERMS`.

    Weights are those of non-negative ridge regression: normal scores of the labels on standardised logarithms. What is
    penalised is the distance from `EXPECTED_WEIGHT` for the general candidate and none for the others. Without evidence
    to the contrary it is the general one that remains; its weight is 1 unless it has none.

    Args:
        logarithms: candidates x networks, of the scores.
        labels: networks: accuracies, not all equal.
        places: of the candidates among those of the caller, the general one first.

    Source: Hoerl and Kennard, "Ridge Regression", Technometrics 12 (1970); Lawson and Hanson, "Solving Least Squares
    Problems" (1974), chapter 23.
    """
    spreads = logarithms.std(axis=1)
    usable = np.flatnonzero(spreads > 0)
    standard = (logarithms[usable] - logarithms[usable].mean(axis=1, keepdims=True)) / spreads[usable, None]
    targets = ndtri((mean_ranks(labels) - 0.5) / len(labels))
    before = np.where(usable == 0, EXPECTED_WEIGHT, 0.0)
    weights = _fitted(standard, targets, before)
    kept = sorted(np.argsort(-weights - before, kind="stable")[:MOST_TERMS])
    weights = _fitted(standard[kept], targets, before[kept]) / spreads[usable[kept]]
    terms = [(places[usable[each]], weight) for each, weight in zip(kept, weights.tolist(), strict=True) if weight > 0]
    if not terms:
        return (Term(places[0], 1.0),)
    unit = terms[0][1]
    return tuple(Term(place, float(f"{weight / unit:.{DIGITS}g}")) for place, weight in terms)


def weighed(logarithms: Array, terms: Sequence[Term], places: Sequence[int]) -> Array:
    """Return the scores of the formula of some terms: one number per network.

    Args:
        logarithms: candidates x networks.
        terms: of the formula.
        places: of the candidates, as in `fit_terms`.
    """
    rows = {place: row for row, place in enumerate(places)}
    return np.sum([term.weight * logarithms[rows[term.place]] for term in terms], axis=0)


def _fitted(standard: Array, targets: Array, before: Array) -> Array:
    """Return non-negative weights of the rows of `standard`, drawn towards `before`."""
    pull = np.sqrt(PENALTY)
    inputs = np.vstack([standard.T, pull * np.eye(len(standard))])
    weights: Array = nnls(inputs, np.concatenate([targets, pull * before]))[0]
    return weights
