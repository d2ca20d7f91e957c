"""Crossovers and mutations: trees of the same kind, within the limits, and random numbers of the island alone."""

from __future__ import annotations

import random
from random import Random

import numpy as np
import pytest

from zcproxy.columns.standard import standard_columns
from zcproxy.columns.table import ColumnTable
from zcproxy.evolve import Individual, limits, primitive_set, tree_of
from zcproxy.evolve.deap.operators import CROSSOVERS, MUTATIONS, size_of
from zcproxy.evolve.deap.primitives import TYPES, PrimitiveSet, check_tree
from zcproxy.evolve.deap.randomness import lent_to
from zcproxy.evolve.deap.selection import SELECTIONS, SURVIVORS
from zcproxy.evolve.deap.toolbox import Operators, make_toolbox
from zcproxy.evolve.fitness import Fitness, FitnessFunction
from zcproxy.evolve.island import Epoch, EpochResult
from zcproxy.formula import Kind, Node
from zcproxy.primitives import parse

COLUMNS = standard_columns(("noise",))
PRIMITIVES = primitive_set(COLUMNS, maximum_size=25)
POOR = {
    "without leaves of the network": primitive_set(["params", "macs"], without=("constants",)),
    "without leaves of layers": primitive_set(["total_params", "depth"]),
    "of one column": primitive_set(["params"], without=("constants", "add", "log")),
}


def unscored(formula: Node) -> Fitness:
    raise AssertionError(f"{formula} was scored")


def changed(primitives: PrimitiveSet, operators: Operators, count: int) -> list[tuple[Individual, Individual]]:
    """Return pairs of a formula and what the operators make of it."""
    toolbox = make_toolbox(primitives, operators, unscored)
    pairs = []
    with lent_to(Random(5)):
        while len(pairs) < count:
            first, second = toolbox.individual(), toolbox.individual()
            if max(map(size_of, (first, second))) > primitives.maximum_size:
                continue
            child = toolbox.mate(first.copied(), second.copied())[0]
            pairs += [(first, child), (first, toolbox.mutate(first.copied())[0])]
    return pairs


@pytest.mark.parametrize("crossover", CROSSOVERS)
@pytest.mark.parametrize("mutation", MUTATIONS)
def test_children_are_formulas_within_the_limits(crossover: str, mutation: str) -> None:
    pairs = changed(PRIMITIVES, Operators(crossover, (mutation,)), 300)
    for _, child in pairs:
        assert check_tree(child, PRIMITIVES).kind is Kind.NETWORK
        assert size_of(child) <= 25
    assert sum(parent.formula != child.formula for parent, child in pairs[::2]) > 10
    assert sum(parent.formula != child.formula for parent, child in pairs[1::2]) > 10


@pytest.mark.parametrize("name", POOR)
@pytest.mark.parametrize("mutation", MUTATIONS)
def test_operators_do_without_leaves_of_a_kind(name: str, mutation: str) -> None:
    for _, child in changed(POOR[name], Operators("onepoint", (mutation,)), 200):
        check_tree(child, POOR[name])


def test_generation_never_fails_where_that_of_deap_does() -> None:
    primitives = POOR["without leaves of the network"]
    toolbox = make_toolbox(primitives, Operators(), unscored)
    kinds = [kind for kind in Kind if primitives.choices.least_depth[kind] < 10]
    for kind in kinds:
        for _ in range(300):
            assert check_tree(toolbox.expr(pset=primitives, type_=TYPES[kind]), primitives, kind).kind is kind
    assert kinds == [Kind.LAYER, Kind.STAGE, Kind.NETWORK]


def test_what_is_too_large_becomes_a_parent() -> None:
    primitives = primitive_set(COLUMNS, maximum_size=6)
    parent = tree_of("sum(log(params))", primitives)
    grow = tree_of("sum(log(params)) + sum(log(macs)) + sum(log(channels))", primitive_set(COLUMNS))
    mutate = limits(primitives)[0](lambda individual: (grow.copied(),))
    assert [str(each) for each in mutate(parent)] == [str(parent)]
    small = limits(primitive_set(COLUMNS, maximum_size=20))[0](lambda individual: (grow.copied(),))
    assert [str(each) for each in small(parent)] == [str(grow)]


