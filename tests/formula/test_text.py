from __future__ import annotations

import ast
from pathlib import Path
from random import Random

import pytest
from hypothesis import example, given, strategies as st

import zcproxy.formula
from zcproxy.errors import FormulaError
from zcproxy.formula import MAXIMUM_DEPTH, Kind, Node, constant, vocabulary
from zcproxy.formula.choices import Choices, number_choices, tensor_choices
from zcproxy.formula.text import nesting
from zcproxy.primitives import parse

LEAVES = [Node(text, kind) for text, kind in vocabulary().leaves.items()]
TENSORS = tensor_choices(leaf for leaf in LEAVES if not leaf.kind.is_number)
NUMBERS = number_choices(leaf for leaf in LEAVES if leaf.kind.is_number)
EVERYTHING = Choices(LEAVES, lambda _: True)

seeds = st.integers(0, 2**32 - 1)


def generated(choices: Choices) -> st.SearchStrategy[Node]:
    kinds = [kind for kind, depth in choices.least_depth.items() if depth < 100]
    return st.builds(
        lambda kind, seed, depth: choices.generate(kind, Random(seed), int(choices.least_depth[kind]) + depth),
        st.sampled_from(kinds),
        seeds,
        st.integers(0, 8),
    )


# What is printed is what is read


@given(generated(TENSORS))
def test_tensor_formulas_survive_their_text(formula: Node) -> None:
    assert parse(str(formula)) == formula


@given(generated(NUMBERS))
def test_number_formulas_survive_their_text(formula: Node) -> None:
    assert parse(str(formula)) == formula


@given(generated(EVERYTHING))
def test_mixed_formulas_survive_their_text(formula: Node) -> None:
    again = parse(str(formula))
    assert again == formula
    assert str(again) == str(formula)
    assert [node.value for node in again.walk()] == [node.value for node in formula.walk()]


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(5e-324)
@example(1.7976931348623157e308)
@example(-0.0)
def test_every_finite_number_survives_its_text(value: float) -> None:
    again = parse(str(constant(value)))
    assert again == constant(value)
    assert again.value == value


@pytest.mark.parametrize("text", sorted(vocabulary().leaves))
def test_every_leaf_survives_its_text(text: str) -> None:
    leaf = parse(text)
    assert leaf.is_leaf and leaf.symbol == str(leaf) == text and leaf.kind is vocabulary().leaves[text]


def test_white_space_does_not_matter() -> None:
    dense = parse("sum(frobenius_norm(grad(weight)@noise)*2.0)-depth")
    loose = parse("  sum ( frobenius_norm\t( grad ( weight ) @ noise )\n * 2.0 )  -  depth \r\n")
    assert dense == loose


# Precedence and parentheses: `depth`, `total_params`, `total_macs` are leaves; trees are written as nested lists


def shown(node: Node) -> object:
    return [node.symbol, *map(shown, node.arguments)] if node.arguments else node.symbol


D, P, M = "depth", "total_params", "total_macs"


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        (f"{D} + {P} + {M}", ["add", ["add", D, P], M]),
        (f"{D} - {P} - {M}", ["subtract", ["subtract", D, P], M]),
        (f"{D} - ({P} - {M})", ["subtract", D, ["subtract", P, M]]),
        (f"{D} / {P} / {M}", ["divide", ["divide", D, P], M]),
        (f"{D} / ({P} * {M})", ["divide", D, ["multiply", P, M]]),
        (f"{D} * {P} / {M}", ["divide", ["multiply", D, P], M]),
        (f"{D} / {P} * {M}", ["multiply", ["divide", D, P], M]),
        (f"{D} + {P} * {M}", ["add", D, ["multiply", P, M]]),
        (f"({D} + {P}) * {M}", ["multiply", ["add", D, P], M]),
        (f"{D} * ({P} + {M})", ["multiply", D, ["add", P, M]]),
        (f"{D} + ({P} + {M})", ["add", D, ["add", P, M]]),
        (f"{D} * {P} + {M} / {D}", ["add", ["multiply", D, P], ["divide", M, D]]),
        (f"{D} - -1.0", ["subtract", D, "-1.0"]),
        (f"-1.0 * {D}", ["multiply", "-1.0", D]),
        (f"log({D} + {P}) * {M}", ["multiply", ["log", ["add", D, P]], M]),
        (f"minimum({D} + {P}, {M})", ["minimum", ["add", D, P], M]),
    ],
)
def test_precedence(text: str, tree: object) -> None:
    assert shown(parse(text)) == tree
    assert str(parse(text)) == text


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        (f"(({D}))", D),
        (f"({D} + {P}) + {M}", f"{D} + {P} + {M}"),
        (f"{D} + ({P} * {M})", f"{D} + {P} * {M}"),
        (f"(log(({D})))", f"log({D})"),
        ("2", "2.0"),
        (".5", "0.5"),
        ("2.", "2.0"),
        ("1e3", "1000.0"),
        ("- 3", "-3.0"),
        ("-0", "0.0"),
        (f"add({D}, {P})", f"{D} + {P}"),
        (f"divide({D}, multiply({P}, {M}))", f"{D} / ({P} * {M})"),
    ],
)
def test_needless_parentheses_are_not_printed(text: str, canonical: str) -> None:
    assert str(parse(text)) == canonical


