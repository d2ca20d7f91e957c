from __future__ import annotations

import math

import numpy as np
import pytest

from zcproxy.correlation import bootstrap_draws, interval, kendall_tau, spearman_rho
from zcproxy.errors import BenchmarkError, ConfigurationError


def correlated(networks: int, rho: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores and labels drawn from a bivariate normal distribution of correlation `rho`."""
    rng = np.random.default_rng(seed)
    labels, noise = rng.normal(size=(2, networks))
    return rho * labels + math.sqrt(1 - rho**2) * noise, labels


def draws_of(scores, labels, seed_name, name="tau", resamples=1000):
    return bootstrap_draws([scores], labels, [name], seed_name, resamples=resamples)[name]


def test_depends_on_the_seed_names_alone():
    sample = correlated(60, 0.6, seed=0)
    first = draws_of(*sample, ("run", 1), resamples=50)
    np.random.default_rng(3).normal()
    assert np.array_equal(draws_of(*sample, ("run", 1), resamples=50), first)
    assert not np.array_equal(draws_of(*sample, ("run", 2), resamples=50), first)


def test_covers_the_true_tau_about_as_often_as_it_says():
    rho = 0.7
    true_tau = 2 / math.pi * math.asin(rho)
    samples = [correlated(80, rho, seed) for seed in range(200)]
    intervals = [interval(draws_of(*sample, ("coverage", seed))) for seed, sample in enumerate(samples)]
    covered = sum(low <= true_tau <= high for low, high in intervals)
    # 190 expected; the standard deviation of the count is 3.
    assert 180 <= covered <= 199
    # 95 % of a normal distribution lie within 3.92 standard deviations from end to end.
    spread = 3.92 * np.std([kendall_tau(*sample) for sample in samples])
    assert np.mean([high - low for low, high in intervals]) == pytest.approx(spread, rel=0.2)


@pytest.mark.parametrize(("name", "measure"), [("tau", kendall_tau), ("spearman", spearman_rho)])
def test_the_interval_holds_the_value(name, measure):
    sample = correlated(200, 0.8, seed=1)
    low, high = interval(draws_of(*sample, ("x",), name))
    assert low < measure(*sample) < high


def test_shrinks_with_the_square_root_of_the_networks():
    def width(networks):
        low, high = interval(draws_of(*correlated(networks, 0.5, seed=2), ("x",)))
        return high - low

    assert width(100) / width(900) == pytest.approx(3, rel=0.3)


def test_initialisations_take_turns_on_the_same_draws():
    first, labels = correlated(50, 0.9, seed=3)
    second = correlated(50, 0.1, seed=4)[0]
    alone = [draws_of(scores, labels, ("x",), resamples=20) for scores in (first, second)]
    both = bootstrap_draws([first, second], labels, ["tau"], ("x",), resamples=20)["tau"]
    assert np.allclose(both[::2], alone[0][::2]) and np.allclose(both[1::2], alone[1][1::2])


def test_is_the_same_in_parts(monkeypatch):
    sample = correlated(50, 0.5, seed=5)
    whole = draws_of(*sample, ("x",), resamples=30)
    monkeypatch.setattr("zcproxy.correlation.bootstrap.CELLS", 200)
    monkeypatch.setattr("zcproxy.correlation.resampled.BLOCK", 7)
    assert np.array_equal(draws_of(*sample, ("x",), resamples=30), whole)


def test_nan_scores_rank_worst_in_every_resample():
    labels = np.arange(50.0)
    scores = labels.copy()
    scores[:10] = math.nan
    scores[10] = -math.inf
    low, high = interval(draws_of(scores, labels, ("x",), resamples=30))
    assert 0.9 < low <= high <= 1


def test_a_measure_that_is_never_defined_has_no_interval():
    assert all(map(math.isnan, interval(draws_of(np.ones(20), np.arange(20.0), ("x",), resamples=5))))
    assert all(map(math.isnan, interval(draws_of([1, 2], [1, 2], ("x",), "tau_top_decile", resamples=5))))


def test_two_networks_are_survived():
    assert interval(draws_of([1, 2], [1, 2], ("x",), resamples=40)) == (1, 1)


def test_bad_options_and_labels_are_named():
    with pytest.raises(ConfigurationError, match="1 or more resamples, got 0"):
        draws_of([1, 2], [1, 2], ("x",), resamples=0)
    with pytest.raises(BenchmarkError, match="all 2 labels equal"):
        draws_of([1, 2], [1, 1], ("x",))
