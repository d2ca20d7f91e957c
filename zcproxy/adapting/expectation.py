"""Kendall's tau that a proxy is to be expected to have on networks without labels, cross-validated with its choice."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from zcproxy.adapting.agreement import jackknife_covariance
from zcproxy.random import array_generator

Array = NDArray[np.float64]

SPLITS = 40
"""Times that networks are left out."""

SHARE_LEFT_OUT = 0.368
"""Share of the networks that are left out: what a resample of the bootstrap does not draw."""

CONFIDENCE = 0.95

Judge = Callable[[NDArray[np.integer]], Array | None]
"""Makes a choice without some networks and returns how it orders these, n x n: 1 for a pair that is ordered as the
labels do, -1 for the other way, 0 for ties. None where the others have no labels to choose by."""


@dataclass(frozen=True)
class Expectation:
    """Kendall's tau on networks without labels.

    Attributes:
        tau: what is expected; NaN, like its interval, where no split has different labels on both sides.
        low: lower end of its 95 % interval.
        high: upper end.
    """

    tau: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.tau:.2f} [{self.low:.2f}, {self.high:.2f}]"


def expect(judge: Judge, told_apart: NDArray[np.integer], seed: int = 0) -> Expectation:
    """Return what a way of choosing is worth on networks that it did not see.

    In each split, the choice is made anew without the networks left out, and judged by these. So a choice among many
    candidates is not credited with its luck. Where choices differ between splits, it is their mean that is expected; it
    is that of fewer labels, and a little too low.

    Args:
        judge: chooses, and orders what it did not see.
        told_apart: networks x networks: 1 where labels differ, 0 elsewhere.
        seed: of the splits.

    Source: Efron, "Estimating the error rate of a prediction rule", JASA 78 (1983), for the share; Fieller, Hartley and
    Pearson, "Tests for rank correlation coefficients I", Biometrika 44 (1957), for the spread of atanh(tau).
    """
    networks = len(told_apart)
    rng = array_generator("adapt", networks, seed)
    left_out = max(2, round(SHARE_LEFT_OUT * networks))
    rows, counts = np.zeros((1, networks)), np.zeros(networks)
    for _ in range(SPLITS):
        unseen = rng.permutation(networks)[:left_out]
        signs = judge(unseen)
        if signs is not None:
            rows[0, unseen] += signs.sum(axis=1)
            counts[unseen] += told_apart[np.ix_(unseen, unseen)].sum(axis=1)
    return expectation_of(rows, counts)


def expectation_of(rows: Array, counts: Array) -> Expectation:
    """Return tau and its interval from pairs of networks that were left out.

    Args:
        rows: 1 x networks: pairs with each network that are ordered as the labels do, less the others.
        counts: networks: pairs with each network that the labels tell apart.
    """
    if not counts.any():
        return Expectation(math.nan, math.nan, math.nan)
    tau = float(rows.sum() / counts.sum())
    return Expectation(tau, *_interval(tau, float(jackknife_covariance(rows, counts)[0, 0]), len(counts)))


def _interval(tau: float, variance: float, networks: int) -> tuple[float, float]:
    """Return the ends of an interval that is symmetric in atanh(tau), whose spread hardly depends on tau.

    Args:
        tau: its middle.
        variance: of tau over networks, as observed; a smaller one than that of a bivariate normal sample is luck.
        networks: how many there are, 5 or more.
    """
    furthest = 1 - 2 / (networks * (networks - 1))
    middle = math.atanh(min(max(tau, -furthest), furthest))
    spread = math.sqrt(max(variance / (1 - math.tanh(middle) ** 2) ** 2, 0.437 / (networks - 4)))
    half = float(scipy.stats.t.ppf((1 + CONFIDENCE) / 2, networks - 2)) * spread
    return math.tanh(middle - half), math.tanh(middle + half)
