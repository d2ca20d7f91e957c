"""Bootstrap intervals of correlations, over draws of architectures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zcproxy.correlation.ranks import as_labels, as_scores, rank_scores
from zcproxy.correlation.resampled import RESAMPLED, Resampled
from zcproxy.errors import ConfigurationError
from zcproxy.random import array_generator

CONFIDENCE = 0.95
"""Share of the resamples between the two ends of an interval."""

CELLS = 1_000_000
"""Resamples x networks that are in memory at a time."""


def bootstrap_draws(
    scores: Sequence[ArrayLike],
    labels: ArrayLike,
    names: Iterable[str],
    seed_names: Sequence[str | int],
    *,
    given: ArrayLike | None = None,
    resamples: int = 1000,
) -> dict[str, NDArray[np.float64]]:
    """Return measures of resamples of the networks: for each name one value per resample, in the order of the draws.

    A resample draws as many networks as there are, with replacement. With several scores of the same networks, one an
    initialisation, each resample takes the next in turn: it then is a draw of networks and of an initialisation. Draws
    whose labels are all equal have no value and are left out. The draws depend on the labels and the seed names alone:
    values of two calls that agree in these belong together, place by place.

    Args:
        scores: one or more scores, each one number per network; only their ranks are used, NaN ranks worst.
        labels: one finite accuracy per network.
        names: names of measures, see `zcproxy.correlation.resampled.RESAMPLED`.
        seed_names: what the resamples derive from, and nothing else: see `zcproxy.random`.
        given: what `partial_spearman` holds fixed, one number per network; may be left out for the others.
        resamples: how many.

    Raises:
        BenchmarkError: the labels are all equal, fewer than two, not finite, or not as many as the scores.
        ConfigurationError: `resamples` is below 1.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13.
    """
    values = as_labels(labels)
    held = np.zeros(len(values)) if given is None else rank_scores(as_scores(given, len(values)))
    counts = _draw_counts(values, seed_names, resamples)
    wanted = list(names)
    values_of = {name: np.zeros(len(counts)) for name in wanted}
    for turn, each in enumerate(scores):
        ranks = rank_scores(as_scores(each, len(values)))
        own = np.arange(turn, len(counts), len(scores))
        rows = max(1, CELLS // len(values))
        for start in range(0, len(own), rows):
            part = own[start : start + rows]
            found = Resampled(ranks, values, held, counts[part].astype(np.float64))
            for name in wanted:
                values_of[name][part] = RESAMPLED[name](found)
    return values_of


def interval(draws: NDArray[np.float64]) -> tuple[float, float]:
    """Return the quantiles that hold 95 % of the draws between them; NaN ones do not count, NaN if all are."""
    defined = draws[~np.isnan(draws)]
    if not len(defined):
        return math.nan, math.nan
    low, high = np.quantile(defined, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def _draw_counts(labels: NDArray[np.float64], seed_names: Sequence[str | int], resamples: int) -> NDArray[np.int32]:
    """Return how often each network is drawn, resamples x networks, without the draws of equal labels."""
    if resamples < 1:
        raise ConfigurationError(f"a bootstrap needs 1 or more resamples, got {resamples}")
    rng = array_generator(*seed_names)
    networks = len(labels)
    draws = (rng.integers(networks, size=networks) for _ in range(resamples))
    kept = [np.bincount(drawn, minlength=networks) for drawn in draws if np.ptp(labels[drawn]) > 0]
    return np.array(kept, np.int32).reshape(len(kept), networks)
