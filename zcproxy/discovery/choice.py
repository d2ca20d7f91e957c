"""The choice among what was found by few labels: by networks left out, and against what needs no label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zcproxy.adapting.agreement import NETWORKS_OF_NULL, Evidence, jackknife_covariance, null_variance
from zcproxy.adapting.choice import expected_gains
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

    What is expected of the choice comes from choices without one split, each judged by that split.

    Args:
        judged: how contenders order what was left out, the general one first.
        sizes: nodes of each that were fitted to labels; 0 for the general one.
    """
    best = _best(judged, sizes)
    networks = judged.counts.shape[1]
    rows = np.zeros((1, networks))
    for split in range(len(judged.rows)):
        rows[0] += judged.rows[split, _best(judged.without(split), sizes)]
    counts = judged.counts.sum(axis=0)
    taus = judged.rows.sum(axis=(0, 2)) / counts.sum()
    return Choice(
        judged.names[best],
        {name: float(tau) for name, tau in zip(judged.names, taus, strict=True)},
        expectation_of(rows, counts),
        expectation_of(judged.rows[:, 0].sum(axis=0)[None], counts),
    )


def _best(judged: Judged, sizes: Sequence[int]) -> int:
    """Return the place of the contender to choose."""
    rows, counts = judged.rows.sum(axis=0), judged.counts.sum(axis=0)
    networks = len(counts)
    weight = networks / (networks + NETWORKS_OF_NULL)
    null = null_variance(networks) * judged.likeness
    covariance = weight * jackknife_covariance(rows, counts) + (1 - weight) * null
    taus = rows.sum(axis=1) / counts.sum() - PRICE * np.asarray(sizes, np.float64) / networks
    return expected_gains(Evidence(taus, covariance, judged.likeness, networks)).best
