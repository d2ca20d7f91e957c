"""The choice by networks left out: splits, what they say of contenders, and what is promised."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from zcproxy.correlation import kendall_tau
from zcproxy.discovery.choice import PRICE, Choice, choose_contender
from zcproxy.discovery.contenders import largest_size, sizes_up_to
from zcproxy.discovery.few import few_labels_line
from zcproxy.discovery.splits import FOLDS, REPEATS, judge, splits_of

Array = NDArray[np.float64]


def _chosen(labels: Array, scores: dict[str, Array], sizes: list[int], seed: int = 0) -> Choice:
    unseen = [left_out for _, left_out in splits_of(len(labels), seed)]
    return choose_contender(judge(list(scores), [scores] * len(unseen), labels, unseen), sizes)


@pytest.mark.parametrize("networks", [16, 17, 24, 100])
def test_every_network_is_left_out_as_often(networks: int) -> None:
    splits = splits_of(networks, 3)
    assert len(splits) == FOLDS * REPEATS
    for seen, unseen in splits:
        assert sorted([*seen, *unseen]) == list(range(networks))
        assert abs(len(unseen) - networks / FOLDS) < 1
    counts = np.bincount(np.concatenate([unseen for _, unseen in splits]), minlength=networks)
    assert (counts == REPEATS).all()
    again, other = splits_of(networks, 3), splits_of(networks, 4)
    assert all(np.array_equal(one[1], two[1]) for one, two in zip(splits, again, strict=True))
    assert not all(np.array_equal(one[1], two[1]) for one, two in zip(splits, other, strict=True))


def test_taus_are_those_of_the_networks_left_out() -> None:
    rng = np.random.default_rng(0)
    labels = rng.normal(size=30)
    scores = {"general": labels + rng.normal(size=30), "other": rng.normal(size=30)}
    unseen = [left_out for _, left_out in splits_of(30, 0)]
    expected = np.mean([kendall_tau(scores["general"][part], labels[part]) for part in unseen])
    found = _chosen(labels, scores, [0, 5])
    assert found.taus["general"] == pytest.approx(expected)
    assert found.general.tau == pytest.approx(expected)


def test_a_formula_that_is_far_ahead_is_chosen_and_one_of_chance_is_not() -> None:
    ahead, chance = 0, 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        labels = rng.normal(size=30)
        general = labels + 2 * rng.normal(size=30)
        close = labels + 0.2 * rng.normal(size=30)
        ahead += _chosen(labels, {"general": general, "evolved": close}, [0, 10]).name == "evolved"
        noise = {f"noise {number}": rng.normal(size=30) for number in range(4)}
        chance += _chosen(labels, {"general": labels + rng.normal(size=30), **noise}, [0, 5, 5, 5, 5]).name != "general"
    assert ahead >= 19
    assert chance == 0


def test_of_formulas_as_good_the_smaller_is_chosen_and_more_labels_allow_more_nodes() -> None:
    rng = np.random.default_rng(1)
    for networks in (24, 200):
        labels = rng.normal(size=networks)
        general = rng.normal(size=networks)
        same = labels + 0.3 * rng.normal(size=networks)
        found = _chosen(labels, {"general": general, "large": same, "small": same.copy()}, [0, 30, 6])
        assert found.name == "small"
    assert [largest_size(labels, 30) for labels in (16, 24, 40, 60, 1000)] == [8, 12, 20, 30, 30]
    assert sizes_up_to(12) == [6, 12] and sizes_up_to(20) == [6, 12, 20] and sizes_up_to(6) == [6]
    assert PRICE * 30 / 24 > 10 * PRICE * 30 / 400


def test_the_promise_of_a_choice_among_many_of_chance_is_about_nothing() -> None:
    promised = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        labels = rng.normal(size=24)
        scores = {"general": rng.normal(size=24)} | {f"{number}": rng.normal(size=24) for number in range(8)}
        found = _chosen(labels, scores, [0] + [6] * 8, seed)
        promised.append((found.expected.tau, max(found.taus.values()), found.expected.low <= 0 <= found.expected.high))
    taus, best, covered = np.array(promised).T
    assert best.mean() > 0.15
    assert taus.mean() < best.mean() / 2
    assert covered.mean() >= 0.8


def test_few_labels_are_said_to_be_few() -> None:
    assert "24 labels are few" in few_labels_line(24) and "0.29" in few_labels_line(24)
    assert few_labels_line(100) == ""
