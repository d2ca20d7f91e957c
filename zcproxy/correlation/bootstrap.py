"""How far a correlation would move with another draw of architectures."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zcproxy.correlation.measures import Measure
from zcproxy.correlation.ranks import as_labels, as_scores, rank_scores
from zcproxy.errors import ConfigurationError
from zcproxy.random import array_generator


def bootstrap_interval(
    scores: ArrayLike,
    labels: ArrayLike,
    measure: Measure,
    seed_names: Sequence[str | int],
    resamples: int = 1000,
    confidence: float = 0.95,
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of a rank measure over architectures.

    The networks are drawn with replacement, as many as there are. The interval says what another draw of architectures
    would change; it says nothing about another initialisation or another training of the same ones. A resample without
    a value (all scores or all labels equal) is left out; both ends are NaN where no resample has one.

    Args:
        scores: one number a network; only their ranks are used, NaN ranks worst.
        labels: one finite accuracy a network.
        measure: a function of scores and labels that depends on the ranks of the scores alone.
        seed_names: what the resamples derive from, and nothing else: see `zcproxy.random`.
        resamples: how many.
        confidence: the share of the resamples between the two ends, in (0, 1).

    Raises:
        BenchmarkError: the labels are all equal, fewer than two, not finite, or not as many as the scores.
        ConfigurationError: `resamples` is below 1 or `confidence` is not between 0 and 1.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13.
    """
    if resamples < 1:
        raise ConfigurationError(f"a bootstrap needs 1 or more resamples, got {resamples}")
    if not 0 < confidence < 1:
        raise ConfigurationError(f"a confidence lies between 0 and 1, got {confidence}: 0.95 is usual")
    values = as_labels(labels)
    ranks = rank_scores(as_scores(scores, len(values)))
    rng = array_generator(*seed_names)
    draws = np.array([_measure_draw(ranks, values, measure, rng) for _ in range(resamples)])
    draws = draws[~np.isnan(draws)]
    if not len(draws):
        return math.nan, math.nan
    low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def _measure_draw(
    ranks: NDArray[np.float64], labels: NDArray[np.float64], measure: Measure, rng: np.random.Generator
) -> float:
    drawn = rng.integers(len(labels), size=len(labels))
    drawn_labels = labels[drawn]
    if (drawn_labels == drawn_labels[0]).all():
        return math.nan
    return measure(ranks[drawn], drawn_labels)
