"""Aggregations over stages, paths and depth, against computation network by network and path by path."""

from __future__ import annotations

import math
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from zcproxy.columns.table import ColumnTable, joined
from zcproxy.evolve.fitness import FitnessFunction
from zcproxy.evolve.simplify import simplify
from zcproxy.formula import Blocks, Kind, vocabulary
from zcproxy.formula.canonical import canonical
from zcproxy.formula.choices import number_choices
from zcproxy.formula.connections import Connections, connections_of
from zcproxy.formula.evaluate import Evaluator
from zcproxy.formula.variation import crossover, mutate
from zcproxy.primitives import parse
from zcproxy.probing.cuts import CUT_DESCRIPTORS
from zcproxy.probing.stages import CHAIN_DESCRIPTORS, STAGE_DESCRIPTORS

X, Y, U = parse("params"), parse("macs"), parse("depth")
Edges = list[tuple[int, int]]
Network = tuple[list[int], Edges]
CONNECTED = {name for name, item in vocabulary().primitives.items() if item.connected}


def random_network(rng: Random, layers: int) -> Network:
    """A network whose layers and junctions read some of what comes before, with stages and a head behind pooling."""
    stages, stage = [], 0
    for _ in range(layers):
        stage += bool(stages) and rng.random() < 0.4
        stages.append(stage if rng.random() < 0.9 else -1)
    used = {each: place for place, each in enumerate(dict.fromkeys(each for each in stages if each >= 0))}
    order = list(range(layers))
    junctions = [layers + number for number in range(rng.randint(0, 3))]
    for junction in junctions:
        order.insert(rng.randint(0, len(order)), junction)
    names = {old: layers + place for place, old in enumerate(each for each in order if each >= layers)}
    order = [names.get(each, each) for each in order]
    edges: Edges = []
    for place, target in enumerate([*order, layers + len(junctions)]):
        before = [-1, *order[:place]]
        read = rng.choices(before[-3:], k=rng.randint(1, 3))
        edges += [(source, target) for source in read]
    return [used.get(each, -1) for each in stages], edges


def ways(edges: Edges, layers: int) -> list[list[int]]:
    """All paths from the input to the output, each as the layers along it."""
    output = edges[-1][1]
    found, stack = [], [(output, [])]
    while stack:
        target, path = stack.pop()
        for source, end in edges:
            if end == target:
                if source == -1:
                    found.append(path)
                else:
                    stack.append((source, [source, *path] if source < layers else path))
    return found


def evaluated(text: str, networks: list[Network], values: list[float], u: float = 1.0) -> list[float]:
    counts = np.array([len(stages) for stages, _ in networks])
    columns = {X: np.array(values), Y: np.ones(len(values)), U: np.full(len(networks), u)}
    return Evaluator(counts, columns, connections=connections_of(networks))(parse(text)).tolist()


def drawn(seed: int) -> tuple[list[Network], list[list[float]]]:
    rng = Random(seed)
    networks = [random_network(rng, rng.randint(0, 7)) for _ in range(rng.randint(1, 6))]
    return networks, [[rng.uniform(0.1, 3.0) for _ in stages] for stages, _ in networks]


def flat(rows: list[list[float]]) -> list[float]:
    return [value for row in rows for value in row]


PATHS = {
    "path_kernel": lambda paths: math.log(math.fsum(math.prod(path) for path in paths)),
    "bottleneck_path": lambda paths: max(min(path, default=math.inf) for path in paths),
    "heaviest_path": lambda paths: max(map(math.fsum, paths)),
}
INSIDE = {"sum": math.fsum, "mean": np.mean, "min": min, "max": max}


def test_every_connected_primitive_has_a_reference() -> None:
    assert {*PATHS, *(f"{place}_{name}" for place in ("stage", "body") for name in INSIDE)} == CONNECTED


@pytest.mark.parametrize("name", PATHS)
@settings(max_examples=60)
@given(st.integers(0, 10**9))
def test_paths_are_those_walked_one_by_one(name: str, seed: int) -> None:
    networks, rows = drawn(seed)
    expected = []
    for (stages, edges), row in zip(networks, rows, strict=True):
        paths = [[row[layer] for layer in path] for path in ways(edges, len(stages))]
        value = PATHS[name](paths) if stages else math.nan
        expected.append(value if math.isfinite(value) else math.nan)
    np.testing.assert_allclose(evaluated(f"{name}(params)", networks, flat(rows)), expected, rtol=1e-9)


