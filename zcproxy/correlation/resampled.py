"""The rank measures on many resamples of the networks at once.

A resample is a row of counts: how often each network was drawn. Each measure of `zcproxy.correlation` is written here
in terms of these counts, so that a bootstrap is a few operations on arrays of resamples x networks; the sum over pairs
of Kendall's tau is a matrix product. With counts of 1 every value is the plain measure's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from zcproxy.correlation.picks import gains_of
from zcproxy.correlation.ranks import mean_ranks

Array = NDArray[np.float64]

BLOCK = 1000
"""Networks whose pairs with all others are in memory at a time."""


class Groups:
    """Networks of equal value: how often each group was drawn, in ascending order of the value.

    Args:
        values: one number per network, without NaN.
        counts: resamples x networks.
    """

    def __init__(self, values: Array, counts: Array) -> None:
        self.distinct, self._group = np.unique(values, return_inverse=True)
        self._order = np.argsort(self._group, kind="stable")
        self._starts = np.searchsorted(self._group[self._order], np.arange(len(self.distinct)))
        self.counts = self.summed(counts)

    def summed(self, values: Array) -> Array:
        """Return resamples x groups: the sums over the networks of each group."""
        return np.add.reduceat(values[:, self._order], self._starts, axis=1)

    def spread(self, values: Array) -> Array:
        """Return resamples x networks: the value of each network's group."""
        return values[:, self._group]

    @property
    def lowest(self) -> NDArray[np.intp]:
        """The lowest group that was drawn, one per resample."""
        return np.argmax(self.counts > 0, axis=1)

    @property
    def highest(self) -> NDArray[np.intp]:
        """The highest group that was drawn, one per resample."""
        return self.counts.shape[1] - 1 - np.argmax(self.counts[:, ::-1] > 0, axis=1)

    def ranks(self) -> Array:
        """Return resamples x networks: the mean rank of each drawn network, 1 for the lowest."""
        return self.spread(np.cumsum(self.counts, axis=1) - (self.counts - 1) / 2)


