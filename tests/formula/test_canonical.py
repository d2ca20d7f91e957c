from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given, strategies as st

from zcproxy.formula import Kind, Node, Registry, constant, vocabulary
from zcproxy.formula.canonical import canonical
from zcproxy.formula.choices import Choices, number_choices, tensor_choices
from zcproxy.formula.evaluate import Evaluator
from zcproxy.primitives import parse

LEAVES = [Node(text, kind) for text, kind in vocabulary().leaves.items()]
COLUMNS = [leaf for leaf in LEAVES if leaf.kind.is_number]
NUMBERS = number_choices(COLUMNS)
TENSORS = tensor_choices(leaf for leaf in LEAVES if not leaf.kind.is_number)
COUNTS = np.array([3, 1, 4, 2])

seeds = st.integers(0, 2**32 - 1)


def subset(*names: str) -> Registry:
    registry = Registry()
    for name in names:
        registry.add(vocabulary().primitives[name])
    return registry


def columns(draw: Random, lowest: float, highest: float, *, whole: bool) -> dict[Node, np.ndarray]:
    def number() -> float:
        return float(draw.randint(int(lowest), int(highest))) if whole else draw.uniform(lowest, highest)

    layers = int(COUNTS.sum())
    return {
        leaf: np.array([number() for _ in range(layers if leaf.kind is Kind.LAYER else len(COUNTS))])
        for leaf in COLUMNS
    }


# Laws


@given(seeds, st.integers(0, 6), st.sampled_from([Kind.LAYER, Kind.NETWORK]))
def test_canonical_form_of_numbers_is_a_fixed_point(seed: int, depth: int, kind: Kind) -> None:
    formula = NUMBERS.generate(kind, Random(seed), 1 + depth)
    once = canonical(formula)
    assert canonical(once) == once
    assert once.kind is formula.kind
    assert parse(str(once)) == once
    assert canonical(parse(str(formula))) == once


@given(seeds, st.integers(0, 5), st.sampled_from([kind for kind, least in TENSORS.least_depth.items() if least < 9]))
def test_canonical_form_of_tensors_is_a_fixed_point(seed: int, depth: int, kind: Kind) -> None:
    formula = TENSORS.generate(kind, Random(seed), int(TENSORS.least_depth[kind]) + depth)
    once = canonical(formula)
    assert canonical(once) == once
    assert once.kind is formula.kind
    assert {node.symbol for node in once.walk() if node.is_leaf} == {
        node.symbol for node in formula.walk() if node.is_leaf
    }


# Between positive numbers these primitives lose no digits, so that another order of terms changes roundings alone.
CONDITIONED = subset("add", "multiply", "divide", "minimum", "maximum", "sqrt", "reciprocal", "sum", "mean", "max")
POSITIVE = Choices(
    [*COLUMNS, *[constant(value) for value in (0.01, 0.3, 1.0, 1.7, 9.0)] * 4],
    lambda item: all(kind.is_number for kind in item.signature.arguments),
    constants=False,
    registry=CONDITIONED,
)


@given(seeds, st.integers(2, 6))
def test_canonical_form_keeps_values_to_rounding(seed: int, depth: int) -> None:
    rng = Random(seed)
    formula = POSITIVE.generate(Kind.NETWORK, rng, depth)
    evaluate = Evaluator(COUNTS, columns(rng, 0.1, 5.0, whole=False))
    np.testing.assert_allclose(evaluate(canonical(formula)), evaluate(formula), rtol=1e-12)


# Small whole numbers stay exact, so that jumps and borders of domains may take part.
EXACT = subset(
    *("add", "subtract", "multiply", "minimum", "maximum", "greater", "less", "abs", "square", "sign", "relu"),
    *("positive", "negative", "heaviside", "sum", "min", "max", "first", "last", "median"),
)
WHOLE = Choices(
    [*COLUMNS, *[constant(value) for value in (-2.0, -1.0, 0.0, 1.0, 2.0)] * 4],
    lambda item: all(kind.is_number for kind in item.signature.arguments),
    constants=False,
    registry=EXACT,
)


@given(seeds, st.integers(2, 5))
def test_canonical_form_keeps_whole_numbers_exactly(seed: int, depth: int) -> None:
    rng = Random(seed)
    formula = WHOLE.generate(Kind.NETWORK, rng, depth)
    evaluate = Evaluator(COUNTS, columns(rng, -3, 3, whole=True))
    np.testing.assert_array_equal(evaluate(canonical(formula)), evaluate(formula))


@given(seeds, st.integers(1, 6))
def test_the_order_of_commutative_arguments_does_not_matter(seed: int, depth: int) -> None:
    rng = Random(seed)
    formula = WHOLE.generate(Kind.LAYER, rng, depth)

    def shuffled(node: Node) -> Node:
        if node.is_leaf:
            return node
        arguments = [shuffled(child) for child in node.arguments]
        if vocabulary().primitives[node.symbol].commutative:
            rng.shuffle(arguments)
        return vocabulary().apply(node.symbol, *arguments)

    assert str(canonical(shuffled(formula))) == str(canonical(formula))


