from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, strategies as st

from zcproxy.formula import Kind, Node, replace_at, vocabulary
from zcproxy.formula.choices import LARGEST_CONSTANT, Choices, number_choices, random_constant, tensor_choices
from zcproxy.formula.variation import (
    MUTATIONS,
    crossover,
    hoist,
    insert_operation,
    mutate,
    perturb_constant,
    places,
    replaced,
)
from zcproxy.primitives import parse

LEAVES = [Node(text, kind) for text, kind in vocabulary().leaves.items()]
STATISTICS = [leaf for leaf in LEAVES if not leaf.kind.is_number]
COLUMNS = [
    parse(text)
    for text in (
        "params",
        "path_share",
        "depth",
        "total_macs",
        "frobenius_norm(grad(weight)@noise)",
        "abs_dot(weight, grad(weight)@data)",
        "sum(mean(abs(grad(weight)@chunks)) / std(abs(grad(weight)@chunks)))",
        "logdet(layer_sum(sample_hamming(preactivation@data)))",
    )
]
TENSORS = tensor_choices(STATISTICS)
NUMBERS = number_choices(COLUMNS)
EVERYTHING = Choices(LEAVES, lambda _: True)
ALL = {"tensors": TENSORS, "numbers": NUMBERS, "everything": EVERYTHING}
REACHABLE = [(name, kind) for name, choices in ALL.items() for kind in Kind if choices.least_depth[kind] < math.inf]

seeds = st.integers(0, 2**32 - 1)


def is_typed(node: Node) -> bool:
    """Whether every node has the kind that the registry gives it."""
    for item in node.walk():
        kinds = tuple(child.kind for child in item.arguments)
        if item.arguments:
            known = vocabulary().primitives[item.symbol].signature(kinds)
            fits = known is not None and known.result is item.kind
        elif item.value is None:
            fits = vocabulary().leaves[item.symbol] is item.kind
        else:
            fits = item.kind is Kind.NETWORK and math.isfinite(item.value) and float(item.symbol) == item.value
        if not fits:
            return False
    return True


def depth_above(leaves: Choices, formula: Node) -> int:
    """Nodes on the longest path to a leaf of the choices, which may be a whole column."""
    if formula in leaves.leaves.get(formula.kind, ()):
        return 1
    return 1 + max((depth_above(leaves, child) for child in formula.arguments), default=0)


def column_parts(formula: Node) -> set[Node]:
    return set(formula.columns())


# Generation


@pytest.mark.parametrize(("name", "kind"), REACHABLE)
def test_generation_never_fails_at_any_depth_a_kind_can_have(name: str, kind: Kind) -> None:
    choices = ALL[name]
    least = int(choices.least_depth[kind])
    rng = Random(f"{name} {kind}")
    depths = set()
    for depth in range(least, least + 8):
        for _ in range(60):
            formula = choices.generate(kind, rng, depth)
            assert formula.kind is kind and is_typed(formula)
            depths.add(depth_above(choices, formula))
            assert max(depths) <= depth
    assert min(depths) == least
    assert len(depths) > 1 or not choices.operations.get(kind)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("kind", Kind)
def test_a_depth_that_no_tree_has_is_a_value_error(name: str, kind: Kind) -> None:
    choices = ALL[name]
    least = choices.least_depth[kind]
    for depth in range(-1, 30 if least == math.inf else int(least)):
        with pytest.raises(ValueError, match=f"no tree of kind {kind.value} has a depth of {depth} or less"):
            choices.generate(kind, Random(0), depth)


def test_the_least_depths_are_right() -> None:
    assert TENSORS.least_depth == {
        Kind.WEIGHTS: 1,
        Kind.WEIGHT_SAMPLES: 1,
        Kind.ACTIVATIONS: 1,
        Kind.SAMPLE_MATRIX: 1,
        Kind.CHANNEL_MATRIX: 2,
        Kind.NETWORK_MATRIX: 1,
        Kind.PATTERNS: 2,
        Kind.SPECTRUM: 2,
        Kind.LAYER: 2,
        Kind.STAGE: math.inf,
        Kind.NETWORK: 2,
        Kind.RANKING: math.inf,
    }
    numbers = {kind: depth for kind, depth in NUMBERS.least_depth.items() if depth < math.inf}
    assert numbers == {Kind.LAYER: 1, Kind.STAGE: 2, Kind.NETWORK: 1, Kind.RANKING: 2}


