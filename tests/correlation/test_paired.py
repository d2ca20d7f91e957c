"""Differences of two correlations: on scores whose difference is known, and on scores without one."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest

from zcproxy.correlation import Difference, bootstrap_draws, difference, holm, kendall_tau

LEVEL = 0.05


def noisy(labels: np.ndarray, rho: float, rng: np.random.Generator) -> np.ndarray:
    """Scores that have correlation `rho` with labels from a normal distribution."""
    return rho * labels + math.sqrt(1 - rho**2) * rng.normal(size=len(labels))


def compared(scores: list[np.ndarray], labels: np.ndarray, resamples: int = 200) -> list[Difference]:
    """The differences of all pairs of scores, from the same resamples."""
    draws = [bootstrap_draws([each], labels, ["tau"], ("paired",), resamples=resamples)["tau"] for each in scores]
    taus = [kendall_tau(each, labels) for each in scores]
    return [
        difference(taus[first] - taus[second], draws[first], draws[second], len(labels))
        for first, second in combinations(range(len(scores)), 2)
    ]


@pytest.mark.parametrize(("networks", "rho"), [(30, 0.5), (100, 0.5), (60, 0.9)])
def test_without_a_difference_at_most_one_in_twenty_is_found(networks: int, rho: float) -> None:
    rng = np.random.default_rng(networks)
    found = []
    for _ in range(300):
        labels = rng.normal(size=networks)
        found += compared([noisy(labels, rho, rng) for _ in range(2)], labels)
    wrong = sum(each.p < LEVEL for each in found)
    # At most 15 expected; the standard deviation of the count is 3.8. Resamples of few networks vary by more than
    # samples do, by an eighth at a tau of .7: then it is about 6.
    assert 1 <= wrong <= 26
    # p-values of no difference are uniform.
    assert 0.36 <= np.mean([each.p < 0.5 for each in found]) <= 0.58


def test_the_interval_holds_the_true_difference_and_the_p_value_finds_it() -> None:
    rng = np.random.default_rng(1)
    better, worse = 0.8, 0.6
    # Kendall's tau of a bivariate normal distribution.
    true = 2 / math.pi * (math.asin(better) - math.asin(worse))
    found = []
    for _ in range(200):
        labels = rng.normal(size=100)
        found += compared([noisy(labels, better, rng), noisy(labels, worse, rng)], labels, resamples=300)
    covered = sum(each.low <= true <= each.high for each in found)
    # 190 expected; the standard deviation of the count is 3.1.
    assert 180 <= covered <= 199
    assert np.mean([each.value for each in found]) == pytest.approx(true, abs=0.01)
    # The power at .05 of the best test of a value this many standard deviations from 0.
    distance = true / np.std([each.value for each in found])
    power = 1 - 0.5 * (1 + math.erf((1.98 - distance) / math.sqrt(2)))
    assert power - 0.15 < np.mean([each.p < LEVEL for each in found]) < power + 0.05


def test_among_many_alike_hardly_ever_one_is_called_different() -> None:
    rng = np.random.default_rng(2)
    wrong = without = 0
    for _ in range(120):
        labels = rng.normal(size=60)
        p_values = [each.p for each in compared([noisy(labels, 0.6, rng) for _ in range(8)], labels)]
        wrong += bool(holm(p_values).min() < LEVEL)
        without += bool(min(p_values) < LEVEL)
    # At most 6 expected; the standard deviation of the count is 2.4. Uncorrected, most have one.
    assert wrong <= 12
    assert without > 40


def test_what_the_draw_does_to_both_is_no_part_of_the_difference() -> None:
    rng = np.random.default_rng(3)
    labels = rng.normal(size=100)
    first = noisy(labels, 0.6, rng)
    second = first + 0.05 * rng.normal(size=100)
    (found,) = compared([first, second], labels)
    alone = bootstrap_draws([first], labels, ["tau"], ("paired",))["tau"].std()
    assert found.high - found.low < alone


def test_equal_rankings_do_not_differ() -> None:
    labels = np.arange(20.0)
    scores = np.sin(labels)
    (found,) = compared([scores, np.exp(scores)], labels)
    assert found == Difference(0.0, 0.0, 0.0, 1.0)


def test_a_few_networks_prove_little_even_where_no_resample_varies() -> None:
    labels = np.arange(10.0)
    (found,) = compared([labels, -labels], labels)
    assert [found.value, found.low, found.high] == pytest.approx([2.0, 2.0, 2.0]) and found.p == 2.0**-9


def test_an_undefined_correlation_is_not_compared() -> None:
    labels = np.arange(20.0)
    (found,) = compared([labels, np.ones(20)], labels)
    assert all(map(math.isnan, (found.value, found.low, found.high, found.p)))


def closed(p_values: list[float]) -> list[float]:
    """Holm's correction by its definition: the most that any set of hypotheses with this one says by Bonferroni."""
    places = range(len(p_values))
    sets = [chosen for size in range(1, len(p_values) + 1) for chosen in combinations(places, size)]
    return [
        max(min(1.0, len(chosen) * min(p_values[other] for other in chosen)) for chosen in sets if place in chosen)
        for place in places
    ]


def test_the_correction_is_that_of_all_sets_of_hypotheses() -> None:
    rng = np.random.default_rng(4)
    for size in (1, 2, 6):
        p_values = list(rng.random(size) ** 3)
        assert holm(p_values).tolist() == pytest.approx(closed(p_values))
    assert holm([0.01, 0.01, 0.9]).tolist() == pytest.approx(closed([0.01, 0.01, 0.9]))


def test_what_has_no_p_value_does_not_count() -> None:
    corrected = holm([0.02, math.nan, 0.03])
    assert corrected[[0, 2]].tolist() == pytest.approx([0.04, 0.04]) and math.isnan(corrected[1])
    assert holm([]).tolist() == []
