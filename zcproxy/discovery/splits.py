"""Repeated splits of a few labelled networks: each time formulas are made on one part and judged by the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zcproxy.correlation.ranks import rank_scores
from zcproxy.random import array_generator

Array = NDArray[np.float64]
Places = NDArray[np.intp]

FOLDS, REPEATS = 3, 3
"""Parts that the networks are divided into, each of which is left out once, and times that they are."""


def splits_of(networks: int, seed: int) -> list[tuple[Places, Places]]:
    """Return the places of the networks that formulas are made on, and of those that are left out, per split."""
    rng = array_generator("splits", networks, seed)
    found = []
    for _ in range(REPEATS):
        order = rng.permutation(networks)
        left_out = [order[fold::FOLDS] for fold in range(FOLDS)]
        found += [(np.setdiff1d(order, unseen), np.sort(unseen)) for unseen in left_out]
    return found


@dataclass(frozen=True)
class Judged:
    """How contenders order the networks that were left out.

    Attributes:
        names: of the contenders.
        rows: splits x contenders x networks: pairs with each network left out that are ordered as the labels do, less
            those that are not; 0 for networks that were not left out.
        counts: splits x networks: pairs that the labels tell apart.
        likeness: contenders x contenders: Kendall's tau between what two give the networks left out.
    """

    names: tuple[str, ...]
    rows: Array
    counts: Array
    likeness: Array

    def without(self, split: int) -> Judged:
        """Return the same of all splits but one."""
        kept = np.arange(len(self.rows)) != split
        return Judged(self.names, self.rows[kept], self.counts[kept], self.likeness)


def judge(
    names: Sequence[str], scores: Sequence[Mapping[str, Array]], labels: Array, unseen: Sequence[Places]
) -> Judged:
    """Compare the scores of contenders with labels, on what each split left out.

    Args:
        names: of the contenders.
        scores: for each split, a score for all networks by contender; NaN ranks worst.
        labels: networks.
        unseen: for each split, the networks left out.
    """
    networks = len(labels)
    rows, counts = np.zeros((len(unseen), len(names), networks)), np.zeros((len(unseen), networks))
    shared = np.zeros((len(names), len(names)))
    for split, places in enumerate(unseen):
        by_label = _orders(labels[places])
        counts[split, places] = np.abs(by_label).sum(axis=1)
        orders = np.stack([_orders(rank_scores(scores[split][name][places])) for name in names])
        rows[split][:, places] = (orders * by_label).sum(axis=2)
        shared += np.einsum("ajk,bjk->ab", orders, orders)
    sizes = np.sqrt(np.diag(shared))
    sizes[sizes == 0] = 1.0
    return Judged(tuple(names), rows, counts, shared / np.outer(sizes, sizes))


def _orders(values: Array) -> Array:
    return np.asarray(np.sign(values[:, None] - values[None, :]), np.float64)