def test_a_kind_without_leaves_is_still_reached_through_others() -> None:
    only_filters = tensor_choices([parse("weight")])
    assert only_filters.least_depth[Kind.ACTIVATIONS] == only_filters.least_depth[Kind.NETWORK] == math.inf
    for seed in range(300):
        formula = only_filters.generate(Kind.LAYER, Random(seed), 2 + seed % 5)
        assert {node.symbol for node in formula.walk() if node.is_leaf} == {"weight"}


def test_without_columns_there_are_constants() -> None:
    empty = number_choices([])
    assert empty.least_depth[Kind.LAYER] == math.inf
    for seed in range(100):
        formula = empty.generate(Kind.NETWORK, Random(seed), 4)
        assert all(node.is_constant for node in formula.walk() if node.is_leaf)


@pytest.mark.parametrize(("name", "kind"), REACHABLE)
def test_the_same_seed_gives_the_same_formula(name: str, kind: Kind) -> None:
    choices = ALL[name]
    depth = int(choices.least_depth[kind]) + 4
    rows = [[str(choices.generate(kind, rng, depth)) for _ in range(10)] for rng in (Random(7), Random(7), Random(8))]
    assert rows[0] == rows[1]
    assert rows[0] != rows[2]


def test_every_primitive_and_leaf_is_drawn() -> None:
    rng = Random(0)
    seen = set()
    for _ in range(3000):
        seen.update(node.symbol for node in EVERYTHING.generate(Kind.NETWORK, rng, 8).walk())
    assert set(vocabulary().primitives) <= seen
    assert set(vocabulary().leaves) <= seen


@given(seeds)
def test_random_constants_are_short_and_moderate(seed: int) -> None:
    value = random_constant(Random(seed)).value
    assert value is not None
    assert 0.0099 < abs(value) <= 10.0
    assert float(f"{value:.3g}") == value


# Places in a tree


def numeric_nodes(node: Node) -> list[Node]:
    below = [] if node.is_column else node.arguments
    return [node, *(inner for child in below for inner in numeric_nodes(child))]


@given(seeds, st.booleans())
def test_places_are_those_of_prefix_order_and_replacing_them_works(seed: int, whole: bool) -> None:
    formula = EVERYTHING.generate(Kind.NETWORK, Random(seed), 6)
    found = places(formula, whole_columns=whole)
    expected = numeric_nodes(formula) if whole else list(formula.walk())
    assert [place.node for place in found] == expected
    marker = parse("weight")
    for index, place in enumerate(found):
        node = formula
        for step in place.path:
            node = node.arguments[step]
        assert node is place.node
        assert replaced(formula, place.path, node) == formula
        if not whole:
            assert replaced(formula, place.path, marker) == replace_at(formula, index, marker)
    with pytest.raises(IndexError):
        replace_at(formula, formula.size, marker)


# Variation keeps kinds, leaves parents alone, and is a function of its seed


def texts(*formulas: Node) -> list[tuple[str, int, int]]:
    return [(repr(formula), formula.size, hash(formula)) for formula in formulas]


@given(seeds, st.integers(1, 7), st.integers(1, 7), st.sampled_from([Kind.LAYER, Kind.NETWORK]))
def test_crossover(seed: int, first_depth: int, second_depth: int, kind: Kind) -> None:
    rng = Random(seed)
    first = NUMBERS.generate(kind, rng, first_depth)
    second = NUMBERS.generate(rng.choice([Kind.LAYER, Kind.NETWORK]), rng, second_depth)
    before = texts(first, second)
    child = crossover(first, second, Random(seed))
    assert texts(first, second) == before
    assert child.kind is first.kind and is_typed(child)
    assert child == crossover(first, second, Random(seed))
    assert column_parts(child) <= column_parts(first) | column_parts(second)


