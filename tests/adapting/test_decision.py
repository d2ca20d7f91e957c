"""The choice among candidates and what is expected of it, against direct computations and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from adapting.worlds import made_family, noise_around

from zcproxy.adapting.agreement import Agreement, Evidence
from zcproxy.adapting.choice import NEGLIGIBLE_VARIANCE, SPREAD, expected_gains
from zcproxy.adapting.decision import Rule, decide
from zcproxy.adapting.expectation import expect
from zcproxy.correlation import kendall_tau
from zcproxy.errors import ConfigurationError


def test_gains_are_those_of_conditioned_normal_variables() -> None:
    scores, labels = made_family(np.random.default_rng(0), networks=20, candidates=4)
    evidence = Agreement(scores, labels).evidence()
    found = expected_gains(evidence)
    # Differences and observations as one normal vector, conditioned by the block formula.
    contrast = np.hstack([-np.ones((3, 1)), np.eye(3)])
    before = SPREAD**2 * contrast @ evidence.likeness @ contrast.T
    noise = contrast @ evidence.covariance @ contrast.T + NEGLIGIBLE_VARIANCE * np.eye(3)
    precision = np.linalg.inv(np.block([[before, before], [before, before + noise]]) + 1e-12 * np.eye(6))
    covariance = np.linalg.inv(precision[:3, :3])
    means = -covariance @ precision[:3, 3:] @ (contrast @ evidence.taus)
    assert found.means[1:] == pytest.approx(means, abs=1e-3)
    assert found.deviations[1:] == pytest.approx(np.sqrt(np.diag(covariance)), abs=1e-3)
    assert (found.means[0], found.deviations[0]) == (0.0, 0.0)


def test_more_labels_shrink_less() -> None:
    likeness = np.array([[1.0, 0.2], [0.2, 1.0]])
    taus = np.array([0.4, 0.6])
    gains = [
        expected_gains(Evidence(taus, likeness * variance, likeness, 10)).means[1] for variance in (0.1, 0.01, 0.0001)
    ]
    assert 0 < gains[0] < gains[1] < gains[2] < 0.2


def test_what_ranks_like_the_general_one_is_never_ahead() -> None:
    scores, labels = made_family(np.random.default_rng(1), networks=20, candidates=3)
    scores[0, 1] = 2 * scores[0, 0]
    found = expected_gains(Agreement(scores, labels).evidence())
    assert (found.means[1], found.deviations[1]) == pytest.approx((0.0, 0.0), abs=1e-9)


@pytest.mark.parametrize("rule", list(Rule))
def test_the_general_one_stays_among_noise(rule: str) -> None:
    stays = 0
    for draw in range(30):
        scores, labels = noise_around(np.random.default_rng(draw), networks=20, candidates=40)
        found = decide(np.exp(scores), labels, rule=rule)
        stays += found.terms[0].place == 0
        assert max(term.weight for term in found.terms) == 1.0
    assert stays >= 29


def test_a_candidate_that_is_clearly_better_is_chosen() -> None:
    for draw in range(10):
        rng = np.random.default_rng(draw)
        scores, labels = noise_around(rng, networks=30, candidates=10)
        better = np.concatenate([scores[:, 1:], labels[None, None] + 0.3 * rng.normal(size=(1, 1, 30))], axis=1)
        assert [term.place for term in decide(better, labels, rule=Rule.CHOOSE).terms] == [9]


@pytest.mark.parametrize("networks", [10, 20])
def test_the_expectation_holds_on_other_networks(networks: int) -> None:
    covered, errors, naive = [], [], []
    for draw in range(100):
        scores, labels = made_family(np.random.default_rng(draw), networks=networks + 300, candidates=25)
        seen, rest = slice(networks), slice(networks, None)
        found = decide(scores[:, :, seen], labels[seen], rule=Rule.CHOOSE, seed=draw)
        true = kendall_tau(scores[0, found.terms[0].place, rest], labels[rest])
        covered.append(found.expected.low <= true <= found.expected.high)
        errors.append(found.expected.tau - true)
        best = int(found.taus.argmax())
        naive.append(found.taus[best] - kendall_tau(scores[0, best, rest], labels[rest]))
    assert np.mean(covered) >= 0.9  # of intervals of 95 %
    assert -0.1 < np.mean(errors) < 0.03 < np.mean(naive)  # choices of fewer labels: rather too low


def test_what_is_expected_of_one_candidate_is_its_tau() -> None:
    scores, labels = made_family(np.random.default_rng(5), networks=40, candidates=2)
    found = decide(scores, labels)
    assert found.general.tau == pytest.approx(kendall_tau(scores[0, 0], labels), abs=0.03)
    assert -1 < found.general.low < found.general.tau < found.general.high < 1


def test_the_seed_moves_the_expectation_alone() -> None:
    scores, labels = made_family(np.random.default_rng(6), networks=20, candidates=5)
    first, again, other = (decide(scores, labels, seed=seed) for seed in (0, 0, 1))
    assert (first.terms, first.expected, first.general) == (again.terms, again.expected, again.general)
    assert first.terms == other.terms and first.expected != other.expected


def test_nothing_is_expected_where_no_split_has_labels_to_choose_by() -> None:
    found = expect(lambda unseen: None, np.ones((10, 10), np.int8))
    assert np.isnan([found.tau, found.low, found.high]).all()


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="unknown rule 'wiegh' \\(did you mean weigh"):
        decide(np.ones((1, 2, 10)), np.arange(10.0), rule="wiegh")
