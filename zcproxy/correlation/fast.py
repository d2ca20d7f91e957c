"""Kendall's tau-b of thousands of score vectors against one fixed vector of labels: the inner loop of evolution.

A set of networks is a row of bits, 64 to a word. For each network the set of those with a better label is made once. A
call sorts the scores, accumulates the set of networks seen so far from the lowest score up, and counts the bits that it
shares with the better ones: each is a pair in the wrong order. That is a dozen numpy calls over n * n / 64 words.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zcproxy.correlation.measures import kendall_tau
from zcproxy.correlation.ranks import as_labels, as_scores

LARGEST_PAIRWISE = 3000
"""Above this many networks scipy's n log n algorithm is as fast as n * n / 64 words, and is used instead."""


class PairwiseTau:
    """Kendall's tau-b against fixed labels: equals `kendall_tau`, in a small part of its time.

    A call changes nothing in the instance: threads may share it.
    """

    def __init__(self, labels: ArrayLike, *, credit_ties: bool = True) -> None:
        """Note which networks have a better label than each.

        Args:
            labels: one finite accuracy per network.
            credit_ties: tau-b leaves pairs of equal scores out of what it divides by, so that a proxy gains by making
                equal what it would order no better than chance. False divides by all pairs, as for scores without ties.

        Raises:
            BenchmarkError: the labels are all equal, fewer than two, or not finite.
        """
        self._labels = as_labels(labels)
        n = len(self._labels)
        self._pairs = n * (n - 1) // 2
        self._credit_ties = credit_ties
        if n > LARGEST_PAIRWISE:
            return
        is_better = self._labels[None, :] > self._labels[:, None]
        self._better = _pack(is_better)
        self._itself = _pack(np.eye(n, dtype=np.bool_))
        self._ordered_pairs = int(np.count_nonzero(is_better))

    def __call__(self, scores: NDArray[Any], order: NDArray[np.intp] | None = None) -> float:
        """Return tau-b of the scores (one per network, NaN ranks worst), or NaN where all scores are equal.

        Args:
            scores: one per network.
            order: `scores.argsort()`, where the caller has it.

        Raises:
            BenchmarkError: the number of scores is not the number of labels.
        """
        n = len(self._labels)
        values = as_scores(scores, n)
        if n > LARGEST_PAIRWISE:
            tau = kendall_tau(values, self._labels)
            return tau if self._credit_ties else tau * math.sqrt(_share_of_distinct_pairs(values))

        order, is_step = _sorted(values, values.argsort() if order is None else order)
        steps = np.count_nonzero(is_step)
        if steps == 0:
            return math.nan
        seen = self._itself.take(order, axis=0)
        np.bitwise_or.accumulate(seen, axis=0, out=seen)
        better = self._better.take(order, axis=0)
        if steps == n - 1:
            distinct_pairs = self._pairs
            balance = self._ordered_pairs - 2 * _count_shared(seen, better)
        else:
            # Concordant minus discordant: of the pairs with different labels, take away the discordant ones twice and
            # those with equal scores once. What is seen up to the end of a run of equal scores counts both kinds,
            # what is seen before the run counts the discordant ones.
            run = np.concatenate(([0], np.cumsum(is_step)))
            sizes = np.bincount(run)
            last = np.cumsum(sizes) - 1
            first_run = sizes[0]
            up_to_run = seen.take(last[run], axis=0)
            before_run = seen.take(last[run[first_run:] - 1], axis=0)
            distinct_pairs = (n * n - int(sizes @ sizes)) // 2
            balance = self._ordered_pairs
            balance -= _count_shared(up_to_run, better) + _count_shared(before_run, better[first_run:])
        # Over the geometric mean of the pairs that the scores and the labels tell apart.
        pairs = distinct_pairs if self._credit_ties else self._pairs
        return balance / math.sqrt(pairs * self._ordered_pairs)


def _pack(sets: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Return the sets (sets x members, booleans) as bits: sets x ceil(members / 64) words."""
    padding = -sets.shape[1] % 64
    return np.packbits(np.pad(sets, ((0, 0), (0, padding))), axis=1).view(np.uint64)


def _count_shared(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> int:
    """Return how many bits are set in both. Overwrites `first`."""
    np.bitwise_and(first, second, out=first)
    return int(np.bitwise_count(first).sum())


def _share_of_distinct_pairs(values: NDArray[np.float64]) -> float:
    _, sizes = np.unique(values, return_counts=True)
    n = len(values)
    return 1.0 - float(sizes @ (sizes - 1)) / (n * (n - 1))


def _sorted(values: NDArray[np.float64], order: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return the order of ascending scores with NaN first, and where the scores rise in it (n - 1 booleans)."""
    in_order = values[order]
    is_step: NDArray[np.bool_] = in_order[1:] != in_order[:-1]
    if not np.isnan(in_order[-1]):
        return order, is_step
    # numpy sorts NaN last, and NaN differs from NaN.
    defined = int(np.searchsorted(in_order, np.nan))
    undefined = len(values) - defined
    moved = np.zeros_like(is_step)
    if defined:
        moved[undefined - 1] = True
        moved[undefined:] = is_step[: defined - 1]
    return np.concatenate((order[defined:], order[:defined])), moved
