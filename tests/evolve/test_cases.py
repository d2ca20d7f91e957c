"""What counts beside tau, against the plain measures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from zcproxy.correlation import PairwiseTau, kendall_tau, partial_spearman
from zcproxy.evolve.cases import CASES, LEAST_IN_TOP

NETWORKS = 120
scores = arrays(np.float64, NETWORKS, elements=st.integers(-20, 20).map(float))
RNG = np.random.default_rng(0)
LABELS, PARAMS, MACS = RNG.normal(size=NETWORKS), RNG.integers(1, 30, NETWORKS) * 1.0, RNG.permutation(NETWORKS) * 1.0


def or_zero(value: float) -> float:
    return 0.0 if np.isnan(value) else value


def tau_of(values: np.ndarray, labels: np.ndarray) -> float:
    """Return tau with equal scores as half wrong, 0 where all are equal."""
    return or_zero(PairwiseTau(labels, credit_ties=False)(values))


@given(scores)
def test_given_params_is_the_partial_correlation(values: np.ndarray) -> None:
    found = CASES["partial"](LABELS, PARAMS, MACS)(values)
    assert found == pytest.approx(or_zero(partial_spearman(values, LABELS, PARAMS)), abs=1e-9)


@given(scores)
def test_bands_hold_networks_of_like_cost(values: np.ndarray) -> None:
    bands = np.argsort(MACS).reshape(5, 24)
    expected = np.mean([tau_of(values[band], LABELS[band]) for band in bands])
    assert CASES["bands"](LABELS, PARAMS, MACS)(values) == pytest.approx(expected)


@given(scores)
def test_the_top_is_that_of_the_labels(values: np.ndarray) -> None:
    best = np.argsort(LABELS)[-LEAST_IN_TOP:]
    expected = tau_of(values[best], LABELS[best])
    assert CASES["top"](LABELS, PARAMS, MACS)(values) == pytest.approx(expected)


def test_the_cost_of_a_network_earns_nothing() -> None:
    assert CASES["partial"](LABELS, PARAMS, MACS)(PARAMS) == 0.0
    stepped = np.floor(MACS / 24)
    assert CASES["bands"](LABELS, PARAMS, MACS)(stepped) == 0.0


def test_few_networks_are_one_band_and_all_top() -> None:
    few = slice(0, 15)
    labels, macs = LABELS[few], MACS[few]
    values = RNG.normal(size=15)
    for name in ("bands", "top"):
        assert CASES[name](labels, PARAMS[few], macs)(values) == pytest.approx(kendall_tau(values, labels))


def test_labels_that_are_equal_in_the_top_or_a_band_tell_nothing() -> None:
    labels = np.concatenate([np.zeros(40), np.ones(40)])
    macs = np.arange(80.0)
    values = RNG.normal(size=80)
    assert CASES["top"](labels, macs, macs)(values) == 0.0
    assert CASES["bands"](labels, macs, macs)(values) == 0.0
