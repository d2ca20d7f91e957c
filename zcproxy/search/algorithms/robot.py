"""RoBoT: weights for the sum of several proxies, found with a few measured accuracies.

Z. He, Y. Shu, Z. Dai, B. K. H. Low: Robustifying and Boosting Training-Free Neural Architecture Search (ICLR 2024),
algorithm 1. Three things differ. There the scores are scaled between their extremes; here their ranks are, since a
proxy whose scores span powers of ten would otherwise tell apart the few highest alone. The Gaussian process sees the
direction of the weights, since a ranking does not depend on their length; and normal scores of the accuracies, among
which one that is hardly above chance does not hide the differences of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern, WhiteKernel

from zcproxy.random import derive_seed
from zcproxy.search.goals import Candidate

Array = NDArray[np.float64]

QUERIES = 20
"""Architectures measured in the paper on NAS-Bench-201."""

OPTIMISM = 4.0
"""Standard deviations added to the predicted mean.

Over 60 seeds on NAS-Bench-201 (12-epoch accuracy of the pick, CIFAR-10) 4 found 84.4 and never less than 82.7; 2.576,
the default of the package that the authors use, 83.9 and once 70.7.
"""

DRAWS = 4_000
"""Weights that the next ones are the most promising of."""

LENGTHS, NOISES = (0.5, 1.0, 2.0, 4.0), (1e-3, 1e-2, 1e-1)
"""Length scales of the Gaussian process, where weights have length 1, and noise as a share of the variance."""


@dataclass(frozen=True)
class Pool:
    """The architectures that weights rank.

    Attributes:
        architectures: canonical texts.
        scores: architectures x proxies, between 0 and 1, higher is better; NaN where a proxy is undefined.
    """

    architectures: tuple[str, ...]
    scores: Array

    def ranked(self, weights: Array) -> NDArray[np.intp]:
        """Return places of the architectures, that of the highest weighted sum first.

        What is undefined counts as the worst of the proxy: the lowest score, or the highest under a negative weight.
        """
        undefined = np.isnan(self.scores)
        sums = np.where(undefined, 0.0, self.scores) @ weights + undefined @ np.minimum(weights, 0.0)
        return np.argsort(-sums, kind="stable")


def scaled_ranks(scores: Array) -> Array:
    """Return the ranks of scores per column between 0 and 1, the highest 1; NaN stays, infinities become NaN."""
    finite = np.where(np.isfinite(scores), scores, np.nan)
    ranks = rankdata(finite, axis=0, nan_policy="omit") - 1.0
    most = np.nanmax(ranks, axis=0, initial=1.0)
    return np.asarray(ranks / most, np.float64)


class Robot:
    """Searches weights by Bayesian optimisation; measures the first of each ranking, then walks down the best ranking.

    Args:
        pool: what is ranked.
        queries: architectures to measure in all; as many weights are tried, some of which rank a known one first.
        start: architectures to measure before; they are queries too.
        seed: seed of all draws.
    """

    def __init__(self, pool: Pool, queries: int, start: Sequence[str], seed: int) -> None:
        self._pool = pool
        self._most = min(queries, len({*pool.architectures, *start}))
        self._waiting = list(start)
        self._rng = np.random.default_rng(derive_seed("robot", seed))
        self._known: dict[str, Candidate] = {}
        self._tried: list[Array] = []
        self._first: list[str] = []

    def ask(self) -> list[str]:
        """Return the start, then the first of new weights each, then the rest of the queries, down the best ranking."""
        if self._waiting:
            asked, self._waiting = self._waiting, []
            return asked
        while len(self._known) < self._most and len(self._tried) < self._most:
            weights = self._next_weights()
            first = self._pool.architectures[self._pool.ranked(weights)[0]]
            self._tried.append(weights)
            self._first.append(first)
            if first not in self._known:
                return [first]
        return self._walk() if len(self._known) < self._most else []

    def tell(self, outcomes: Sequence[Candidate]) -> None:
        """Take what was measured."""
        self._known.update((outcome.architecture, outcome) for outcome in outcomes)

    def _next_weights(self) -> Array:
        """Return the weights, in [-1, 1], whose first architecture may be the best: by an upper confidence bound."""
        drawn = self._rng.uniform(-1.0, 1.0, (DRAWS, self._pool.scores.shape[1]))
        found = [self._known[name] for name in self._first]
        values = [-each.costs[0] if each.violation == 0.0 else -np.inf for each in found]
        if len(set(values)) < 2:  # nothing to learn from yet
            return np.asarray(drawn[0])
        scores = norm.ppf((rankdata(values) - 0.5) / len(values))
        model = _fitted(_directions(np.array(self._tried)), scores)
        mean, spread = model.predict(_directions(drawn), return_std=True)
        return np.asarray(drawn[np.argmax(mean + OPTIMISM * spread)])

    def _walk(self) -> list[str]:
        """Return the highest of the ranking of the best weights that are not known: the last of equally good ones."""
        keys = [self._known[name].key for name in self._first]
        best = max(place for place, key in enumerate(keys) if key == min(keys))
        order = (self._pool.architectures[place] for place in self._pool.ranked(self._tried[best]))
        return [name for name in order if name not in self._known][: self._most - len(self._known)]


def _directions(weights: Array) -> Array:
    return np.asarray(weights / np.linalg.norm(weights, axis=1, keepdims=True))


def _fitted(weights: Array, values: Array) -> GaussianProcessRegressor:
    """Return the Gaussian process of highest marginal likelihood among a few (Matern kernel of smoothness 5/2)."""
    models = [
        GaussianProcessRegressor(Matern(length, nu=2.5) + WhiteKernel(noise), optimizer=None, normalize_y=True).fit(
            weights, values
        )
        for length in LENGTHS
        for noise in NOISES
    ]
    return max(models, key=lambda model: model.log_marginal_likelihood_value_)