# Errors: one line each


def error_of(text: str) -> str:
    with pytest.raises(FormulaError) as raised:
        parse(text)
    message = str(raised.value)
    assert message and "\n" not in message and "\r" not in message
    return message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a name, a number or '(' but found end of the formula at position 1"),
        ("   ", "expected a name, a number or '(' but found end of the formula at position 1"),
        ("depth +", "but found end of the formula at position 8"),
        ("depth + * 2", "expected a name, a number or '(' but found '*' at position 9"),
        ("depth depth", "expected an operator or the end but found 'depth' at position 7"),
        ("depth)", "expected an operator or the end but found ')' at position 6"),
        ("(depth", "expected ')' but found end of the formula at position 7"),
        ("sum(params", "expected ')' but found end of the formula at position 11"),
        ("sum()", "expected a name, a number or '(' but found ')' at position 5"),
        ("sum(params,)", "expected a name, a number or '(' but found ')' at position 12"),
        ("minimum(depth depth)", "expected ')' but found 'depth' at position 15"),
        ("-depth", "expected a number after '-' but found 'depth' at position 2"),
        ("--1", "expected a number after '-' but found '-' at position 2"),
        ("+1", "expected a name, a number or '(' but found '+' at position 1"),
        ("1 2", "expected an operator or the end but found '2' at position 3"),
        ("1.2.3", "but found '.3' at position 4"),
        ("2 ** 3", "but found '*' at position 4"),
        ("weight@", "expected the name of a probe but found end of the formula at position 8"),
        ("weight@1", "expected the name of a probe but found '1' at position 8"),
        ("grad(1)@noise", "expected the name of a statistic but found '1' at position 6"),
        ("grad(grad(weight))@noise", "expected ')' but found '(' at position 10"),
        ("grad()@noise", "expected the name of a statistic but found ')' at position 6"),
        (",", "but found ',' at position 1"),
    ],
)
def test_syntax_errors_say_what_was_expected_and_where(text: str, message: str) -> None:
    assert message in error_of(text)


@pytest.mark.parametrize(
    ("text", "character", "position"),
    [
        ("depth ^ 2", "^", 7),
        ("depth  $", "$", 8),
        ("sum(params) ; 1", ";", 13),
        ("'depth'", "'", 1),
        ("depth\x00", "\\x00", 6),
        ("π", "π", 1),
        ("depth + 模型", "模", 9),
        ("\N{PILE OF POO}", "\N{PILE OF POO}", 1),
        ("depth[0]", "[", 6),
        ("depth.real", ".", 6),
        ("a\u2028= 1", "=", 3),
        ("depth + \ud800", "\\ud800", 9),
    ],
)
def test_strange_characters_are_shown_with_their_place(text: str, character: str, position: int) -> None:
    message = error_of(text)
    assert "unexpected character" in message and character in message
    assert message.endswith(f"at position {position}")


@pytest.mark.parametrize(
    ("text", "unknown", "suggestion"),
    [
        ("sum(parms)", "parms", "params"),
        ("dpeth", "dpeth", "depth"),
        ("sum(frobenius(weight))", "frobenius", "frobenius_norm"),
        ("summ(params)", "summ", "sum"),
        ("sum(mean_abs(output@nois))", "output@nois", "output@noise"),
        ("sum(mean_abs(grad(outptu)@noise))", "grad(outptu)@noise", "grad(output)@noise"),
        ("sum(mean_abs(grad(weight)))", "grad(weight)", "grad(weight)@data"),
    ],
)
def test_unknown_names_come_with_the_nearest_ones(text: str, unknown: str, suggestion: str) -> None:
    message = error_of(text)
    assert f"'{unknown}'" in message
    assert "did you mean" in message and suggestion in message.split("did you mean")[1]


