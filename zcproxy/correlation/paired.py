"""Differences between two correlations on the same networks: their intervals and p-values, corrected for their number.

The difference is resampled as it is measured: both scores see the same draws of networks. A draw that is easy for one
is easy for the other, so that a difference is known better than the intervals of the two suggest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy.stats
from numpy.typing import ArrayLike, NDArray

from zcproxy.correlation.bootstrap import interval

ROUNDING = 1e-12
"""A difference of correlations, or a deviation of it, below this is one of floating-point numbers alone."""


@dataclass(frozen=True)
class Difference:
    """How far one correlation is ahead of another on the same networks.

    Attributes:
        value: the first less the second.
        low: lower end of its 95 % bootstrap interval.
        high: upper end.
        p: two-sided p-value of no difference.
    """

    value: float
    low: float
    high: float
    p: float


def difference(value: float, first: NDArray[np.float64], second: NDArray[np.float64], networks: int) -> Difference:
    """Return the interval and the p-value of a difference from the same resamples of both correlations.

    The p-value is that of the difference over the standard deviation of its resamples, in Student's distribution of
    `networks` - 1 degrees of freedom: the share of resamples beyond 0 cannot be below one over their number, which
    leaves nothing to correct. It is at least 2 to the power of 1 - `networks`, the least that exchanging the two scores
    of each network can give.

    Args:
        value: the difference of the two correlations, as measured.
        first: one correlation, a value per resample; NaN where it is undefined.
        second: the other one in the same resamples, see `bootstrap_draws`.
        networks: how many there are.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), sections 12.2 and 16.
    """
    draws = first - second
    defined = draws[~np.isnan(draws)]
    low, high = interval(draws)
    if len(defined) < 2 or math.isnan(value):
        return Difference(value, low, high, math.nan)
    deviation = float(defined.std(ddof=1))
    if abs(value) < ROUNDING:
        return Difference(value, low, high, 1.0)
    p = float(2 * scipy.stats.t.sf(abs(value) / max(deviation, ROUNDING), networks - 1))
    return Difference(value, low, high, max(p, 2.0 ** (1 - networks)))


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Return p-values corrected for their number; NaN does not count and stays.

    Where all differences at or below a level are taken for real, the chance that one of them is not is at most that
    level, however they depend on each other.

    Args:
        p_values: one per comparison.

    Source: Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics (1979).
    """
    values = np.asarray(p_values, np.float64)
    corrected = np.full(values.shape, math.nan)
    order = [place for place in np.argsort(values, kind="stable") if not math.isnan(values[place])]
    highest = 0.0
    for before, place in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - before) * float(values[place])))
        corrected[place] = highest
    return corrected
