"""Taus and their errors, against direct computations."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from adapting.worlds import made_family

from zcproxy.adapting.agreement import Agreement, jackknife_covariance, null_covariance, null_variance
from zcproxy.correlation import kendall_tau
from zcproxy.errors import BenchmarkError

RNG = np.random.default_rng(3)


def test_taus_are_kendalls() -> None:
    scores, labels = made_family(RNG, networks=23, candidates=4)
    found = Agreement(scores, labels).evidence()
    assert found.taus == pytest.approx([kendall_tau(each, labels) for each in scores[0]])
    assert found.networks == 23


def test_likeness_is_the_tau_between_candidates() -> None:
    scores, labels = made_family(RNG, networks=15, candidates=3)
    wanted = [[kendall_tau(first, second) for second in scores[0]] for first in scores[0]]
    assert Agreement(scores, labels).evidence().likeness == pytest.approx(np.array(wanted))


def test_networks_left_out_play_no_part() -> None:
    scores, labels = made_family(RNG, networks=17, candidates=3)
    unseen = np.array([2, 5, 16])
    found = Agreement(scores, labels).without(unseen)
    rest = np.delete(np.arange(17), unseen)
    alone = Agreement(scores[:, :, rest], labels[rest]).evidence()
    assert found is not None and found.networks == 14
    assert found.taus == pytest.approx(alone.taus)


def test_nothing_is_left_where_the_other_labels_are_equal() -> None:
    scores = RNG.normal(size=(1, 2, 5))
    assert Agreement(scores, np.array([1.0, 2.0, 5.0, 5.0, 5.0])).without(np.array([0, 1])) is None


def test_ties_tell_nothing_apart() -> None:
    scores = np.array([[[1.0, 1.0, 2.0, np.nan], [0.0, 1.0, 2.0, 3.0]]])
    found = Agreement(scores, np.array([1.0, 2.0, 2.0, 0.0])).evidence()
    # Five pairs have different labels. NaN ranks worst, the pair of equal scores counts for nothing.
    assert found.taus == pytest.approx([4 / 5, (2 - 3) / 5])


def test_taus_are_means_over_initialisations() -> None:
    first, labels = made_family(RNG, networks=12, candidates=2)
    second = first + RNG.normal(size=first.shape)
    found = Agreement(np.concatenate([first, second]), labels).evidence().taus
    apart = [Agreement(each, labels).evidence().taus for each in (first, second)]
    assert found == pytest.approx(np.mean(apart, axis=0))


def test_the_jackknife_leaves_each_network_out() -> None:
    scores, labels = made_family(RNG, networks=11, candidates=3)
    signs = np.sign(scores[0][:, :, None] - scores[0][:, None, :]) * np.sign(labels[:, None] - labels)
    left_out = np.array(
        [[kendall_tau(np.delete(each, place), np.delete(labels, place)) for place in range(11)] for each in scores[0]]
    )
    found = jackknife_covariance(signs.sum(axis=2), np.full(11, 10.0))
    assert found == pytest.approx(np.cov(left_out, bias=True) * 10)


def test_the_null_covariance_is_that_of_all_orders_of_the_labels() -> None:
    scores = RNG.normal(size=(3, 6))
    taus = np.array([[kendall_tau(each, order) for each in scores] for order in permutations(range(6))])
    orders = np.sign(scores[:, :, None] - scores[:, None, :])
    shared = (orders[:, None] * orders[None]).sum(axis=(2, 3)) / 2
    assert null_covariance(shared, orders.sum(axis=2), 6) == pytest.approx(np.cov(taus.T, bias=True))
    assert null_variance(6) == pytest.approx(taus[:, 0].var())


def test_labels_are_checked() -> None:
    with pytest.raises(BenchmarkError, match="all 4 labels equal 5"):
        Agreement(np.ones((1, 2, 4)), np.full(4, 5.0))
    with pytest.raises(BenchmarkError, match="do not pair with 4 labels"):
        Agreement(np.ones((1, 2, 5)), np.arange(4.0))
