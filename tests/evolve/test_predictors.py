"""Predictors trained on columns: what they see, and that they learn from every goal."""

from __future__ import annotations

import numpy as np
import pytest

from zcproxy.columns.table import ColumnTable
from zcproxy.correlation import kendall_tau
from zcproxy.evolve.predictors import features_of, fit, untrained_predictors
from zcproxy.formula import Blocks, Node
from zcproxy.primitives import parse

LAYER, NETWORK, BLOCK = parse("params"), parse("depth"), parse("mean_abs(block@noise)")


def drawn_table(networks: int, seed: int, scale: float) -> ColumnTable:
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 6, networks)
    values: dict[Node, np.ndarray] = {
        LAYER: (scale * rng.uniform(size=counts.sum())).astype(np.float32),
        NETWORK: scale * rng.uniform(size=networks),
    }
    return ColumnTable(counts, values)


def test_features_are_ranks_of_sums_means_and_numbers() -> None:
    table = ColumnTable(np.array([2, 1]), {LAYER: np.array([1.0, 2.0, 2.5]), NETWORK: np.array([7.0, np.nan])})
    np.testing.assert_array_equal(features_of(table), [[1.0, 0.5, 0.5], [0.5, 1.0, 0.0]])


def test_features_of_blocks_are_ranks_of_sums_and_means_over_them() -> None:
    blocks = Blocks(np.array([3, 1]), np.array([0, 1, -1, 0]))
    table = ColumnTable(np.array([2, 1]), {BLOCK: np.array([1.0, 2.0, 2.0, 4.0])}, blocks=blocks)
    np.testing.assert_array_equal(features_of(table), [[1.0, 0.5], [0.5, 1.0]])


@pytest.mark.parametrize("name", ["additive model", "random forest"])
def test_what_is_learnt_holds_on_a_task_of_another_scale(name: str) -> None:
    tables = [drawn_table(80, 0, 1.0), drawn_table(80, 1, 1e6)]
    labels = [-features_of(table)[:, 2] * 3.0 + 90.0 for table in tables]
    predictors = untrained_predictors(0)
    fit(predictors, [features_of(table) for table in tables], labels, ["a", "b"])
    unseen = drawn_table(60, 2, 1e-9)
    found = predictors[name].predict(features_of(unseen))
    assert kendall_tau(found, -np.asarray(unseen.values[NETWORK])) > 0.8


def test_a_goal_weighs_as_much_as_another_with_more_networks() -> None:
    large, small = drawn_table(300, 3, 1.0), drawn_table(30, 4, 1.0)
    rising, falling = features_of(large)[:, 2], -features_of(small)[:, 2]
    features = [features_of(large), features_of(small)]
    one_goal, two_goals = untrained_predictors(0), untrained_predictors(0)
    fit(one_goal, features, [rising, falling], ["a", "a"])
    fit(two_goals, features, [rising, falling], ["a", "b"])
    unseen = drawn_table(60, 5, 1.0)
    taus = [
        kendall_tau(each["additive model"].predict(features_of(unseen)), np.asarray(unseen.values[NETWORK]))
        for each in (one_goal, two_goals)
    ]
    assert taus[0] > taus[1] + 0.1