def test_deep_formulas_are_limited_where_they_may_be_large() -> None:
    deep = "total_params"
    for _ in range(99):
        deep = f"log({deep})"
    primitives = primitive_set(COLUMNS, maximum_size=1000)
    deeper = tree_of(parse(deep), primitives)
    list.__setitem__(deeper, slice(0, 0), [deeper[0]] * 2)
    deeper.forget()
    mutate = limits(primitives)[1](lambda individual: (deeper,))
    assert [str(each) for each in mutate(tree_of("depth", primitives))] == ["depth"]


def test_several_mutations_are_all_made() -> None:
    shrunk = grown = 0
    for parent, child in changed(PRIMITIVES, Operators(mutation=("mutInsert", "mutShrink")), 400)[1::2]:
        grown += child.formula.size > parent.formula.size
        shrunk += child.formula.size < parent.formula.size
    assert grown > 30 and shrunk > 10


def test_mut_ephemeral_draws_numbers_that_were_parsed() -> None:
    toolbox = make_toolbox(PRIMITIVES, Operators(mutation=("mutEphemeral",)), unscored)
    parent = tree_of("total_params * 2.0", PRIMITIVES)
    with lent_to(Random(0)):
        child = toolbox.mutate(parent.copied())[0]
    assert str(parent) == "total_params * 2.0" != str(child)
    assert child.formula.arguments[0] == parent.formula.arguments[0] and child.formula.arguments[1].is_constant


def epoch_of(operators: Operators, size: int = 30, primitives: PrimitiveSet | None = None) -> EpochResult:
    rng = np.random.default_rng(0)
    columns = [parse(text) for text in ("params", "macs", "total_params", "depth")]
    counts = np.full(30, 4)
    values = {each: rng.uniform(1.0, 9.0, 120 if each.kind is Kind.LAYER else 30) for each in columns}
    scorer = FitnessFunction([ColumnTable(counts, values)], [rng.normal(size=30)])
    primitives = primitives or primitive_set(columns, maximum_size=15)
    return Epoch(scorer, primitives, Random(7), operators).evolve([], size, 3)


@pytest.mark.parametrize(
    "operators",
    [
        *(Operators(selection=name) for name in SELECTIONS),
        *(Operators(survivors=name) for name in SURVIVORS),
        *(Operators(crossover=name) for name in CROSSOVERS),
        Operators("onepoint", tuple(MUTATIONS), "epsilon-lexicase", "nsga3"),
    ],
    ids=str,
)
def test_whatever_the_caller_drew_the_epoch_is_the_same_and_leaves_no_trace(operators: Operators) -> None:
    found = []
    for seed in (1, 2):
        random.seed(seed)
        np.random.seed(seed)
        before = random.getstate()
        numbers = np.random.get_state()
        result = epoch_of(operators)
        assert random.getstate() == before
        assert all(np.array_equal(one, other) for one, other in zip(numbers, np.random.get_state(), strict=True))
        found.append([*map(str, result.population), *(str(formula) for formula, _ in result.best.values())])
    assert found[0] == found[1]
    assert len(found[0]) > 10


def test_the_caller_s_state_is_as_before_after_an_exception() -> None:
    before = random.getstate()
    island = Random(3)
    drawn = []

    def fail() -> None:
        with lent_to(island):
            drawn.append(random.random())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert random.getstate() == before
    other = Random(3)
    other.getrandbits(32)
    assert drawn == [other.random()] and island.random() == other.random()


def test_the_logbook_has_every_generation() -> None:
    result = epoch_of(Operators())
    assert len(result.logbook) == 3
    for record in result.logbook:
        assert record["merit"]["least"] <= record["merit"]["mean"] <= record["merit"]["most"] <= 1.0
        assert 1 <= record["size"]["least"] <= record["size"]["most"] <= 15
    assert result.logbook[-1]["merit"]["most"] >= result.logbook[0]["merit"]["most"]