@pytest.mark.parametrize("inside", INSIDE)
@settings(max_examples=30)
@given(st.integers(0, 10**9))
def test_stages_and_body_are_those_counted_one_by_one(inside: str, seed: int) -> None:
    networks, rows = drawn(seed)
    over_stages, body = [], []
    for (stages, _), row in zip(networks, rows, strict=True):
        groups = [
            [x for x, own in zip(row, stages, strict=True) if own == stage]
            for stage in range(max(stages, default=-1) + 1)
        ]
        over_stages.append(math.fsum(math.log(INSIDE[inside](group)) for group in groups) if groups else math.nan)
        body.append(INSIDE[inside]([x for group in groups for x in group]) if groups else math.nan)
    found = evaluated(f"sum(log(stage_{inside}(params)))", networks, flat(rows))
    np.testing.assert_allclose(found, over_stages, rtol=1e-9)
    np.testing.assert_allclose(evaluated(f"body_{inside}(params)", networks, flat(rows)), body, rtol=1e-9)


TWO_STAGES: Network = ([0, 0, 1, -1], [(-1, 0), (0, 1), (0, 2), (1, 2), (2, 3), (3, 4)])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mean(stage_sum(params))", (3 + 4) / 2),
        ("last(stage_mean(params)) / first(stage_mean(params))", 4 / 1.5),
        ("sum(stage_max(params) * stage_min(params) - depth)", 2 + 16 - 2 * 5),
        ("max(stage_sum(params) / body_sum(params))", 4 / 7),
        ("slope(stage_sum(params))", 1),
        ("weighted_mean(stage_sum(macs), stage_sum(params))", (2 * 3 + 1 * 4) / 7),
        ("body_min(params)", 1),
        ("min(0 - params)", -8),
        ("body_min(0 - params)", -4),
        ("path_kernel(params)", math.log(1 * 2 * 4 * 8 + 1 * 4 * 8)),
        ("path_kernel(macs)", math.log(2)),
        ("bottleneck_path(0 - params)", -8),
        ("bottleneck_path(params)", 1),
        ("heaviest_path(params)", 15),
        ("heaviest_path(0 - params)", -13),
        ("at_depth(params, 0)", 1),
        ("at_depth(params, 0.3)", 2),
        ("at_depth(params, 0.5)", 4),
        ("at_depth(params, 1)", 8),
        ("rising_mean(params)", (1 + 4 + 12 + 32) / 10),
        ("falling_mean(params)", (4 + 6 + 8 + 8) / 10),
    ],
)
def test_values_by_hand(text: str, expected: float) -> None:
    found = evaluated(text, [TWO_STAGES, ([], []), TWO_STAGES], [1.0, 2.0, 4.0, 8.0] * 2, u=5.0)
    np.testing.assert_allclose(found, [expected, math.nan, expected], rtol=1e-12)


@pytest.mark.parametrize("text", ["at_depth(params, -0.1)", "at_depth(params, 1.1)", "at_depth(params, log(0 - 1))"])
def test_no_layer_is_at_a_depth_outside_the_network(text: str) -> None:
    assert np.isnan(evaluated(text, [TWO_STAGES], [1.0, 2.0, 4.0, 8.0])).all()


@settings(max_examples=40)
@given(st.integers(0, 10**9), st.floats(0, 1))
def test_depths_differ_between_networks(seed: int, depth: float) -> None:
    networks, rows = drawn(seed)
    expected = [row[math.floor(depth * (len(row) - 1) + 0.5)] if row else math.nan for row in rows]
    assert np.array_equal(evaluated("at_depth(params, depth)", networks, flat(rows), u=depth), expected, equal_nan=True)


def test_products_over_many_paths_do_not_overflow() -> None:
    edges: Edges = []
    for layer in range(3000):
        edges += [(layer - 1, layer)] * 2
    network: Network = ([0] * 3000, [*edges, (2999, 3000)])
    (found,) = evaluated("path_kernel(params)", [network], [1e3] * 3000)
    assert found == pytest.approx(3000 * math.log(2e3), rel=1e-12)


@pytest.mark.parametrize("name", PATHS)
def test_only_layers_on_paths_count(name: str) -> None:
    network: Network = ([0, 0, 0], [(-1, 0), (0, 2), (2, 3)])
    (found,) = evaluated(f"{name}(params)", [network], [2.0, math.nan, 3.0])
    assert found == pytest.approx(PATHS[name]([[2.0, 3.0]]))
    assert np.isnan(evaluated(f"{name}(params)", [network], [2.0, 1.0, math.nan])).all()


@pytest.mark.parametrize(
    "text", [*(f"{name}(params)" for name in PATHS), "body_sum(params)", "mean(stage_sum(params))"]
)
def test_what_is_not_known_is_nan_in_its_own_network(text: str) -> None:
    untraced: Network = ([-1, -1], [])
    found = evaluated(text, [TWO_STAGES, untraced], [1.0, 2.0, 4.0, 8.0, 1.0, 1.0])
    assert np.isnan(found).tolist() == [False, True]
    unknown = Evaluator(np.array([2, 0, 1]), {X: np.ones(3)})(parse(text))
    assert np.isnan(unknown).all()


