from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable, Sequence
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from zcproxy.formula import Kind, Node, Signature, vocabulary
from zcproxy.formula.choices import number_choices
from zcproxy.formula.connections import connections_of
from zcproxy.formula.evaluate import Evaluator, Outcome
from zcproxy.primitives import parse

NAN = math.nan
X, Y = parse("params"), parse("macs")
U, V = parse("depth"), parse("total_params")
STAGE_X, STAGE_Y = parse("stage_sum(params)"), parse("stage_max(macs)")


def guarded(function: Callable[..., float]) -> Callable[..., float]:
    """NaN where Python raises or an argument is NaN, so that a reference states the finite case alone."""

    def checked(*values: float) -> float:
        if any(map(math.isnan, values)):
            return NAN
        try:
            result = function(*values)
        except (ValueError, ZeroDivisionError, OverflowError):
            return NAN
        return result if math.isfinite(result) else NAN

    return checked


ELEMENTWISE: dict[str, Callable[..., float]] = {
    "abs": math.fabs,
    "square": lambda x: x**2,
    "sqrt": math.sqrt,
    "log": math.log,
    "log1p": math.log1p,
    "exp": math.exp,
    "sign": lambda x: math.copysign(1.0, x) if x else 0.0,
    "reciprocal": lambda x: x**-1,
    "relu": lambda x: max(x, 0.0),
    "sigmoid": lambda x: math.exp(min(x, 0.0)) / (math.exp(min(x, 0.0)) + math.exp(-max(x, 0.0))),
    "tanh": math.tanh,
    "positive": lambda x: 1.0 if x > 0 else 0.0,
    "negative": lambda x: 1.0 if x < 0 else 0.0,
    "heaviside": lambda x: 1.0 if x >= 0 else 0.0,
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y,
    "minimum": min,
    "maximum": max,
    "power": lambda x, y: math.exp(y * math.log(x)),
    "greater": lambda x, y: 1.0 if x > y else 0.0,
    "less": lambda x, y: 1.0 if x < y else 0.0,
}
"""The number-level primitives that work layer by layer, in plain Python."""


def slope(values: Sequence[float]) -> float:
    depth = np.linspace(0.0, 1.0, len(values))
    return float(np.linalg.lstsq(np.stack([depth, np.ones(len(values))], axis=1), values)[0][0])


def defined(values: Sequence[float]) -> list[float]:
    return [value for value in values if not math.isnan(value)]


AGGREGATIONS: dict[str, Callable[..., float]] = {
    "sum": math.fsum,
    "mean": statistics.fmean,
    "nansum": lambda x: math.fsum(defined(x)) if defined(x) else NAN,
    "nanmean": lambda x: statistics.fmean(defined(x)) if defined(x) else NAN,
    "nanleast_step": lambda x: min((b - a for a, b in itertools.pairwise(defined(x))), default=NAN),
    "min": min,
    "max": max,
    "std": statistics.pstdev,
    "median": statistics.median,
    "first": lambda x: x[0],
    "last": lambda x: x[-1],
    "log_sum": lambda x: math.log(math.fsum(x)),
    "sum_log": lambda x: math.fsum(map(math.log, x)),
    "slope": lambda x: slope(x) if len(x) > 1 else NAN,
    "rising_mean": lambda x: math.fsum(a * w for w, a in enumerate(x, 1)) / (len(x) * (len(x) + 1) / 2),
    "falling_mean": lambda x: math.fsum(a * w for w, a in enumerate(x[::-1], 1)) / (len(x) * (len(x) + 1) / 2),
    "weighted_mean": lambda x, w: math.fsum(a * b for a, b in zip(x, w, strict=True)) / math.fsum(w),
}
"""The aggregations, for the layers of one network."""

UNDEFINED_LEFT_OUT = ("first", "last", "nansum", "nanmean", "nanleast_step")
"""Aggregations that an undefined layer does not make undefined."""


ELSEWHERE = ("at_depth",)
"""Tested with what reads stages and paths, in `test_connected.py`."""


