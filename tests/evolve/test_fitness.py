"""Scores of formulas over several tasks."""

from __future__ import annotations

import numpy as np
import pytest

from zcproxy.columns.table import ColumnTable, joined
from zcproxy.correlation import PairwiseTau
from zcproxy.evolve.fitness import WORST, FitnessFunction
from zcproxy.formula import Blocks, Node
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


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_score_beyond_1e30_is_refused(sign: float) -> None:
    counts, labels = np.ones(8, np.int64), np.arange(8.0)
    for largest, outcome in ((9e29, Outcome.OK), (2e30, Outcome.UNDEFINED)):
        values = {NETWORK: sign * np.geomspace(1.0, largest, 8)}
        score = FitnessFunction([ColumnTable(counts, values)], [sign * labels])(NETWORK)
        assert score.outcome is outcome
        assert score.worst == (1.0 if outcome is Outcome.OK else WORST)


def test_a_taken_and_joined_table_has_the_blocks_of_its_networks() -> None:
    column, counts = parse("mean_abs(block@noise)"), np.array([2, 1, 3, 2])
    blocks = Blocks(np.array([2, 0, 3, 1]), np.array([0, 1, -1, 0, 2, 1]))
    table = ColumnTable(counts, {column: np.arange(6.0)}, blocks=blocks)
    both = joined([table.take(np.array([3, 2])), table.take(np.array([1, 0]))])
    assert both.blocks is not None
    assert both.counts.tolist() == [2, 3, 1, 2] and both.blocks.counts.tolist() == [1, 3, 0, 2]
    assert both.blocks.layers.tolist() == [1, -1, 0, 2, 0, 1]
    assert both.values[column].tolist() == [5.0, 2.0, 3.0, 4.0, 0.0, 1.0]
    sums = Evaluator(both.counts, both.values, both.blocks)(parse("sum(mean_abs(block@noise))"))
    np.testing.assert_array_equal(sums, [5.0, 9.0, np.nan, 1.0])
    labels = np.arange(4.0)
    score = FitnessFunction([table, table], [labels, labels])(parse("nansum(mean_abs(block@noise))"))
    assert score.outcome is Outcome.UNDEFINED
