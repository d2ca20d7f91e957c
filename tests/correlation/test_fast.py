from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

from zcproxy.correlation import PairwiseTau, kendall_tau, spearman_rho
from zcproxy.correlation.fast import LARGEST_PAIRWISE


@pytest.mark.parametrize(
    "networks", [2, 3, 63, 64, 65, 128, 129, 300, 301, 1000, LARGEST_PAIRWISE, LARGEST_PAIRWISE + 1]
)
@pytest.mark.parametrize("label_digits", [0, 9])
@pytest.mark.parametrize("score_digits", [0, 9])
@pytest.mark.parametrize("undefined_share", [0, 0.2])
def test_equals_kendall_tau_at_every_word_boundary(networks, label_digits, score_digits, undefined_share):
    rng = np.random.default_rng(networks)
    labels = rng.normal(size=networks)
    scores = np.round(labels + rng.normal(size=networks), score_digits)
    scores[rng.random(networks) < undefined_share] = math.nan
    labels = np.round(labels, label_digits)
    if len(set(labels)) == 1:
        labels[0] += 1
    assert PairwiseTau(labels)(scores) == pytest.approx(kendall_tau(scores, labels), abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("networks", [9, 130, LARGEST_PAIRWISE + 1])
def test_ties_without_credit_are_worth_a_coin_toss(networks):
    rng = np.random.default_rng(networks)
    labels = np.round(rng.normal(size=networks), 1)
    scores = np.round(labels + rng.normal(size=networks), 0)
    scores[:2] = math.nan
    tossed = [kendall_tau(ranks_of(scores) + 1e-6 * rng.normal(size=networks), labels) for _ in range(400)]
    found = PairwiseTau(labels, credit_ties=False)(scores)
    assert found == pytest.approx(np.mean(tossed), abs=4 * np.std(tossed) / 20)
    assert found < kendall_tau(scores, labels)


def test_without_ties_nothing_changes():
    labels, scores = np.random.default_rng(1).normal(size=(2, 77))
    assert PairwiseTau(labels, credit_ties=False)(scores) == PairwiseTau(labels)(scores)


def ranks_of(scores):
    return np.where(np.isnan(scores), -1e3, scores)


def test_a_call_changes_neither_the_scores_nor_the_next_result():
    rng = np.random.default_rng(0)
    labels, scores, others = rng.normal(size=(3, 50))
    scores[3] = math.nan
    tau = PairwiseTau(labels)
    before, first = scores.copy(), tau(scores)
    tau(others)
    assert tau(scores) == first
    np.testing.assert_array_equal(scores, before)


def test_accepts_any_numeric_dtype_and_layout():
    labels = np.arange(10.0)
    scores = np.arange(20, dtype=np.float32)[::2]
    assert PairwiseTau(labels)(scores) == 1
    assert PairwiseTau(labels)(scores.astype(np.int8)) == 1


def test_survives_a_process_boundary():
    labels = np.random.default_rng(0).normal(size=70)
    tau = pickle.loads(pickle.dumps(PairwiseTau(labels)))
    assert tau(-labels) == -1


def test_spearman_of_many_networks_does_not_lose_precision():
    labels = np.arange(20_000.0)
    assert spearman_rho(labels, labels) == pytest.approx(1, abs=1e-12)
    assert spearman_rho(-labels, labels) == pytest.approx(-1, abs=1e-12)
