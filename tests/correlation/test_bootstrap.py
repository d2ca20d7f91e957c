from __future__ import annotations

import math

import numpy as np
import pytest

from zcproxy.correlation import PairwiseTau, bootstrap_interval, kendall_tau, spearman_rho, top_decile_tau
from zcproxy.errors import BenchmarkError, ConfigurationError


def correlated(networks, rho, seed):
    """Scores and labels drawn from a bivariate normal distribution of correlation `rho`."""
    rng = np.random.default_rng(seed)
    labels, noise = rng.normal(size=(2, networks))
    return rho * labels + math.sqrt(1 - rho**2) * noise, labels


def quick_tau(scores, labels):
    return PairwiseTau(labels)(scores)


def test_depends_on_the_seed_names_alone():
    scores, labels = correlated(60, 0.6, seed=0)
    first = bootstrap_interval(scores, labels, quick_tau, ("run", 1), resamples=50)
    np.random.default_rng(3).normal()
    assert bootstrap_interval(scores, labels, quick_tau, ("run", 1), resamples=50) == first
    assert bootstrap_interval(scores, labels, quick_tau, ("run", 2), resamples=50) != first


def test_covers_the_true_tau_about_as_often_as_it_says():
    rho = 0.7
    true_tau = 2 / math.pi * math.asin(rho)
    samples = [correlated(80, rho, seed) for seed in range(100)]
    intervals = [
        bootstrap_interval(*sample, quick_tau, ("coverage", seed), resamples=100, confidence=0.9)
        for seed, sample in enumerate(samples)
    ]
    covered = sum(low <= true_tau <= high for low, high in intervals)
    # 90 expected; the standard deviation of the count is 3.
    assert 80 <= covered <= 98
    # 90 % of a normal distribution lie within 3.29 standard deviations from end to end.
    spread = 3.29 * np.std([quick_tau(*sample) for sample in samples])
    assert np.mean([high - low for low, high in intervals]) == pytest.approx(spread, rel=0.2)


@pytest.mark.parametrize("measure", [kendall_tau, spearman_rho])
def test_holds_the_value_and_widens_with_confidence(measure):
    scores, labels = correlated(200, 0.8, seed=1)
    low, high = bootstrap_interval(scores, labels, measure, ("x",), resamples=100)
    lower, higher = bootstrap_interval(scores, labels, measure, ("x",), resamples=100, confidence=0.999)
    assert lower <= low < measure(scores, labels) < high <= higher


def test_shrinks_with_the_square_root_of_the_networks():
    def width(networks):
        low, high = bootstrap_interval(*correlated(networks, 0.5, seed=2), quick_tau, ("x",), resamples=300)
        return high - low

    assert width(100) / width(900) == pytest.approx(3, rel=0.3)


def test_nan_scores_rank_worst_in_every_resample():
    labels = np.arange(50.0)
    scores = labels.copy()
    scores[:10] = math.nan
    scores[10] = -math.inf
    low, high = bootstrap_interval(scores, labels, kendall_tau, ("x",), resamples=30)
    assert 0.9 < low <= high <= 1


def test_a_measure_that_is_never_defined_has_no_interval():
    assert all(map(math.isnan, bootstrap_interval(np.ones(20), np.arange(20.0), kendall_tau, ("x",), resamples=5)))
    assert all(map(math.isnan, bootstrap_interval([1, 2], [1, 2], top_decile_tau, ("x",), resamples=5)))


def test_two_networks_are_survived():
    assert bootstrap_interval([1, 2], [1, 2], kendall_tau, ("x",), resamples=40) == (1, 1)


def test_bad_options_and_labels_are_named():
    with pytest.raises(ConfigurationError, match="1 or more resamples, got 0"):
        bootstrap_interval([1, 2], [1, 2], kendall_tau, ("x",), resamples=0)
    with pytest.raises(ConfigurationError, match="between 0 and 1, got 95"):
        bootstrap_interval([1, 2], [1, 2], kendall_tau, ("x",), confidence=95)
    with pytest.raises(BenchmarkError, match="all 2 labels equal"):
        bootstrap_interval([1, 2], [1, 1], kendall_tau, ("x",))
