"""Scores of formulas over several tasks."""

from __future__ import annotations

import numpy as np
import pytest

from zcproxy.columns.table import ColumnTable, joined
from zcproxy.correlation import PairwiseTau
from zcproxy.evolve.fitness import WORST, FitnessFunction
from zcproxy.formula import (
    Node,
)
from zcproxy.formula.evaluate import Evaluator, Outcome
from zcproxy.formula.layers import RaggedLayers
from zcproxy.primitives import parse

LAYER, NETWORK, MACS = parse("params"), parse("total_params"), parse("total_macs")
RNG = np.random.default_rng(1)


def drawn_table(networks: int) -> ColumnTable:
    counts = RNG.integers(0 if networks > 3 else 1, 6, networks)
    values: dict[Node, np.ndarray] = {
        LAYER: RNG.uniform(-1.0, 2.0, counts.sum()),
        NETWORK: RNG.uniform(size=networks),
        MACS: RNG.uniform(size=networks),
    }
    return ColumnTable(counts, values)


SIZES = (30, 20, 25)
TABLES = [drawn_table(size) for size in SIZES]
LABELS = [RNG.normal(size=size) for size in SIZES]


def test_each_task_has_the_tau_of_its_own_networks() -> None:
    formula = parse("mean(abs(params)) + total_params")
    score = FitnessFunction(TABLES, LABELS)(formula)
    alone = [Evaluator(table.counts, table.values)(formula) for table in TABLES]
    expected = [PairwiseTau(labels, credit_ties=False)(values) for values, labels in zip(alone, LABELS, strict=True)]
    assert score.correlations == pytest.approx(expected)
    assert score.worst == min(score.correlations)
    assert score.mean == pytest.approx(np.mean(expected))
    assert score.merit == pytest.approx((score.worst + score.mean) / 2)


def test_tasks_of_one_goal_count_as_one() -> None:
    formula = parse("total_params")
    score = FitnessFunction(TABLES, LABELS, goals=("a", "b", "a"))(formula)
    first, second, third = score.correlations
    assert score.cases == pytest.approx(((first + third) / 2, second))
    assert score.worst == min(score.cases)
    assert score.mean == pytest.approx(sum(score.cases) / 2)


def test_further_cases_count_for_the_mean_and_not_for_the_worst() -> None:
    formula = parse("total_params")
    plain = FitnessFunction(TABLES, LABELS)(formula)
    score = FitnessFunction(TABLES, LABELS, cases=("partial", "top"))(formula)
    assert score.worst == plain.worst
    assert score.cases[:3] == plain.cases
    assert score.cases[3:6] == (0.0, 0.0, 0.0)  # nothing beyond params
    assert score.mean == pytest.approx(np.mean(score.cases))


def test_a_formula_undefined_on_one_task_is_worst_there_alone() -> None:
    tables = [*TABLES[:2], TABLES[2].take(np.arange(len(TABLES[2].counts)))]
    broken = dict(tables[2].values)
    broken[NETWORK] = np.full(SIZES[2], np.nan)
    score = FitnessFunction([*tables[:2], ColumnTable(tables[2].counts, broken)], LABELS)(parse("total_params"))
    assert score.outcome is Outcome.UNDEFINED
    assert score.correlations[2] == score.worst == WORST
    assert min(score.correlations[:2]) > WORST


def test_constant_scores_of_a_task_are_worst() -> None:
    score = FitnessFunction(TABLES, LABELS)(parse("total_params * 0.0"))
    assert score.outcome is Outcome.CONSTANT
    assert score.correlations == (WORST,) * 3


def test_a_taken_and_joined_table_has_the_layers_of_its_networks() -> None:
    table = TABLES[0]
    order = RNG.permutation(SIZES[0])
    sums = RaggedLayers(table.counts).sum(np.asarray(table.values[LAYER]))
    taken = table.take(order)
    np.testing.assert_array_equal(RaggedLayers(taken.counts).sum(np.asarray(taken.values[LAYER])), sums[order])
    np.testing.assert_array_equal(taken.values[NETWORK], table.values[NETWORK][order])
    halves = joined([table.take(order[:9]), table.take(order[9:])])
    np.testing.assert_array_equal(halves.values[LAYER], taken.values[LAYER])
    np.testing.assert_array_equal(halves.counts, taken.counts)