def test_an_unknown_name_with_nothing_near_has_no_suggestion() -> None:
    assert error_of("qqqqzzzz") == "unknown name 'qqqqzzzz'"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("sum(depth)", ("'sum' does not take (Network)", "(Layer) -> Network")),
        ("weight + depth", ("'add' does not take (Weights, Network)",)),
        ("logdet(weight)", ("'logdet' does not take (Weights)", "(SampleMatrix) -> Layer")),
        ("log(depth, depth)", ("'log' does not take (Network, Network)",)),
        ("minimum(depth)", ("'minimum' does not take (Network)",)),
        ("mean(weight, weight, weight)", ("'mean' does not take (Weights, Weights, Weights)",)),
    ],
)
def test_wrong_kinds_are_named_beside_those_that_fit(text: str, parts: tuple[str, ...]) -> None:
    message = error_of(text)
    assert all(part in message for part in parts)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000 + "depth" + ")" * 10_000,
        "(" * 10_000,
        "log(" * 10_000 + "depth" + ")" * 10_000,
        "log(" * 10_000,
        "depth-(" * 10_000 + "depth" + ")" * 10_000,
        "minimum(depth," * 10_000 + "depth" + ")" * 10_000,
    ],
    ids=[
        "parentheses",
        "open parentheses",
        "functions",
        "open functions",
        "differences",
        "second arguments",
    ],
)
def test_ten_thousand_levels_are_refused(text: str) -> None:
    assert error_of(text) == f"formula: nested deeper than {MAXIMUM_DEPTH}"


@pytest.mark.parametrize("levels", [MAXIMUM_DEPTH - 1, MAXIMUM_DEPTH])
def test_the_deepest_nesting_is_read(levels: int) -> None:
    nested = "log(" * levels + "depth" + ")" * levels
    enclosed = "(" * levels + "depth" + ")" * levels
    right = "depth + (" * levels + "depth" + ")" * levels
    if levels < MAXIMUM_DEPTH:
        for text, deepest in ((nested, MAXIMUM_DEPTH), (right, levels)):
            formula = parse(text)
            assert formula.depth == MAXIMUM_DEPTH and nesting(formula) == deepest and parse(str(formula)) == formula
        assert parse(enclosed) == parse("depth")
    else:
        for text in (nested, enclosed, right):
            assert "nested deeper" in error_of(text)


@pytest.mark.parametrize("number", ["1e400", "-1e400", "9" * 400, "1e999999999"])
def test_numbers_beyond_floats_are_refused(number: str) -> None:
    assert "is too large" in error_of(number)
    assert "is too large" in error_of(f"depth * {number}")


@pytest.mark.parametrize("name", ["nan", "inf", "NaN", "Infinity", "None", "True"])
def test_values_that_are_no_numbers_are_names(name: str) -> None:
    assert f"unknown name '{name}'" in error_of(name)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "().__class__.__bases__[0].__subclasses__()",
        "(lambda: depth)()",
        "[depth for depth in (1,)][0]",
        "eval(depth)",
        "open(depth)",
        "depth if depth else depth",
        "depth := 1",
        'f"{depth}"',
        "print(1)",
    ],
)
def test_code_is_no_formula(text: str) -> None:
    error_of(text)


def is_read_or_refused_in_one_line(text: str) -> bool:
    try:
        formula = parse(text)
    except FormulaError as error:
        return len(str(error).splitlines()) == 1
    return parse(str(formula)) == formula


@given(st.text())
@example("((((")
@example("grad(")
@example("\u0663")
def test_any_text_is_a_formula_or_an_error_of_one_line(text: str) -> None:
    assert is_read_or_refused_in_one_line(text)


TOKENS = "( ) + - * / , @ 1 2.5 1e3 depth params weight grad ( sum ( log ( minimum ( mean ( noise data chunks"


@given(st.lists(st.sampled_from(TOKENS.split(" ")), max_size=15).map(" ".join))
def test_any_words_are_a_formula_or_an_error_of_one_line(text: str) -> None:
    assert is_read_or_refused_in_one_line(text)


def test_nothing_in_the_language_evaluates_code() -> None:
    dangerous = {"eval", "exec", "compile", "__import__", "loads", "literal_eval"}
    for path in Path(zcproxy.formula.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in dangerous, f"{path.name}:{node.lineno} calls {node.func.id}"


def test_kinds_of_well_known_formulas() -> None:
    assert parse("weight").kind is Kind.WEIGHTS
    assert parse("grad(weight)@chunks").kind is Kind.WEIGHT_SAMPLES
    assert parse("mean(grad(weight)@chunks)").kind is Kind.WEIGHTS
    assert parse("input@data").kind is Kind.ACTIVATIONS
    assert parse("sample_gram(input@data)").kind is Kind.SAMPLE_MATRIX
    assert parse("channel_gram(input@data)").kind is Kind.CHANNEL_MATRIX
    assert parse("layer_sum(sample_gram(input@data))").kind is Kind.NETWORK_MATRIX
    assert parse("singular_values(weight)").kind is Kind.SPECTRUM
    assert parse("mean(weight)").kind is Kind.LAYER
    assert parse("mean(mean(weight))").kind is Kind.NETWORK
    assert parse("params * depth").kind is Kind.LAYER
    assert parse("depth * params").kind is Kind.LAYER
    assert parse("1").kind is Kind.NETWORK
