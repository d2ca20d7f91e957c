from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given, settings, strategies as st

from zcproxy.correlation import PairwiseTau, kendall_tau, spearman_rho, top_decile_tau
from zcproxy.errors import BenchmarkError

few_values = st.integers(-3, 3).map(float)
scores_with_ties = few_values | st.just(math.nan) | st.just(math.inf) | st.just(-math.inf)
any_score = st.floats(width=32) | scores_with_ties

# A loaded machine is not a failure.
law = settings(deadline=None, max_examples=60)


def paired(score, label=few_values, largest=40):
    return st.lists(st.tuples(score, label), min_size=2, max_size=largest).filter(
        lambda pairs: len({label for _, label in pairs}) > 1
    )


def split(pairs):
    scores, labels = zip(*pairs, strict=True)
    return np.array(scores), np.array(labels)


def order(first, second):
    """-1, 0 or 1 as `first` is below, equal to or above `second`, with NaN below everything."""
    first, second = ((0, 0.0) if math.isnan(value) else (1, value) for value in (first, second))
    return int(first > second) - int(first < second)


def direct_tau(scores, labels):
    """Tau-b by its definition: a sum over all pairs."""
    pairs = list(itertools.combinations(range(len(scores)), 2))
    by_score = [order(scores[i], scores[j]) for i, j in pairs]
    by_label = [order(labels[i], labels[j]) for i, j in pairs]
    balance = sum(a * b for a, b in zip(by_score, by_label, strict=True))
    size = math.sqrt(sum(a * a for a in by_score) * sum(b * b for b in by_label))
    return balance / size if size else math.nan


@law
@given(paired(any_score))
def test_tau_equals_its_definition_with_ties_infinities_and_nan(pairs):
    scores, labels = split(pairs)
    expected = direct_tau(scores, labels)
    assert kendall_tau(scores, labels) == pytest.approx(expected, abs=1e-12, nan_ok=True)
    assert PairwiseTau(labels)(scores) == pytest.approx(expected, abs=1e-12, nan_ok=True)


@law
@given(paired(few_values))
def test_values_equal_scipy_where_scipy_is_defined(pairs):
    scores, labels = split(pairs)
    assume(len(set(scores)) > 1)
    assert kendall_tau(scores, labels) == pytest.approx(scipy.stats.kendalltau(scores, labels).statistic, abs=1e-12)
    assert spearman_rho(scores, labels) == pytest.approx(scipy.stats.spearmanr(scores, labels).statistic, abs=1e-12)


@pytest.mark.parametrize("measure", [kendall_tau, spearman_rho, top_decile_tau])
@law
@given(pairs=paired(any_score))
def test_only_ranks_matter_and_reversing_labels_reverses_the_sign(measure, pairs):
    scores, labels = split(pairs)
    value = measure(scores, labels)
    assert math.isnan(value) or -1 <= value <= 1
    _, dense = np.unique(np.where(np.isnan(scores), -np.inf, scores), return_inverse=True)
    increased = np.where(np.isnan(scores), np.nan, np.exp(dense / 8.0))
    assert measure(increased, labels) == pytest.approx(value, abs=1e-12, nan_ok=True)
    assert measure(scores, labels**3 + 5) == pytest.approx(value, abs=1e-12, nan_ok=True)
    if measure is not top_decile_tau:
        assert measure(scores, -labels) == pytest.approx(-value, abs=1e-12, nan_ok=True)
        if not np.isnan(scores).any():
            assert measure(-scores, labels) == pytest.approx(-value, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("measure", [kendall_tau, spearman_rho, top_decile_tau])
@law
@given(pairs=paired(any_score), random=st.randoms(use_true_random=False))
def test_the_order_of_the_networks_does_not_matter(measure, pairs, random):
    shuffled = random.sample(pairs, len(pairs))
    assert measure(*split(shuffled)) == pytest.approx(measure(*split(pairs)), abs=1e-12, nan_ok=True)


@law
@given(paired(few_values))
def test_a_perfect_ranking_is_one(pairs):
    _, labels = split(pairs)
    assert kendall_tau(labels, labels) == pytest.approx(1)
    assert spearman_rho(labels, labels) == pytest.approx(1)


def test_nan_ranks_below_minus_infinity():
    labels = np.array([1.0, 2.0, 3.0])
    assert kendall_tau([math.nan, -math.inf, 0.0], labels) == 1
    assert spearman_rho([math.nan, -math.inf, 0.0], labels) == pytest.approx(1)
    assert PairwiseTau(labels)(np.array([math.nan, -math.inf, 0.0])) == 1
    assert kendall_tau([math.inf, -math.inf, math.nan], labels) == -1


@pytest.mark.parametrize("score", [0.0, math.nan, math.inf])
def test_equal_scores_have_no_correlation(score):
    scores, labels = np.full(30, score), np.arange(30.0)
    for measure in (kendall_tau, spearman_rho, top_decile_tau, lambda s, y: PairwiseTau(y)(s)):
        assert math.isnan(measure(scores, labels))


@pytest.mark.parametrize("measure", [kendall_tau, spearman_rho, top_decile_tau, lambda s, y: PairwiseTau(y)(s)])
@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        ([1, 2, 3], [5, 5, 5], "all 3 labels equal 5"),
        ([1, 2, 3], [5, math.nan, 6], "1 of 3 labels are not finite"),
        ([1], [5], "2 or more labels"),
        ([], [], "2 or more labels"),
        ([1, 2], [5, 6, 7], "do not pair with 3 labels"),
        ([[1, 2, 3]], [5, 6, 7], "do not pair with 3 labels"),
    ],
)
def test_labels_that_cannot_judge_are_named_in_one_line(measure, scores, labels, message):
    with pytest.raises(BenchmarkError, match=message) as error:
        measure(scores, labels)
    assert "\n" not in str(error.value)


def test_top_decile_looks_at_the_best_tenth_alone():
    labels = np.arange(40.0)
    scores = labels.copy()
    scores[36:] = [39, 38, 37, 36]
    assert kendall_tau(scores, labels) > 0.9
    assert top_decile_tau(scores, labels) == -1


def test_top_decile_includes_ties_with_its_last_network():
    labels = np.array([0.0] * 8 + [1.0, 1.0, 2.0])
    scores = np.arange(11.0)
    assert top_decile_tau(scores, labels) == pytest.approx(direct_tau(scores[8:], labels[8:]))


@pytest.mark.parametrize(("networks", "is_defined"), [(2, False), (10, False), (11, True), (20, True)])
def test_top_decile_needs_two_networks(networks, is_defined):
    labels = np.arange(float(networks))
    assert math.isnan(top_decile_tau(labels, labels)) != is_defined


def test_top_decile_of_one_label_is_undefined():
    assert math.isnan(top_decile_tau(np.arange(20.0), [1.0] * 17 + [2.0] * 3))
