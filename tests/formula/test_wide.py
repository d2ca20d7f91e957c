"""Sums and products of thousands of terms, and trees that are as deep: no function of trees stops at them."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from zcproxy.errors import ConfigurationError, FormulaError
from zcproxy.evolve import Configuration, Limits, evolve
from zcproxy.export.latex import latex
from zcproxy.export.proxy_source import export_python
from zcproxy.formula import MAXIMUM_DEPTH, Kind, Node, constant, replace_at, vocabulary
from zcproxy.formula.canonical import canonical
from zcproxy.formula.choices import Choices
from zcproxy.formula.evaluate import Evaluator
from zcproxy.formula.text import has_readable_text, nesting
from zcproxy.formula.variation import mutate, places, replaced
from zcproxy.primitives import parse
from zcproxy.probing.expressions import ColumnEvaluator
from zcproxy.proxy.proxy import Proxy

TERMS = [
    parse(text) for text in ("depth", "total_params", "sum(params)", "max(log(macs))", "2.0", "-0.5", "mean(macs)")
]
CHOICES = Choices(
    [leaf for leaf in (Node(text, kind) for text, kind in vocabulary().leaves.items()) if leaf.kind.is_number],
    lambda item: all(kind.is_number for kind in item.signature.arguments),
)
COUNTS = np.array([3, 1, 4, 2])
COLUMNS = {
    leaf: np.linspace(0.5, 1.5, int(COUNTS.sum()) if leaf.kind is Kind.LAYER else len(COUNTS))
    for leaf in CHOICES.leaves[Kind.LAYER] + CHOICES.leaves[Kind.NETWORK]
}

widths = st.sampled_from([2, 99, 100, 101, 128, 500, 1001, 3000])
seeds = st.integers(0, 2**32 - 1)


def nested(names: list[str], terms: list[Node]) -> Node:
    """Return the terms joined from the left by primitives drawn from some names."""
    rng = Random(len(terms))
    result = terms[0]
    for term in terms[1:]:
        result = vocabulary().apply(rng.choice(names), result, term)
    return result


def balanced(name: str, terms: list[Node]) -> Node:
    if len(terms) == 1:
        return terms[0]
    middle = len(terms) // 2
    return vocabulary().apply(name, balanced(name, terms[:middle]), balanced(name, terms[middle:]))


def drawn(width: int, seed: int) -> list[Node]:
    return Random(seed).choices(TERMS, k=width)


SIGNS = (["add"], ["multiply"], ["add", "subtract"], ["multiply", "divide"], ["add", "subtract", "multiply", "divide"])


@settings(max_examples=15)
@given(widths, seeds, st.sampled_from(SIGNS))
def test_what_is_printed_is_what_is_read(width: int, seed: int, names: list[str]) -> None:
    formula = nested(names, drawn(width, seed))
    assert formula.depth >= width
    if has_readable_text(formula):
        assert parse(str(formula)) == formula
    else:
        with pytest.raises(FormulaError, match=f"nested deeper than {MAXIMUM_DEPTH}"):
            parse(str(formula))


def test_a_text_of_one_sum_may_be_of_any_length() -> None:
    text = " + ".join(["depth"] * 6_000)
    assert str(parse(text)) == text
    assert nesting(parse(text)) == 1


@settings(max_examples=5)
@given(st.sampled_from([128, 700, 2000]), seeds, st.sampled_from(["add", "multiply"]))
def test_the_canonical_form_of_a_wide_chain_is_read_and_is_a_fixed_point(width: int, seed: int, name: str) -> None:
    terms = drawn(width, seed)
    forms = {str(canonical(join)) for join in (nested([name], terms), balanced(name, terms))}
    once = canonical(balanced(name, terms))
    assert canonical(once) == once
    assert parse(str(once)) == once
    assert sum(node.is_constant for node in once.walk()) <= 2  # an overflow among constants leaves more than one
    if name == "add":
        assert len({form.rpartition(" + ")[0] for form in forms}) == 1


def test_a_wide_chain_of_constants_becomes_a_number() -> None:
    assert str(canonical(parse(" + ".join(["1"] * 3000)))) == "3000.0"
    assert str(canonical(parse(" * ".join(["1"] * 3000)))) == "1.0"
    assert str(canonical(parse(" + ".join(["1", "-1"] * 1500)))) == "0.0"
    overflowing = canonical(parse(" * ".join(["1e300"] * 300)))
    assert canonical(overflowing) == overflowing


@settings(max_examples=5)
@given(st.sampled_from([150, 1200]), seeds)
def test_a_wide_sum_keeps_its_value(width: int, seed: int) -> None:
    formula = nested(["add"], drawn(width, seed))
    expected = sum(Evaluator(COUNTS, COLUMNS)(term) for term in drawn(width, seed))
    np.testing.assert_allclose(Evaluator(COUNTS, COLUMNS)(formula), expected, rtol=1e-9)
    np.testing.assert_allclose(Evaluator(COUNTS, COLUMNS, remembered=64)(canonical(formula)), expected, rtol=1e-9)


WIDE = nested(["add", "subtract"], drawn(2500, 1))


def test_wide_trees_are_compared_copied_and_pickled() -> None:
    other = nested(["add", "subtract"], drawn(2500, 1))
    assert other == WIDE and hash(other) == hash(WIDE)
    assert nested(["add", "subtract"], [*drawn(2500, 1)[:-1], parse("total_macs")]) != WIDE
    for again in (pickle.loads(pickle.dumps(WIDE)), copy.deepcopy(WIDE)):
        assert again == WIDE and again.size == WIDE.size and str(again) == str(WIDE)
    assert str(WIDE) in repr(WIDE)


def test_wide_trees_are_varied() -> None:
    deepest = max(places(WIDE), key=lambda place: len(place.path))
    changed = replaced(WIDE, deepest.path, constant(7.0))
    assert changed == replace_at(WIDE, len(deepest.path), constant(7.0)) and changed != WIDE
    for seed in range(5):
        assert mutate(WIDE, CHOICES, Random(seed)).kind is Kind.NETWORK


def test_evolution_starts_from_a_balanced_sum_of_many_terms(tmp_path: Path) -> None:
    wide = balanced("add", [parse(("sum(params)", "total_macs")[number % 2]) for number in range(102)])
    configuration = Configuration(
        ("digits201",),
        networks=16,
        test_networks=4,
        probes=("noise",),
        maximum_size=5000,
        islands=1,
        island_size=4,
        start_from=(str(wide),),
    )
    assert parse(str(evolve(configuration, Limits(generations=1), tmp_path / "run").chosen.formula))
    alternating = "total_params" + " / depth * depth" * 300
    assert not has_readable_text(canonical(parse(alternating)))
    with pytest.raises(ConfigurationError, match=f"nested deeper than {MAXIMUM_DEPTH} in canonical form"):
        replace(configuration, start_from=(alternating,))


def test_wide_trees_are_written() -> None:
    formula = nested(["add"], drawn(1500, 3))
    assert latex(formula).count(r"\ln") == sum(node.symbol == "log" for node in formula.walk())
    compile(export_python(Proxy(formula)), "exported.py", "exec")


def test_sums_of_tensors_may_be_wide_too() -> None:
    import torch

    column = parse(f"frobenius_norm({' + '.join(['weight'] * 1500)})")
    weight = torch.full((2, 3), 2.0)
    (value,) = ColumnEvaluator([column]).evaluate([{"weight": weight}]).values()
    assert value.tolist() == pytest.approx([3000.0 * 6**0.5])
    compile(export_python(Proxy(vocabulary().apply("sum", column))), "exported.py", "exec")


def test_a_tree_that_no_text_can_hold_is_no_proxy() -> None:
    formula = parse("depth")
    for _ in range(3000):
        formula = vocabulary().apply("log", formula)
    assert not has_readable_text(formula)
    assert canonical(formula) == formula
    with pytest.raises(FormulaError, match=f"nested deeper than {MAXIMUM_DEPTH}"):
        Proxy(formula)


@given(seeds, st.integers(1, 8))
def test_nesting_is_what_the_parser_counts(seed: int, depth: int) -> None:
    formula = CHOICES.generate(Kind.NETWORK, Random(seed), depth)
    opened = most = 1
    for character in str(formula):
        opened += {"(": 1, ")": -1}.get(character, 0)
        most = max(most, opened)
    assert nesting(formula) == most
