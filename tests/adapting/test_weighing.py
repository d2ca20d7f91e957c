"""Weights of candidates, against direct computations and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from adapting.worlds import made_family
from scipy.optimize import minimize
from scipy.stats import norm, rankdata

from zcproxy.adapting.decision import Rule, decide
from zcproxy.adapting.weighing import EXPECTED_WEIGHT, MOST_TERMS, PENALTY, Term, fit_terms, weighable, weighed
from zcproxy.correlation import kendall_tau


def test_weights_are_those_of_a_ridge_regression_that_is_never_negative() -> None:
    scores, labels = made_family(np.random.default_rng(2), networks=30, candidates=3)
    values = scores[0]
    targets = norm.ppf((rankdata(labels) - 0.5) / 30)
    standard = (values - values.mean(axis=1, keepdims=True)) / values.std(axis=1, keepdims=True)
    before = np.array([EXPECTED_WEIGHT, 0.0, 0.0])

    def loss(weights: np.ndarray) -> float:
        return float(((targets - weights @ standard) ** 2).sum() + PENALTY * ((weights - before) ** 2).sum())

    wanted = minimize(loss, before, bounds=[(0, None)] * 3, tol=1e-12).x / values.std(axis=1)
    found = fit_terms(values, labels, [0, 1, 2])
    assert {term.place: term.weight for term in found} == pytest.approx(
        {place: weight / wanted[0] for place, weight in enumerate(wanted) if weight > 1e-6}, rel=1e-3
    )
    assert found[0] == Term(0, 1.0)


def test_terms_are_few_positive_and_called_by_their_places() -> None:
    scores, labels = made_family(np.random.default_rng(3), networks=50, candidates=12)
    places = list(range(10, 130, 10))
    found = fit_terms(scores[0], labels, places)
    assert 2 <= len(found) <= MOST_TERMS
    assert found[0].place == 10 and {term.place for term in found} <= set(places)
    assert min(term.weight for term in found) > 0


def test_the_formula_is_the_sum_of_its_terms() -> None:
    logarithms = np.arange(12.0).reshape(3, 4) ** 2
    found = weighed(logarithms, [Term(5, 1.0), Term(9, 0.5)], [5, 7, 9])
    assert found == pytest.approx(logarithms[0] + 0.5 * logarithms[2])


def test_only_positive_scores_have_logarithms() -> None:
    scores = np.ones((2, 5, 3)) + np.arange(3.0)
    scores[1, 1, 0], scores[0, 2, 1], scores[0, 3, 2] = 0.0, np.nan, np.inf
    scores[:, 4] = 7.0
    assert weighable(scores).tolist() == [True, False, False, False, False]


def test_weighing_carries_over_to_other_networks() -> None:
    gains, errors, covered = [], [], []
    for draw in range(40):
        scores, labels = made_family(np.random.default_rng(draw), networks=320, candidates=20)
        positive = np.exp(scores)
        found = decide(positive[:, :, :20], labels[:20], seed=draw)
        scored = weighed(np.log(positive[0]), found.terms, list(range(20)))
        tau = kendall_tau(scored[20:], labels[20:])
        gains.append(tau - kendall_tau(scores[0, 0, 20:], labels[20:]))
        errors.append(found.expected.tau - tau)
        covered.append(found.expected.low <= tau <= found.expected.high)
    assert np.mean(gains) > 0.1
    assert abs(np.mean(errors)) < 0.06 and np.mean(covered) >= 0.9


def test_a_general_one_without_logarithms_is_chosen_or_left_as_a_whole() -> None:
    scores, labels = made_family(np.random.default_rng(4), networks=30, candidates=4)
    assert len(decide(scores, labels, rule=Rule.WEIGH).terms) == 1


def test_only_candidates_that_can_be_joined_are() -> None:
    scores, labels = made_family(np.random.default_rng(7), networks=50, candidates=8)
    found = decide(np.exp(scores), labels, joinable=[0, 3])
    assert {term.place for term in found.terms} <= {0, 3}