def number_signatures() -> dict[str, list[Signature]]:
    found: dict[str, list[Signature]] = {}
    for item in vocabulary().primitives.values():
        for signature, function in item.functions.items():
            own = function.__module__.startswith("zcproxy.primitives.") and not item.connected
            if own and signature.result.is_number and all(kind.is_number for kind in signature.arguments):
                found.setdefault(item.name, []).append(signature)
    return found


SIGNATURES = number_signatures()
CASES = [(name, signature) for name, found in SIGNATURES.items() for signature in found]


def test_every_number_level_primitive_has_a_reference() -> None:
    assert set(SIGNATURES) == {*ELEMENTWISE, *AGGREGATIONS, *ELSEWHERE}


def aggregated(name: str, *layers: Sequence[float]) -> float:
    if not layers[0]:
        return NAN
    if name in UNDEFINED_LEFT_OUT:
        return guarded(lambda _: AGGREGATIONS[name](*layers))(AGGREGATIONS[name](*layers))
    if any(math.isnan(value) for values in layers for value in values):
        return NAN
    return guarded(lambda: AGGREGATIONS[name](*layers))()


# Eighths add up and multiply exactly, so that a sum is zero here if and only if it is there.
eighths = st.integers(-200, 200).map(lambda n: n / 8) | st.sampled_from([0.0, 1.0, -1.0])
numbers = st.one_of(eighths, st.just(NAN), st.sampled_from([1e-300, 1e300, -1e300, 745.0]))
networks = st.lists(st.lists(st.tuples(eighths, eighths), max_size=7), min_size=1, max_size=8)


def evaluator(rows: Sequence[Sequence[tuple[float, float]]], u: Sequence[float], v: Sequence[float]) -> Evaluator:
    flat = [pair for row in rows for pair in row]
    columns = {
        X: np.array([first for first, _ in flat]),
        Y: np.array([second for _, second in flat]),
        U: np.array(u, dtype=float),
        V: np.array(v, dtype=float),
    }
    counts = [len(row) for row in rows]
    stages = connections_of([(range(count), ()) for count in counts])  # each layer is a stage
    return Evaluator(np.array(counts), columns, connections=stages)


def applied(name: str, signature: Signature) -> Node:
    leaves = {Kind.LAYER: [X, Y], Kind.STAGE: [STAGE_X, STAGE_Y], Kind.NETWORK: [U, V]}
    arguments = [leaves[kind][place] for place, kind in enumerate(signature.arguments)]
    return vocabulary().apply(name, *arguments)


# Element by element: networks of one layer each, whose sum is the value