def test_crossover_of_formulas_without_a_common_kind_is_the_first() -> None:
    first, second = parse("depth"), parse("params")
    assert crossover(first, second, Random(0)) == first


def test_crossover_takes_from_both_parents() -> None:
    first, second = parse("sum(params) + depth"), parse("max(path_share) * total_macs")
    children = {str(crossover(first, second, Random(seed))) for seed in range(300)}
    assert "sum(path_share) + depth" in children
    assert "sum(params) + total_macs" in children
    assert str(second) in children


@given(seeds, st.integers(1, 7), st.sampled_from([Kind.LAYER, Kind.NETWORK]))
def test_mutation_of_numbers(seed: int, depth: int, kind: Kind) -> None:
    formula = NUMBERS.generate(kind, Random(seed), depth)
    before = texts(formula)
    child = mutate(formula, NUMBERS, Random(seed))
    assert texts(formula) == before
    assert child.kind is formula.kind and is_typed(child)
    assert child == mutate(formula, NUMBERS, Random(seed))
    assert column_parts(child) <= set(COLUMNS)


@given(seeds, st.integers(0, 5), st.sampled_from([kind for name, kind in REACHABLE if name == "tensors"]))
def test_mutation_of_tensors(seed: int, depth: int, kind: Kind) -> None:
    formula = TENSORS.generate(kind, Random(seed), int(TENSORS.least_depth[kind]) + depth)
    before = texts(formula)
    child = mutate(formula, TENSORS, Random(seed), whole_columns=False)
    assert texts(formula) == before
    assert child.kind is formula.kind and is_typed(child)
    assert child == mutate(formula, TENSORS, Random(seed), whole_columns=False)


@pytest.mark.parametrize("change", MUTATIONS, ids=lambda change: change.__name__)
def test_every_mutation_keeps_kinds_and_changes_something(change: Callable[[Node, Choices, Random], Node]) -> None:
    changed = 0
    for seed in range(400):
        rng = Random(seed)
        formula = NUMBERS.generate(rng.choice([Kind.LAYER, Kind.NETWORK]), rng, 1 + seed % 5)
        before = texts(formula)
        child = change(formula, NUMBERS, rng)
        assert texts(formula) == before
        assert child.kind is formula.kind and is_typed(child)
        assert column_parts(child) <= set(COLUMNS)
        changed += child != formula
    assert changed > 80


@pytest.mark.parametrize("change", MUTATIONS, ids=lambda change: change.__name__)
def test_a_mutation_without_choices_leaves_the_formula(change: Callable[[Node, Choices, Random], Node]) -> None:
    nothing = Choices([], lambda _: False, constants=False)
    for text in ("params", "weight", "depth", "log(depth)", "sum(params)"):
        formula = parse(text)
        child = change(formula, nothing, Random(0))
        assert child.kind is formula.kind and is_typed(child)


def test_mutation_with_whole_columns_never_changes_the_inside_of_one() -> None:
    column = parse("abs_dot(weight, grad(weight)@data)")
    formula = vocabulary().apply("sum", vocabulary().apply("log", column))
    only = number_choices([column])
    for seed in range(500):
        child = mutate(formula, only, Random(seed))
        assert set(child.columns()) <= {column}


def test_hoisting_makes_smaller_and_inserting_larger() -> None:
    formula = parse("log(depth + sum(params * 2))")
    for seed in range(50):
        assert hoist(formula, NUMBERS, Random(seed)).size < formula.size
        assert insert_operation(formula, NUMBERS, Random(seed)).size > formula.size


@given(seeds)
def test_numbers_do_not_outgrow_what_they_are_added_to(seed: int) -> None:
    rng, formula = Random(seed), parse("depth + 400000.0")
    for _ in range(40):
        formula = perturb_constant(formula, NUMBERS, rng)
        assert max(abs(node.value) for node in formula.walk() if node.value is not None) <= LARGEST_CONSTANT
