"""The choice among what was found by few labels: by networks left out, and against what needs no label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zcproxy.adapting.agreement import NETWORKS_OF_NULL, Evidence, jackknife_covariance, null_variance
from zcproxy.adapting.choice import CAUTION, expected_gains
from zcproxy.adapting.expectation import Expectation, expectation_of
from zcproxy.discovery.splits import Judged

Array = NDArray[np.float64]

PRICE = 0.1
"""Tau that a node of a formula has to earn, times the number of labels: with 25 labels, .004 for each."""


@dataclass(frozen=True)
class Choice:
    """The contender that was chosen, and what is to be expected of it.

    Attributes:
        name: of the contender.
        taus: tau of each contender on networks left out, by name.
        expected: of what is chosen so, on networks without labels.
        general: of the first contender there.
    """

    name: str
    taus: dict[str, float]
    expected: Expectation
    general: Expectation


def choose_contender(judged: Judged, sizes: Sequence[int]) -> Choice:
    """Return the contender that is expected to be ahead of the first, general one by most; the first where none is.

    What is expected of the choice comes from choices without the networks that a split left out, each judged by these:
    so the choice among many is not credited with its luck.

    Args:
        judged: how contenders order what was left out, the general one first.
        sizes: nodes of each that were fitted to labels; 0 for the general one.
    """
    rows, counts = judged.pairs()
    best = _best(judged, rows, counts, sizes)
    of_choices = np.zeros((1, judged.networks))
    for split, unseen in enumerate(judged.unseen):
        of_choices[0] += judged.pairs_of(split, _best(judged, *judged.pairs(without=unseen), sizes))
    taus = rows.sum(axis=1) / counts.sum()
    return Choice(
        judged.names[best],
        {name: float(tau) for name, tau in zip(judged.names, taus, strict=True)},
        expectation_of(of_choices, counts),
        expectation_of(rows[:1], counts),
    )


def _best(judged: Judged, rows: Array, counts: Array, sizes: Sequence[int]) -> int:
    """Return the place of the contender to choose by pairs of networks; the first where they tell nothing apart."""
    taking_part = counts > 0
    networks = int(taking_part.sum())
    if networks < 3:
        return 0
    rows, counts = rows[:, taking_part], counts[taking_part]
    weight = networks / (networks + NETWORKS_OF_NULL)
    null = null_variance(networks) * judged.likeness
    covariance = weight * jackknife_covariance(rows, counts) + (1 - weight) * null
    gains = expected_gains(Evidence(rows.sum(axis=1) / counts.sum(), covariance, judged.likeness, networks))
    prices = PRICE * np.asarray(sizes, np.float64) / networks
    return int(np.argmax(gains.means - CAUTION * gains.deviations - prices))
