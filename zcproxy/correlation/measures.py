"""Rank correlations between the scores a proxy gives and the accuracies that were measured.

All measures share three rules. A NaN score ranks worst: below every other score, -inf included, and tied with the other
NaN. Scores that are all equal rank nothing: the result is NaN. Labels that are all equal are an error, because no proxy
could be judged by them.
"""

from __future__ import annotations

import numpy as np
import scipy.stats
from numpy.typing import ArrayLike, NDArray

from zcproxy.correlation.ranks import FEWEST_NETWORKS, as_scores, checked, is_constant, mean_ranks, rank_scores


def kendall_tau(scores: ArrayLike, labels: ArrayLike) -> float:
    """Return Kendall's tau-b, in [-1, 1], NaN where all scores are equal.

    Of two networks drawn at random, (1 + tau) / 2 is the probability that the scores order them as the labels do (where
    nothing is tied).

    Args:
        scores: one number per network, higher is better.
        labels: one finite accuracy per network.

    Raises:
        BenchmarkError: the labels are all equal, fewer than two, not finite, or not as many as the scores.

    Source: Kendall, "The treatment of ties in ranking problems", Biometrika 33 (1945).
    """
    values, ranks = checked(scores, labels)
    return _tau(ranks, values)


def spearman_rho(scores: ArrayLike, labels: ArrayLike) -> float:
    """Return Spearman's rho, the correlation of the ranks, in [-1, 1], NaN where all scores are equal.

    Args:
        scores: one number per network, higher is better.
        labels: one finite accuracy per network.

    Raises:
        BenchmarkError: the labels are all equal, fewer than two, not finite, or not as many as the scores.
    """
    values, ranks = checked(scores, labels)
    if is_constant(ranks):
        return float("nan")
    # Pearson's correlation of the ranks: a fraction of the time of scipy.stats.spearmanr, which adds a p-value.
    score_ranks, label_ranks = (_centred(mean_ranks(column)) for column in (ranks, values))
    covariance = (score_ranks * label_ranks).mean()
    return float(np.clip(covariance / (score_ranks.std() * label_ranks.std()), -1.0, 1.0))


def top_decile_tau(scores: ArrayLike, labels: ArrayLike) -> float:
    """Return Kendall's tau-b among the true best tenth: can the proxy rank the networks one would pick?

    The best tenth are the ceil(n / 10) networks of the highest labels and all that are tied with the last of them. NaN
    where these are fewer than two, all of one label, or all of one score.

    Args:
        scores: one number per network, higher is better.
        labels: one finite accuracy per network.

    Raises:
        BenchmarkError: the labels are all equal, fewer than two, not finite, or not as many as the scores.
    """
    values, ranks = checked(scores, labels)
    count = -(-len(values) // 10)
    best = values >= np.partition(values, -count)[-count]
    if np.count_nonzero(best) < FEWEST_NETWORKS or is_constant(values[best]):
        return float("nan")
    return _tau(ranks[best], values[best])


FEWEST_IN_TOP = 10
"""Networks that the best tenth has to have for a tau inside it to be shown: with fewer, one pair moves it by .03."""


def has_top_decile(networks: int) -> bool:
    """Whether the best tenth of so many networks is large enough for a tau inside it."""
    return -(-networks // 10) >= FEWEST_IN_TOP


def weighted_tau(scores: ArrayLike, labels: ArrayLike) -> float:
    """Return the additively weighted tau with hyperbolic weights, in [-1, 1], NaN where all scores are equal.

    A pair of networks counts the more the better the two are: 1 / rank of each, best first. The value is the mean of
    that with ranks by score and that with ranks by label.

    Args:
        scores: one number per network, higher is better.
        labels: one finite accuracy per network.

    Raises:
        BenchmarkError: the labels are all equal, fewer than two, not finite, or not as many as the scores.

    Source: Vigna, "A weighted correlation index for rankings with ties", WWW 2015.
    """
    values, ranks = checked(scores, labels)
    return float("nan") if is_constant(ranks) else float(scipy.stats.weightedtau(ranks, values).statistic)


def partial_spearman(scores: ArrayLike, labels: ArrayLike, given: ArrayLike) -> float:
    """Return Spearman's rho between scores and labels with a third quantity held fixed, in [-1, 1].

    What is left of both rankings after a straight line in the ranks of `given` has been taken from each. NaN where the
    scores or `given` are all equal, or where either ranking is that of `given` (or its reverse).

    Args:
        scores: one number per network, higher is better.
        labels: one finite accuracy per network.
        given: one number per network, for example its parameters.

    Raises:
        BenchmarkError: the labels are all equal, fewer than two, not finite, or not as many as the others.

    Source: Kendall and Stuart, "The Advanced Theory of Statistics" 2 (1961), chapter 27.
    """
    values, ranks = checked(scores, labels)
    fixed = rank_scores(as_scores(given, len(values)))
    if is_constant(ranks) or is_constant(fixed):
        return float("nan")
    both, by_label, by_score = spearman_rho(ranks, values), spearman_rho(fixed, values), spearman_rho(ranks, fixed)
    left = (1 - by_label**2) * (1 - by_score**2)
    if left < 1e-12:
        return float("nan")
    return float(np.clip((both - by_label * by_score) / np.sqrt(left), -1.0, 1.0))


def _centred(values: NDArray[np.float64]) -> NDArray[np.float64]:
    centred: NDArray[np.float64] = values - values.mean()
    return centred


def _tau(ranks: NDArray[np.float64], labels: NDArray[np.float64]) -> float:
    if is_constant(ranks):
        return float("nan")
    # Not method="asymptotic", cheap as its unused p-value is: for two networks that divides by zero (scipy 1.17).
    return float(scipy.stats.kendalltau(ranks, labels, variant="b").statistic)