@pytest.mark.parametrize(("name", "signature"), [case for case in CASES if case[0] in ELEMENTWISE], ids=str)
@settings(max_examples=20)
@given(pairs=st.lists(st.tuples(numbers, numbers), min_size=1, max_size=20))
def test_elementwise_primitives(name: str, signature: Signature, pairs: list[tuple[float, float]]) -> None:
    first, second = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    evaluate = evaluator([[pair] for pair in pairs], first, second)
    formula = applied(name, signature)
    if formula.kind is not Kind.NETWORK:
        formula = vocabulary().apply("sum", formula)
    reference = guarded(ELEMENTWISE[name])
    expected = [reference(*pair[: len(signature.arguments)]) for pair in pairs]
    np.testing.assert_allclose(evaluate(formula), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", [name for name, found in SIGNATURES.items() if len(found) == 7])
@settings(max_examples=20)
@given(rows=networks, data=st.data())
def test_a_number_a_network_meets_every_layer_of_it(
    name: str, rows: list[list[tuple[float, float]]], data: st.DataObject
) -> None:
    u = data.draw(st.lists(eighths, min_size=len(rows), max_size=len(rows)))
    evaluate = evaluator(rows, u, u)
    reference = guarded(ELEMENTWISE[name])
    for arguments in ((X, U), (U, X), (STAGE_X, U), (U, STAGE_X)):
        formula = vocabulary().apply("sum", vocabulary().apply(name, *arguments))
        expected = [
            aggregated("sum", [reference(own, x) if arguments[0] is U else reference(x, own) for x, _ in row])
            for row, own in zip(rows, u, strict=True)
        ]
        np.testing.assert_allclose(evaluate(formula), expected, rtol=1e-9, atol=1e-9)


# Over the layers of ragged networks, some without any


@pytest.mark.parametrize("name", AGGREGATIONS)
@settings(max_examples=20)
@given(rows=networks)
def test_aggregations(name: str, rows: list[list[tuple[float, float]]]) -> None:
    arguments = SIGNATURES[name][0].arguments
    columns = [([x for x, _ in row], [y for _, y in row]) for row in rows]
    expected = [aggregated(name, *pair[: len(arguments)]) for pair in columns]
    for signature in SIGNATURES[name]:
        values = evaluator(rows, [0.0] * len(rows), [0.0] * len(rows))(applied(name, signature))
        np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", AGGREGATIONS)
def test_an_undefined_layer_makes_its_own_network_undefined(name: str) -> None:
    rows = [[(1.0, 2.0), (3.0, 1.0)], [(2.0, 1.0), (NAN, 2.0), (5.0, 2.0)], [(NAN, 1.0)], [(4.0, 2.0), (6.0, 3.0)]]
    arguments = SIGNATURES[name][0].arguments
    values = evaluator(rows, [0.0] * 4, [0.0] * 4)(vocabulary().apply(name, *[X, Y][: len(arguments)]))
    undefined = [False, name not in UNDEFINED_LEFT_OUT, True, False]
    assert np.isnan(values).tolist() == undefined


@pytest.mark.parametrize("counts", [[0], [0, 0, 0], [0, 2], [2, 0], [0, 1, 0, 0, 3, 0]])
@pytest.mark.parametrize("name", AGGREGATIONS)
def test_a_network_without_layers_is_undefined_and_no_other_is(name: str, counts: list[int]) -> None:
    draw = Random(0)
    rows = [[(draw.uniform(1, 2), draw.uniform(1, 2)) for _ in range(count)] for count in counts]
    arguments = SIGNATURES[name][0].arguments
    values = evaluator(rows, [1.0] * len(rows), [1.0] * len(rows))(vocabulary().apply(name, *[X, Y][: len(arguments)]))
    assert np.isnan(values).tolist() == [count < (2 if name in ("slope", "nanleast_step") else 1) for count in counts]


def test_numbers_a_network_need_no_layers() -> None:
    values = evaluator([[], [], [(1.0, 1.0)]], [1.0, 2.0, 3.0], [4.0, 5.0, 6.0])(parse("depth + 2 * total_params"))
    assert values.tolist() == [9.0, 12.0, 15.0]


def test_a_formula_of_constants_has_one_value_for_every_network() -> None:
    values = evaluator([[], [(1.0, 1.0)]], [0.0, 0.0], [0.0, 0.0])(parse("2 * 3 + log(1)"))
    assert values.tolist() == [6.0, 6.0]


# Undefined is NaN, never a number that somebody made up


@pytest.mark.parametrize(
    "text",
    [
        "log(0 - 1)",
        "log(0)",
        "sqrt(0 - 1)",
        "1 / 0",
        "0 / 0",
        "reciprocal(0)",
        "power(0 - 2, 2)",
        "power(0, 0)",
        "exp(1000)",
        "exp(1000) - exp(1000)",
        "depth / 0",
        "log(depth - depth)",
        "sum(params / 0)",
        "sum(log(params - params))",
        "weighted_mean(params, params - params)",
        "log_sum(params - params)",
        "sum_log(params - params)",
        "1 / log_sum(params - params)",
        "1 / sum_log(params - params)",
        "exp(log(0))",
        "1 / log(depth - depth)",
        "minimum(log(0), 1)",
        "maximum(1, log(0))",
        "positive(log(0))",
        "greater(log(0), 0)",
        "less(0, log(0))",
        "heaviside(log(0))",
        "sign(log(0))",
        "relu(log(0))",
        "0 * log(0)",
        "power(1, log(0))",
        "power(log(0), 0)",
    ],
)
def test_undefined_formulas_are_nan(text: str) -> None:
    rows = [[(1.0, 1.0), (2.0, 1.0)], [(3.0, 2.0)]]
    evaluate = evaluator(rows, [1.0, 2.0], [1.0, 1.0])
    values = evaluate(parse(text))
    assert np.isnan(values).all()
    assert evaluate.outcome(values) is Outcome.UNDEFINED


def test_infinite_columns_give_nan() -> None:
    values = evaluator([[(math.inf, 1.0)], [(1.0, 1.0)]], [math.inf, 1.0], [-math.inf, 1.0])
    for text in ("sum(params)", "depth", "total_params", "depth + total_params"):
        assert np.isnan(values(parse(text))).tolist() == [True, False]


def test_a_column_that_is_missing_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        evaluator([[(1.0, 1.0)]], [1.0], [1.0])(parse("sum(fan_in)"))


# What came of it


@pytest.mark.parametrize(
    ("counts", "values", "outcome"),
    [
        ([1, 2, 3], [1.0, 2.0, 3.0], Outcome.OK),
        ([1, 2, 3], [1.0, NAN, 3.0], Outcome.UNDEFINED),
        ([1, 2, 3], [2.0, 2.0, 2.0], Outcome.CONSTANT),
        ([1, 0, 3], [1.0, NAN, 3.0], Outcome.OK),
        ([1, 0, 3], [2.0, NAN, 2.0], Outcome.CONSTANT),
        ([1, 0, 3], [2.0, 7.0, 2.0], Outcome.CONSTANT),
        ([0, 0], [NAN, NAN], Outcome.CONSTANT),
        ([2], [1.0], Outcome.CONSTANT),
    ],
)
def test_outcomes(counts: list[int], values: list[float], outcome: Outcome) -> None:
    evaluate = Evaluator(np.array(counts), {})
    assert evaluate.outcome(np.array(values)) is outcome


def test_outcomes_are_sentences() -> None:
    assert all(" " in outcome.value for outcome in Outcome)


# The memory of subtrees


@pytest.mark.parametrize("remembered", [1, 1000, 2**20])
def test_memory_does_not_change_results(remembered: int) -> None:
    draw = Random(1)
    rows = [[(draw.uniform(-2, 2), draw.uniform(0.1, 2)) for _ in range(draw.randint(0, 5))] for _ in range(12)]
    u, v = [draw.uniform(-3, 3) for _ in rows], [draw.uniform(0.5, 9) for _ in rows]
    choices = number_choices([X, Y, U, V])
    formulas = [choices.generate(Kind.NETWORK, draw, 2 + index % 5) for index in range(150)]
    flat = [pair for row in rows for pair in row]
    columns = {
        X: np.array([pair[0] for pair in flat]),
        Y: np.array([pair[1] for pair in flat]),
        U: np.array(u),
        V: np.array(v),
    }
    counts = np.array([len(row) for row in rows])
    before = {column: values.copy() for column, values in columns.items()}
    shared = Evaluator(counts, columns, remembered=remembered)
    for formula in [*formulas, *reversed(formulas)]:
        np.testing.assert_array_equal(shared(formula), Evaluator(counts, columns)(formula))
    assert all((columns[column] == values).all() for column, values in before.items())


def test_a_result_can_be_changed_without_harm() -> None:
    evaluate = evaluator([[(1.0, 1.0)], [(2.0, 1.0)]], [1.0, 2.0], [3.0, 4.0])
    for text in ("depth", "sum(params)", "depth * 2"):
        first = evaluate(parse(text))
        kept = first.copy()
        first[:] = -1.0
        assert evaluate(parse(text)).tolist() == kept.tolist()