# By hand


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("depth + total_params", "total_params + depth"),
        ("depth * total_params", "total_params * depth"),
        ("minimum(depth, total_params)", "minimum(total_params, depth)"),
        ("(depth + total_params) + total_macs", "depth + (total_macs + total_params)"),
        ("depth * (total_params * total_macs)", "total_macs * depth * total_params"),
        ("params * depth * macs * total_params", "total_params * macs * depth * params"),
        ("1 + params + 2", "params + 3"),
        ("2 * params * 0.5", "params"),
        ("sum(dot(weight, grad(weight)@data))", "sum(dot(grad(weight)@data, weight))"),
        ("sum(abs_dot(weight@data, weight))", "sum(abs_dot(weight, weight@data))"),
        ("sum(sum(weight + grad(weight)@data))", "sum(sum(grad(weight)@data + weight))"),
        ("depth * (2 + 3)", "5 * depth"),
        ("log(1 * depth)", "log(depth)"),
    ],
)
def test_equal_formulas_have_equal_text(first: str, second: str) -> None:
    assert str(canonical(parse(first))) == str(canonical(parse(second)))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("depth - total_params", "total_params - depth"),
        ("depth / total_params", "total_params / depth"),
        ("power(depth, total_params)", "power(total_params, depth)"),
        ("sum(kl_divergence(weight, weight@data))", "sum(kl_divergence(weight@data, weight))"),
        ("greater(depth, 1)", "greater(1, depth)"),
        ("sum(params) + sum(macs)", "sum(params + macs)"),
        ("depth - 1", "depth + 1"),
    ],
)
def test_different_formulas_have_different_text(first: str, second: str) -> None:
    assert str(canonical(parse(first))) != str(canonical(parse(second)))


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("1 + 2 * 3", "7.0"),
        ("log(1)", "0.0"),
        ("sqrt(16) - 4", "0.0"),
        ("minimum(2, 3) / maximum(2, 4)", "0.5"),
        ("power(2, 10)", "1024.0"),
        ("depth + (1 + 2)", "depth + 3.0"),
        ("depth - 0", "depth"),
        ("depth / 1", "depth"),
        ("0 + depth", "depth"),
        ("1 * depth", "depth"),
        ("params + 0", "params"),
        ("depth * 0", "depth * 0.0"),
        ("0 - depth", "0.0 - depth"),
        ("1 / depth", "1.0 / depth"),
        ("depth - 1", "depth - 1.0"),
        ("depth / 0", "depth / 0.0"),
        ("-2 + depth + 2", "depth"),
    ],
)
def test_constants_are_folded_and_neutral_elements_disappear(text: str, folded: str) -> None:
    assert str(canonical(parse(text))) == folded


@pytest.mark.parametrize(
    "text",
    ["log(-1)", "1 / 0", "sqrt(-2)", "exp(1000)", "reciprocal(0)", "power(-1, 0.5)", "1e+308 * 10", "1e+308 + 1e+308"],
)
def test_constants_that_are_not_finite_stay_as_they_are(text: str) -> None:
    formula = parse(text)
    assert canonical(formula) == formula
    for outer in (f"depth + ({text})", f"depth * ({text})", f"1 + ({text})", f"0 * ({text})", f"0.5 * ({text})"):
        once = canonical(parse(outer))
        assert canonical(once) == once and parse(str(once)) == once
        values = Evaluator(COUNTS, {leaf: np.ones(4) for leaf in COLUMNS if leaf.kind is Kind.NETWORK})(once)
        assert np.isnan(values).all()


@pytest.mark.parametrize(
    "text",
    [
        "depth + 1e308 + 1e308",
        "depth * 1e308 * 1e308",
        "1e308 + (depth + 1e308) - 1e308",
        "1e-320 * (1e308 * (1e12 * depth))",
        "9.332636185032189e-302 * (1.0715086071862673e+301 * 1e+08)",
        "8.691694759794e-311 * (1.0715086071862673e+301 * 1073741824)",
        "-1.5e308 + (1.5e308 + 1.5e308) + depth",
    ],
)
def test_overflow_among_constants_is_no_error_and_keeps_values(text: str) -> None:
    formula = parse(text)
    once = canonical(formula)
    assert canonical(once) == once
    depth = parse("depth")
    evaluate = Evaluator(COUNTS, {depth: np.array([1e-300, 1e-9, 1.0, 3.0])})
    before, after = evaluate(formula), evaluate(once)
    assert math.isclose(np.isnan(before).mean(), np.isnan(after).mean())
    np.testing.assert_allclose(after, before, rtol=1e-3)


def test_the_original_is_not_changed() -> None:
    formula = parse("total_params + depth * 1")
    canonical(formula)
    assert str(formula) == "total_params + depth * 1.0"
