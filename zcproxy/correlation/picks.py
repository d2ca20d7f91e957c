"""Measures of picking networks by score: the accuracy of the best one, and the gain over a whole ranking.

The rules of `zcproxy.correlation.measures` hold: NaN ranks worst, and scores that are all equal pick nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zcproxy.correlation.ranks import as_labels, checked, is_constant

LARGEST_RELEVANCE = 20.0
"""Relevance of the best network; each twentieth of the range of accuracies doubles the gain."""


def pick_accuracy(scores: ArrayLike, labels: ArrayLike) -> float:
    """Return the label of the network with the highest score; the mean label of those that share it.

    Args:
        scores: one number per network, higher is better.
        labels: one finite accuracy per network.

    Raises:
        BenchmarkError: the labels are all equal, fewer than two, not finite, or not as many as the scores.
    """
    values, ranks = checked(scores, labels)
    if is_constant(ranks):
        return float("nan")
    return float(values[ranks == ranks.max()].mean())


def regret(scores: ArrayLike, labels: ArrayLike) -> float:
    """Return by how much the best label exceeds that of the network with the highest score: 0 is a perfect pick.

    Args:
        scores: one number per network, higher is better.
        labels: one finite accuracy per network.

    Raises:
        BenchmarkError: the labels are all equal, fewer than two, not finite, or not as many as the scores.
    """
    return float(np.max(as_labels(labels))) - pick_accuracy(scores, labels)


def ndcg(scores: ArrayLike, labels: ArrayLike) -> float:
    """Return the normalised discounted cumulative gain of the ranking by score, in (0, 1], 1 for a perfect one.

    The gain of a network is 2^r - 1, where r rises from 0 for the lowest label to 20 for the highest; it is divided by
    log2(1 + place), with the mean over the places that equal scores share.

    Args:
        scores: one number per network, higher is better.
        labels: one finite accuracy per network.

    Raises:
        BenchmarkError: the labels are all equal, fewer than two, not finite, or not as many as the scores.

    Source: Jarvelin and Kekalainen, ACM TOIS 20 (2002); for NAS Zhang et al., AceNAS (2021), arXiv 2108.03001.
    """
    values, ranks = checked(scores, labels)
    if is_constant(ranks):
        return float("nan")
    gains = gains_of(values, values.min(), values.max())
    discounts = 1.0 / np.log2(2.0 + np.arange(len(values)))
    _, group, sizes = np.unique(-ranks, return_inverse=True, return_counts=True)
    shared = np.add.reduceat(discounts, np.concatenate(([0], np.cumsum(sizes)[:-1]))) / sizes
    return float(gains @ shared[group] / (np.sort(gains)[::-1] @ discounts))


def gains_of(labels: NDArray[np.float64], lowest: ArrayLike, highest: ArrayLike) -> NDArray[np.float64]:
    """Return the gain of each label, from 0 for the lowest of them; labels outside count as the nearest; see `ndcg`."""
    low, high = np.asarray(lowest, np.float64), np.asarray(highest, np.float64)
    return np.exp2(LARGEST_RELEVANCE * (np.clip(labels, low, high) - low) / (high - low)) - 1.0
