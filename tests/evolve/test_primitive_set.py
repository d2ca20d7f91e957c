"""Primitive sets and trees of DEAP, made from the language."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from deap import gp

from zcproxy.columns.standard import standard_columns
from zcproxy.errors import FormulaError
from zcproxy.evolve import Individual, formula_of, primitive_set, tree_of
from zcproxy.evolve.deap.primitives import TYPES, Number, number_terminal
from zcproxy.formula import Kind, Node, vocabulary
from zcproxy.formula.choices import number_choices
from zcproxy.primitives import parse

COLUMNS = standard_columns()
PRIMITIVES = primitive_set(COLUMNS)


def refuse(*arguments: Any, **named: Any) -> None:
    raise AssertionError("something was evaluated")


@pytest.fixture
def nothing_is_evaluated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gp, "compile", refuse)
    monkeypatch.setattr(gp, "eval", refuse, raising=False)
    monkeypatch.setattr(gp.PrimitiveTree, "from_string", refuse)


@pytest.mark.usefixtures("nothing_is_evaluated")
def test_text_and_trees_become_each_other_without_loss() -> None:
    choices, rng = number_choices(COLUMNS), Random(0)
    texts = set()
    for _ in range(10_000):
        formula = choices.generate(Kind.NETWORK, rng, rng.randint(2, 7))
        tree = tree_of(formula.text, PRIMITIVES)
        assert isinstance(tree, gp.PrimitiveTree)
        assert formula_of(list(tree)) == formula == parse(str(tree))
        assert str(tree) == formula.text
        assert tree.searchSubtree(0) == slice(0, len(tree))
        texts.add(formula.text)
    assert len(texts) > 7_000


@pytest.mark.usefixtures("nothing_is_evaluated")
def test_expressions_of_tensors_become_trees_too() -> None:
    leaves = [vocabulary().leaf(text) for text in ("weight@noise", "grad(weight)@noise", "output@noise", "params")]
    primitives, rng = primitive_set(leaves), Random(1)
    kinds = set()
    for _ in range(2_000):
        formula = primitives.choices.generate(Kind.NETWORK, rng, 7)
        tree = tree_of(formula.text, primitives)
        assert formula_of(list(tree)) == formula
        kinds.update(node.kind for node in formula.walk())
    assert kinds >= {Kind.WEIGHTS, Kind.ACTIVATIONS, Kind.SAMPLE_MATRIX, Kind.LAYER}


def test_a_plain_tree_of_deap_prints_what_is_read_back() -> None:
    formula = parse("sum(log(params)) / total_macs - -0.5")
    plain = gp.PrimitiveTree(PRIMITIVES.tree(formula))
    assert parse(str(plain)) == formula


def test_the_set_has_what_the_registry_has_between_numbers() -> None:
    assert isinstance(PRIMITIVES, gp.PrimitiveSetTyped) and PRIMITIVES.ret is TYPES[Kind.NETWORK]
    listed = {(item.name, tuple(item.args), item.ret) for items in PRIMITIVES.primitives.values() for item in items}
    assert listed == {
        (primitive.name, tuple(TYPES[kind] for kind in signature.arguments), TYPES[signature.result])
        for primitive in vocabulary().primitives.values()
        for signature in primitive.functions
        if all(kind.is_number for kind in signature.arguments)
    }
    terminals = PRIMITIVES.terminals
    assert [leaf.node for leaf in terminals[TYPES[Kind.LAYER]]] == [each for each in COLUMNS if each.kind is Kind.LAYER]
    assert Number in terminals[TYPES[Kind.NETWORK]] and Number not in terminals[TYPES[Kind.LAYER]]
    assert not set(PRIMITIVES.context) - {"__builtins__"}


def test_what_is_left_out_is_not_in_the_set() -> None:
    primitives = primitive_set(["params", "total_macs"], without=("log", "constants"))
    assert "log" not in primitives.names() and "exp" in primitives.names()
    assert Number not in primitives.terminals[TYPES[Kind.NETWORK]]
    with pytest.raises(FormulaError, match=r"the primitive set has no numbers, which 'total_macs \+ 2\.0' has"):
        tree_of("total_macs + 2.0", primitives)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tree_of("sum(log(params))", primitive_set(["params"], without=("log",))), "no primitive 'log'"),
        (lambda: tree_of("sum(sqrt(params))", primitive_set(["params"], without=("sqrt",))), r"\(did you mean sq"),
        (
            lambda: tree_of("sum(params)", primitive_set(["macs", "total_params"])),
            r"no column 'params' \(did you mean total_params",
        ),
        (lambda: tree_of("sum(parms)", PRIMITIVES), r"unknown name 'parms' \(did you mean params"),
        (lambda: tree_of("total_params", primitive_set(["total_macs"])), "no column 'total_params'"),
        (lambda: formula_of([]), "0 parts, not of one"),
        (lambda: formula_of([*tree_of("1.5", PRIMITIVES), *tree_of("2.5", PRIMITIVES)]), "2 parts, not of one"),
        (lambda: formula_of(tree_of("sum(params)", PRIMITIVES)[:1]), "'sum' lacks an argument"),
        (lambda: formula_of([gp.Primitive("bad", [int], int), number_terminal(1.0)]), "'bad' is no part"),
        (lambda: formula_of([gp.Terminal("text", True, int)]), "'text' is no part of the language"),
        (lambda: formula_of([number_terminal(float("nan"))]), "'number' is no part of the language"),
    ],
)
def test_what_makes_no_formula_is_named(make: Callable[[], Node], message: str) -> None:
    with pytest.raises(FormulaError, match=message) as caught:
        make()
    assert len(str(caught.value)) < 300


def test_copies_share_no_number() -> None:
    tree = tree_of("total_params * 2.0", PRIMITIVES)
    copy = tree.copied()
    copy[-1].value = 3.0
    copy.forget()
    assert (str(tree), str(copy)) == ("total_params * 2.0", "total_params * 3.0")


def test_a_changed_tree_has_another_formula() -> None:
    tree = tree_of("total_params * 2.0", PRIMITIVES)
    assert isinstance(tree, Individual) and tree.formula.size == 3
    tree[tree.searchSubtree(0)] = PRIMITIVES.tree(parse("total_macs"))
    assert tree.formula == parse("total_macs")


def test_nodes_are_hashable_and_equal_those_of_another_set() -> None:
    first, second = (primitive_set(COLUMNS).tree(parse("sum(log(params))")) for _ in range(2))
    assert first == second and len({*first, *second}) == 3


def test_types_have_the_same_order_in_every_process() -> None:
    code = "from zcproxy.evolve.deap.primitives import TYPES; print([t.__name__ for t in set(TYPES.values())])"
    printed = {
        subprocess.run(
            [sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1