class Resampled:
    """The measures of one score on resamples of the networks.

    Args:
        scores: one number per network, without NaN: see `zcproxy.correlation.ranks.rank_scores`.
        labels: accuracies, one per network.
        given: what the partial correlation holds fixed, one number per network.
        counts: resamples x networks, whole numbers; every row draws as many networks as there are.
    """

    def __init__(self, scores: Array, labels: Array, given: Array, counts: Array) -> None:
        self._scores, self._labels, self._given, self._counts = mean_ranks(scores), labels, given, counts

    @cached_property
    def _by_score(self) -> Groups:
        return Groups(self._scores, self._counts)

    @cached_property
    def _by_label(self) -> Groups:
        return Groups(self._labels, self._counts)

    @cached_property
    def _agreement(self) -> Array:
        return self._agreement_with(self._counts)

    def _agreement_with(self, counts: Array) -> Array:
        """Return resamples x networks: with how many drawn networks more each one agrees in order than it disagrees."""
        found = np.empty(counts.shape)
        exact = counts.astype(np.float32)  # sums of whole numbers below 2**24
        for start in range(0, len(self._labels), BLOCK):
            part = slice(start, start + BLOCK)
            by_score = np.sign(np.subtract.outer(self._scores, self._scores[part]).astype(np.float32))
            by_label = np.sign(np.subtract.outer(self._labels, self._labels[part])).astype(np.float32)
            found[:, part] = exact @ (by_score * by_label)
        return found

    def tau(self) -> Array:
        return _tau(self._counts, self._agreement, self._by_score.counts, self._by_label.counts)

    def spearman(self) -> Array:
        return self._correlation(self._by_score.ranks(), self._by_label.ranks())

    def weighted_tau(self) -> Array:
        score_first = self._weighted_tau(np.lexsort((-self._labels, -self._scores)))
        return (score_first + self._weighted_tau(np.lexsort((-self._scores, -self._labels)))) / 2

    def tau_top_decile(self) -> Array:
        wanted = -(-self._counts.sum(axis=1, keepdims=True) // 10)
        by_label = self._by_label.counts
        above = np.cumsum(by_label[:, ::-1], axis=1)[:, ::-1] - by_label
        counts = self._counts * self._by_label.spread(above < wanted)
        agreement = self._agreement_with(counts)
        return _tau(counts, agreement, self._by_score.summed(counts), self._by_label.summed(counts))

    def ndcg(self) -> Array:
        labels = self._by_label.distinct
        lowest, highest = labels[self._by_label.lowest], labels[self._by_label.highest]
        gains = gains_of(self._labels, lowest[:, None], highest[:, None])
        discounts = np.cumsum(np.concatenate(([0.0], 1 / np.log2(2 + np.arange(self._counts[0].sum())))))
        found = self._by_score.summed(self._counts * gains) * _per_place(self._by_score.counts, discounts)
        best = self._by_label.summed(self._counts * gains) * _per_place(self._by_label.counts, discounts)
        return self._defined(found.sum(axis=1) / best.sum(axis=1))

    def pick_accuracy(self) -> Array:
        place = self._by_score.highest[:, None]
        sums = np.take_along_axis(self._by_score.summed(self._counts * self._labels), place, axis=1)
        return self._defined((sums / np.take_along_axis(self._by_score.counts, place, axis=1))[:, 0])

    def regret(self) -> Array:
        return self._by_label.distinct[self._by_label.highest] - self.pick_accuracy()

    def partial_spearman(self) -> Array:
        given, score, label = (
            groups.ranks() for groups in (Groups(self._given, self._counts), self._by_score, self._by_label)
        )
        both, by_label, by_score = (
            self._correlation(*pair) for pair in ((score, label), (given, label), (given, score))
        )
        left = (1 - by_label**2) * (1 - by_score**2)
        found = _ratio(both - by_label * by_score, np.sqrt(np.where(left < 1e-12, 0.0, left)))
        return np.clip(found, -1.0, 1.0)

    def _defined(self, values: Array) -> Array:
        """Return the values, NaN where all drawn networks have one score."""
        return np.where((self._by_score.counts > 0).sum(axis=1) > 1, values, np.nan)

    def _correlation(self, first: Array, second: Array) -> Array:
        """Return Pearson's correlation of the drawn networks, NaN where one side is constant."""
        total = self._counts.sum(axis=1, keepdims=True)
        first, second = (side - (self._counts * side).sum(axis=1, keepdims=True) / total for side in (first, second))
        covariance = (self._counts * first * second).sum(axis=1)
        sizes = (self._counts * first**2).sum(axis=1) * (self._counts * second**2).sum(axis=1)
        return np.clip(_ratio(covariance, np.sqrt(sizes)), -1.0, 1.0)

    def _weighted_tau(self, order: NDArray[np.intp]) -> Array:
        """Return Vigna's tau with weights 1 / rank by an order of the networks, best first."""
        harmonic = np.cumsum(np.concatenate(([0.0], 1 / (1 + np.arange(self._counts[0].sum())))))
        last = np.cumsum(self._counts[:, order], axis=1).astype(int)
        weights = np.empty(self._counts.shape)
        weights[:, order] = harmonic[last] - harmonic[last - self._counts[:, order].astype(int)]
        total = self._counts.sum(axis=1, keepdims=True)
        told_apart = [
            (weights * (total - groups.spread(groups.counts))).sum(axis=1)
            for groups in (self._by_score, self._by_label)
        ]
        return _ratio((weights * self._agreement).sum(axis=1), np.sqrt(told_apart[0] * told_apart[1]))


RESAMPLED: Mapping[str, Callable[[Resampled], Array]] = {
    "tau": Resampled.tau,
    "spearman": Resampled.spearman,
    "weighted_tau": Resampled.weighted_tau,
    "tau_top_decile": Resampled.tau_top_decile,
    "ndcg": Resampled.ndcg,
    "pick_accuracy": Resampled.pick_accuracy,
    "regret": Resampled.regret,
    "partial_spearman": Resampled.partial_spearman,
}
"""The measures by name, each to one number per resample."""


def _tau(counts: Array, agreement: Array, by_score: Array, by_label: Array) -> Array:
    total = counts.sum(axis=1)
    pairs = [total**2 - (groups**2).sum(axis=1) for groups in (by_score, by_label)]
    return _ratio((counts * agreement).sum(axis=1), np.sqrt(pairs[0] * pairs[1]))


def _per_place(counts: Array, discounts: Array) -> Array:
    """Return resamples x groups: the mean discount over the places of each group, the highest first; 0 for none."""
    last = np.cumsum(counts[:, ::-1], axis=1)[:, ::-1].astype(int)
    sums = discounts[last] - discounts[last - counts.astype(int)]
    return np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)


def _ratio(numerator: Array, denominator: Array) -> Array:
    """Return the quotient, NaN where the denominator is 0."""
    return np.divide(numerator, denominator, out=np.full(numerator.shape, np.nan), where=denominator > 0)