def test_blocks_are_put_onto_the_layers_that_end_them() -> None:
    size = parse("mean_abs(block@noise)")
    network: Network = ([0, 1, 1], [(-1, 0), (0, 1), (1, 2), (2, 3)])
    evaluate = Evaluator(
        np.array([3, 3]),
        {size: np.array([1.0, 5.0, 2.0, 3.0, 4.0])},
        Blocks(np.array([2, 3]), np.array([0, 2, 0, 1, 2])),
        connections_of([network, network]),
    )
    assert np.array_equal(evaluate(parse("sum(stage_sum(mean_abs(block@noise)))")), [math.nan, 9.0], equal_nan=True)
    assert np.array_equal(evaluate(parse("first(stage_sum(mean_abs(block@noise) + 1))")), [2.0, 3.0])
    assert np.array_equal(evaluate(parse("heaviest_path(mean_abs(block@noise))")), [math.nan, 9.0], equal_nan=True)


# Tables carry stages and paths


def table_of(networks: list[Network], rows: list[list[float]]) -> ColumnTable:
    counts = np.array([len(stages) for stages, _ in networks])
    return ColumnTable(counts, {X: np.array(flat(rows))}, connections=connections_of(networks))


def scores(table: ColumnTable, text: str) -> list[float]:
    return Evaluator(table.counts, table.values, connections=table.connections)(parse(text)).tolist()


@settings(max_examples=30)
@given(st.integers(0, 10**9), st.randoms(use_true_random=False))
def test_tables_are_joined_and_taken_apart(seed: int, rng: Random) -> None:
    parts = [table_of(*drawn(seed + number)) for number in range(3)]
    whole = joined(parts)
    order = np.array(rng.choices(range(len(whole.counts)), k=5))
    for text in ("path_kernel(params)", "sum(log(stage_mean(params)))"):
        each = np.concatenate([scores(part, text) for part in parts])
        np.testing.assert_allclose(scores(whole, text), each, rtol=1e-12)
        np.testing.assert_allclose(scores(whole.take(order), text), each[order], rtol=1e-12)


def test_a_table_without_connections_joins_to_one_without() -> None:
    known = table_of([TWO_STAGES], [[1.0, 2.0, 4.0, 8.0]])
    unknown = ColumnTable(known.counts, known.values)
    assert isinstance(joined([known, known]).connections, Connections)
    assert joined([known, unknown]).connections is None


# Laws of the language


CHOICES = number_choices([X, Y, U])


def test_random_formulas_have_stages_and_paths() -> None:
    rng = Random(3)
    names: dict[str, int] = {}
    for _ in range(3000):
        for node in CHOICES.generate(Kind.NETWORK, rng, 5).walk():
            names[node.symbol] = names.get(node.symbol, 0) + 1
    assert all(names.get(name, 0) > 10 for name in (*CONNECTED, "at_depth", "rising_mean", "falling_mean"))


@settings(max_examples=150)
@given(st.integers(0, 10**9))
def test_laws_hold_for_formulas_of_stages_and_paths(seed: int) -> None:
    rng = Random(seed)
    first, second = formulas = [CHOICES.generate(Kind.NETWORK, rng, 5) for _ in range(2)]
    changed = [crossover(first, second, rng), mutate(first, CHOICES, rng)]
    networks, rows = drawn(seed)
    table = table_of(networks, rows)
    columns = {**table.values, Y: np.linspace(0.5, 2.0, len(flat(rows))), U: np.arange(len(networks)) / 2 + 1.0}
    evaluate = Evaluator(table.counts, columns, connections=table.connections)
    for formula in (*formulas, *changed):
        assert formula.kind is Kind.NETWORK
        assert parse(str(formula)) == formula
        short = canonical(formula)
        assert canonical(short) == short and parse(str(short)) == short
        np.testing.assert_allclose(evaluate(short), evaluate(formula), rtol=1e-6, atol=1e-6)


def test_simplifying_keeps_ranks() -> None:
    rng = Random(5)
    networks = [random_network(rng, rng.randint(2, 7)) for _ in range(30)]
    table = table_of(networks, [[rng.uniform(0.1, 3.0) for _ in stages] for stages, _ in networks])
    scorer = FitnessFunction([table], [np.array([rng.random() for _ in networks])])
    formula = parse("exp(path_kernel(params) + sum(log(exp(stage_mean(params)))) * 1)")
    short = simplify(formula, scorer)
    assert short.size < formula.size and {"path_kernel", "stage_mean"} <= {node.symbol for node in short.walk()}
    assert scorer(short).signature == scorer(formula).signature


def test_the_page_names_all_that_reads_structure() -> None:
    page = (Path(__file__).parents[2] / "docs" / "layers.md").read_text(encoding="utf-8")
    names = {
        *CONNECTED,
        *STAGE_DESCRIPTORS,
        *CUT_DESCRIPTORS,
        *CHAIN_DESCRIPTORS,
        "units",
        "before_pooling",
        "at_depth",
    }
    assert [name for name in sorted(names) if f"`{name}`" not in page] == []
