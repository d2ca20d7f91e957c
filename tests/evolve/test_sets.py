"""Sets of formulas whose ranks are joined: what they compute, how they evolve, and the files they leave."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

from zcproxy import load_proxy
from zcproxy.columns.standard import standard_columns
from zcproxy.columns.table import ColumnTable
from zcproxy.correlation import PairwiseTau
from zcproxy.correlation.ranks import mean_ranks
from zcproxy.errors import ConfigurationError, FormulaError
from zcproxy.evolve import Configuration, Limits, evolve, primitive_set
from zcproxy.evolve.fitness import FitnessFunction
from zcproxy.formula import Kind, Node
from zcproxy.formula.canonical import canonical
from zcproxy.formula.choices import number_choices
from zcproxy.formula.evaluate import Evaluator, Outcome
from zcproxy.formula.variation import crossover, mutate
from zcproxy.names.proxies import resolve_proxy
from zcproxy.names.scorers import resolve_scorer
from zcproxy.primitives import parse
from zcproxy.proxy.aggregate import Aggregate

RNG = np.random.default_rng(3)
SIZE, COST = parse("total_params"), parse("total_macs")
SET = parse("log_ranks(total_params, total_macs)")


def drawn(networks: int) -> ColumnTable:
    values: dict[Node, np.ndarray] = {SIZE: RNG.normal(size=networks), COST: RNG.normal(size=networks)}
    return ColumnTable(np.ones(networks, np.intp), values)


def summed_log_ranks(table: ColumnTable) -> np.ndarray:
    shares = [mean_ranks(np.asarray(table.values[column], np.float64)) / len(table.counts) for column in (SIZE, COST)]
    return np.log(shares).sum(axis=0)


def test_ranks_are_those_among_the_networks_of_each_task() -> None:
    tables = [drawn(20), drawn(35)]
    labels = [RNG.normal(size=len(table.counts)) for table in tables]
    found = FitnessFunction(tables, labels)(SET)
    expected = [
        PairwiseTau(values, credit_ties=False)(summed_log_ranks(table))
        for table, values in zip(tables, labels, strict=True)
    ]
    assert found.correlations == pytest.approx(expected)


def test_the_evaluator_ranks_all_its_networks() -> None:
    table = drawn(12)
    np.testing.assert_allclose(Evaluator(table.counts, table.values)(SET), summed_log_ranks(table))
    plain = Evaluator(table.counts, table.values)(parse("ranks(total_params, total_macs, total_macs)"))
    shares = {column: mean_ranks(table.values[column]) / 12 for column in (SIZE, COST)}
    np.testing.assert_allclose(plain, shares[SIZE] + 2 * shares[COST])


def test_a_member_that_is_undefined_or_constant_makes_the_set_so() -> None:
    table, labels = drawn(10), RNG.normal(size=10)
    fitness = FitnessFunction([table], [labels])
    assert fitness(parse("log_ranks(total_params, total_macs / 0)")).outcome is Outcome.UNDEFINED
    assert fitness(parse("log_ranks(total_params, total_macs - total_macs)")).outcome is Outcome.CONSTANT
    assert fitness(canonical(parse("ranks(2, 3)"))).outcome is Outcome.CONSTANT


def test_the_order_of_members_does_not_matter() -> None:
    assert canonical(parse("ranks(total_params, total_macs)")) == canonical(parse("ranks(total_macs, total_params)"))


@pytest.mark.parametrize(
    "text", ["sum(log_ranks(total_params, total_macs))", "ranks(total_params)", "ranks(params, macs)"]
)
def test_a_set_is_the_root_and_joins_two_to_four_formulas(text: str) -> None:
    with pytest.raises(FormulaError, match="does not take"):
        parse(text)


def test_sets_stay_sets_through_variation() -> None:
    choices, rng = number_choices(standard_columns(("noise",))), Random(4)
    sizes = set()
    first, second = (choices.generate(Kind.RANKING, rng, 4) for _ in range(2))
    for _ in range(600):
        first, second = mutate(crossover(first, second, rng), choices, rng), first
        assert first.kind is Kind.RANKING
        assert parse(first.text) == first
        assert all(member.kind is Kind.NETWORK for member in first.arguments)
        sizes.add((first.symbol, len(first.arguments)))
        if first.size > 60:
            first = choices.generate(Kind.RANKING, rng, 3)
    assert sizes == {(name, count) for name in ("ranks", "log_ranks") for count in (2, 3, 4)}


def test_a_run_of_sets(small: Configuration, column_cache: Path, tmp_path: Path) -> None:
    start = ("total_params", "mean(log(params))", "total_macs")
    configuration = replace(small, form="ranks", start_from=start, invariance=("initialisation",))
    halls = []
    for workers in (1, 2):
        out = tmp_path / str(workers)
        result = evolve(configuration, Limits(generations=4), out, workers=workers, cache=column_cache)
        halls.append(json.loads((out / "checkpoint.json").read_text())["hall"])
    assert halls[0] == halls[1]
    assert all(parse(text).kind is Kind.RANKING for text in halls[0].values())
    best = out / "best.json"
    assert load_proxy(best).formula == result.chosen.formula
    scorer = resolve_scorer(str(best))
    assert isinstance(scorer, Aggregate)
    assert [member.formula for member in scorer.members] == list(result.chosen.formula.arguments)
    with pytest.raises(ConfigurationError, match="sums ranks of several proxies"):
        resolve_proxy(str(best))


def test_scores_of_a_file_are_those_that_were_tested(small: Configuration, column_cache: Path, tmp_path: Path) -> None:
    configuration = replace(small, form="ranks", test_networks=12)
    result = evolve(configuration, Limits(generations=2), tmp_path / "run", cache=column_cache)
    (tested,) = result.test.values()
    assert -1 <= tested.tau <= 1
    primitives = primitive_set([SIZE, COST], root=Kind.RANKING)
    assert primitives.ret.__name__ == "Ranking"
    with pytest.raises(FormulaError, match="sums ranks of several formulas"):
        load_proxy(tmp_path / "run" / "best.json")(None, None)  # type: ignore[arg-type]
