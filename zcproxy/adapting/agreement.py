"""Pairs of labelled networks that candidates order as the labels do: the sums behind taus and their errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zcproxy.correlation.ranks import as_labels, as_scores, rank_scores

Array = NDArray[np.float64]

NETWORKS_OF_NULL = 20.0
"""With so many networks, observed errors weigh as much as those that random labels would make."""


@dataclass(frozen=True)
class Evidence:
    """The taus of candidates on some labelled networks.

    Attributes:
        taus: candidates: Kendall's tau. Pairs of equal labels are left out; a pair of equal scores counts as half
            right, so that no candidate gains by telling fewer networks apart.
        covariance: candidates x candidates, of the errors of the taus.
        likeness: candidates x candidates: Kendall's tau between two candidates. No label plays a part in it.
        networks: how many there are.
    """

    taus: Array
    covariance: Array
    likeness: Array
    networks: int


class Agreement:
    """The pairs of networks that candidates order as the labels do.

    Attributes:
        networks: how many have a label.
        signs: candidates x networks x networks: 1 for a pair that is ordered as the labels do, -1 for one that is
            ordered the other way, 0 where labels or scores are equal; the mean over initialisations.
        told_apart: networks x networks: 1 where labels differ, 0 elsewhere.
    """

    def __init__(self, scores: Array, labels: Array) -> None:
        """Compare all pairs.

        Args:
            scores: initialisations x candidates x networks, higher is better, NaN ranks worst.
            labels: networks: finite accuracies, not all equal.

        Raises:
            BenchmarkError: the labels are all equal, fewer than two, not finite, or not as many as the scores.
        """
        values = as_labels(labels)
        self.networks = len(values)
        drawn = [[self._ordered(each) for each in initialisation] for initialisation in scores]
        orders = np.asarray(np.mean(drawn, axis=0, dtype=np.float32))
        by_label = _orders(values)
        self.signs: NDArray[np.float32] = orders * by_label
        self.told_apart = np.abs(by_label)
        self._rows = self.signs.sum(axis=2, dtype=np.float64)
        self._counts = self.told_apart.sum(axis=1, dtype=np.float64)
        shared = _shared(orders)
        sizes = np.sqrt(np.diag(shared))
        sizes[sizes == 0] = 1.0
        self._likeness = shared / np.outer(sizes, sizes)
        self._null = null_covariance(shared, orders.sum(axis=2, dtype=np.float64), self.networks)

    def evidence(self) -> Evidence:
        """Return the taus on all networks."""
        return self._evidence(self._rows, self._counts)

    def without(self, networks: NDArray[np.integer]) -> Evidence | None:
        """Return the taus without some networks; None where all others have the same label."""
        rows = self._rows - self.signs[:, :, networks].sum(axis=2, dtype=np.float64)
        counts = self._counts - self.told_apart[:, networks].sum(axis=1)
        left = np.ones(self.networks, np.bool_)
        left[networks] = False
        return self._evidence(rows[:, left], counts[left]) if counts[left].any() else None

    def _ordered(self, scores: Array) -> NDArray[np.int8]:
        return _orders(rank_scores(as_scores(scores, self.networks)))

    def _evidence(self, rows: Array, counts: Array) -> Evidence:
        networks, pairs = len(counts), float(counts.sum())
        weight = networks / (networks + NETWORKS_OF_NULL)
        null = self._null * null_variance(networks) / null_variance(self.networks)
        covariance = weight * jackknife_covariance(rows, counts) + (1 - weight) * null
        return Evidence(rows.sum(axis=1) / pairs, covariance, self._likeness, networks)


def jackknife_covariance(rows: Array, counts: Array) -> Array:
    """Return the covariance of taus over draws of networks, as each network left out in turn shows it.

    Args:
        rows: candidates x networks: pairs with each network that are ordered as the labels do, less the others.
        counts: networks: pairs with each network that the labels tell apart.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 11.
    """
    networks, left = len(counts), counts.sum() - 2 * counts
    totals = rows.sum(axis=1, keepdims=True)
    found = np.divide(totals - 2 * rows, left, out=np.zeros(rows.shape), where=left > 0)
    deviations = found - found.mean(axis=1, keepdims=True)
    covariance: Array = (networks - 1) / networks * deviations @ deviations.T
    return covariance


def null_covariance(shared: Array, rows: Array, networks: int) -> Array:
    """Return the covariance of taus with labels in random order: that of errors as far as it needs no labels.

    Random labels order two pairs of networks alike in two of three cases where these share a network at the same end,
    and independently where they share none.

    Args:
        shared: candidates x candidates: pairs that two candidates order alike, less those that they do not.
        rows: candidates x networks: networks that each is ranked above, less those that it is ranked below.
        networks: how many there are.

    Source: Kendall, "Rank Correlation Methods" (1948), chapter 5, for one candidate.
    """
    pairs = networks * (networks - 1) / 2
    found: Array = (shared + rows @ rows.T) / 3 / pairs**2
    return found


def null_variance(networks: int) -> float:
    """Return the variance of Kendall's tau between two independent orders without ties."""
    return 2 * (2 * networks + 5) / (9 * networks * (networks - 1))


def _orders(values: Array) -> NDArray[np.int8]:
    """Return networks x networks: 1 where the first one's value is higher, -1 where it is lower, 0 where they tie."""
    return np.sign(values[:, None] - values[None, :]).astype(np.int8)


def _shared(orders: NDArray[np.float32]) -> Array:
    """Return pairs that two candidates order alike, less those they order differently: candidates x candidates."""
    above = np.triu_indices(orders.shape[1], 1)
    pairs = orders[:, above[0], above[1]]
    return (pairs @ pairs.T).astype(np.float64)
