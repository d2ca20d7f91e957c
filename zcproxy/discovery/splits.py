"""Repeated splits of a few labelled networks: each time formulas are made on one part and judged by the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zcproxy.correlation.ranks import rank_scores
from zcproxy.random import array_generator

Array = NDArray[np.float64]
Places = NDArray[np.intp]

FOLDS, REPEATS = 3, 3
"""Parts that the networks are divided into, each of which is left out once, and times that they are."""


@dataclass(frozen=True)
class Split:
    """What became of a split.

    Attributes:
        number: from 1.
        of: splits in all.
        formula: the best that evolved on what it kept.
        size: its nodes.
        training_tau: Kendall's tau-b there.
        validation_tau: on what it left out.
        evaluations: formulas evaluated.
    """

    number: int
    of: int
    formula: str
    size: int
    training_tau: float
    validation_tau: float
    evaluations: int


Watch = Callable[[Split], bool]
"""Called after each split; True where no other is wanted."""


def go_on(split: Split) -> bool:
    """Want all splits."""
    return False


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
        networks: how many there are.
        unseen: for each split, the networks left out.
        signs: for each split, contenders x left out x left out: 1 for a pair that is ordered as the labels do, -1 for
            one that is ordered the other way, 0 for ties.
        told_apart: for each split, left out x left out: 1 where labels differ.
        likeness: contenders x contenders: Kendall's tau between what two give the networks left out.
    """

    names: tuple[str, ...]
    networks: int
    unseen: tuple[Places, ...]
    signs: tuple[NDArray[np.int8], ...]
    told_apart: tuple[NDArray[np.int8], ...]
    likeness: Array

    def pairs(self, without: Places | None = None) -> tuple[Array, Array]:
        """Return the sums behind taus, over all splits.

        Args:
            without: networks that take no part.

        Returns:
            contenders x networks: pairs with each network that are ordered as the labels do, less the others; and
            networks: pairs with each that the labels tell apart.
        """
        rows, counts = np.zeros((len(self.names), self.networks)), np.zeros(self.networks)
        for split, places in enumerate(self.unseen):
            kept = np.arange(len(places)) if without is None else np.flatnonzero(~np.isin(places, without))
            signs = self.signs[split][:, kept[:, None], kept]
            rows[:, places[kept]] += signs.sum(axis=2, dtype=np.float64)
            counts[places[kept]] += self.told_apart[split][kept[:, None], kept].sum(axis=1, dtype=np.float64)
        return rows, counts

    def pairs_of(self, split: int, contender: int) -> Array:
        """Return networks: pairs with each that a contender orders as the labels do, less the others, in a split."""
        rows = np.zeros(self.networks)
        rows[self.unseen[split]] = self.signs[split][contender].sum(axis=1, dtype=np.float64)
        return rows


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
    signs, told_apart = [], []
    shared = np.zeros((len(names), len(names)))
    for of_split, places in zip(scores, unseen, strict=True):
        by_label = _orders(labels[places])
        orders = np.stack([_orders(rank_scores(of_split[name][places])) for name in names])
        signs.append(orders * by_label)
        told_apart.append(np.abs(by_label))
        flat = orders.reshape(len(names), -1).astype(np.float32)
        shared += flat @ flat.T
    sizes = np.sqrt(np.diag(shared))
    sizes[sizes == 0] = 1.0
    likeness = shared / np.outer(sizes, sizes)
    return Judged(tuple(names), len(labels), tuple(unseen), tuple(signs), tuple(told_apart), likeness)


def _orders(values: Array) -> NDArray[np.int8]:
    return np.sign(values[:, None] - values[None, :]).astype(np.int8)
