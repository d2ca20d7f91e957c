"""Checks that every measure makes first: paired scores and labels, labels that differ, ranks for undefined scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zcproxy.errors import BenchmarkError

FEWEST_NETWORKS = 2


def as_labels(labels: ArrayLike) -> NDArray[np.float64]:
    """Return the labels as a float64 vector, one per network.

    Raises:
        BenchmarkError: there are fewer than two labels, one of them is not finite, or all are equal.
    """
    values = np.asarray(labels, dtype=np.float64)
    if values.ndim != 1 or len(values) < FEWEST_NETWORKS:
        raise BenchmarkError(f"a rank correlation needs a vector of 2 or more labels, got shape {values.shape}")
    undefined = int(np.count_nonzero(~np.isfinite(values)))
    if undefined:
        raise BenchmarkError(f"{undefined} of {len(values)} labels are not finite: leave those networks out")
    if (values == values[0]).all():
        raise BenchmarkError(f"all {len(values)} labels equal {values[0]:g}: there is no ranking to compare with")
    return values


def as_scores(scores: ArrayLike, networks: int) -> NDArray[np.float64]:
    """Return the scores as a float64 vector of `networks` entries.

    Raises:
        BenchmarkError: the number of scores is not the number of labels.
    """
    values = np.asarray(scores, dtype=np.float64)
    if values.shape != (networks,):
        raise BenchmarkError(
            f"scores of shape {values.shape} do not pair with {networks} labels: give one score per network"
        )
    return values


def checked(scores: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the labels and the ranks of the scores. Raises `BenchmarkError`, as `as_labels` and `as_scores` do."""
    values = as_labels(labels)
    return values, rank_scores(as_scores(scores, len(values)))


def is_constant(values: NDArray[np.float64]) -> bool:
    """Whether all values are equal."""
    return bool((values == values[0]).all())


def rank_scores(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a rank for each score, higher for higher, the mean rank for ties, and 0 for every NaN: below -inf."""
    ranks = np.zeros(len(scores))
    defined = ~np.isnan(scores)
    ranks[defined] = mean_ranks(scores[defined])
    return ranks


def mean_ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rank of each value, 1 for the lowest, the mean of their ranks for ties. NaN is not allowed."""
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    last_ranks = np.cumsum(sizes)
    ranks: NDArray[np.float64] = (last_ranks - (sizes - 1) / 2)[group]
    return ranks
