from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest

from zcproxy.correlation import Correlation, correlate, kendall_tau, spearman_rho
from zcproxy.errors import BenchmarkError


@pytest.fixture(scope="module")
def noisy():
    rng = np.random.default_rng(0)
    labels, noise = rng.normal(size=(2, 60))
    scores = labels + noise
    scores[5] = math.nan
    return scores, labels


@pytest.fixture(scope="module")
def correlation(noisy):
    return correlate(*noisy, task="nasbench201/cifar10", population="pruned")


def test_holds_the_measures_with_their_intervals(noisy, correlation):
    scores, labels = noisy
    assert correlation.tau == kendall_tau(scores, labels)
    assert correlation.spearman == spearman_rho(scores, labels)
    assert math.isnan(correlation.tau_top_decile)  # of six networks; `test_table` has larger ones
    assert correlation.tau_low < correlation.tau < correlation.tau_high
    assert correlation.spearman_low < correlation.spearman < correlation.spearman_high
    assert (correlation.networks, correlation.undefined) == (60, 1)


def test_is_repeatable_and_the_seed_moves_the_intervals_alone(noisy, correlation):
    assert correlate(*noisy, task="nasbench201/cifar10", population="pruned") == correlation
    other = correlate(*noisy, task="nasbench201/cifar10", population="pruned", seed=1)
    assert other.tau == correlation.tau
    assert (other.tau_low, other.tau_high) != (correlation.tau_low, correlation.tau_high)


def test_as_dict_is_strict_json_in_the_order_of_the_attributes(correlation):
    assert list(correlation.as_dict()) == [field.name for field in dataclasses.fields(Correlation)]
    undefined = correlate(np.ones(20), np.arange(20.0), task="t", population="p").as_dict()
    assert undefined["tau"] is undefined["tau_low"] is undefined["tau_top_decile"] is None
    assert json.loads(json.dumps(undefined, allow_nan=False)) == undefined


def test_cannot_be_changed(correlation):
    with pytest.raises(dataclasses.FrozenInstanceError):
        correlation.tau = 1.0


def test_equal_labels_are_an_error():
    with pytest.raises(BenchmarkError, match="all 3 labels equal"):
        correlate([1, 2, 3], [4, 4, 4], task="t", population="p")
