"""Formulas as MathML."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

import pytest

from zcproxy.formula.registry import vocabulary
from zcproxy.formula.tree import Node
from zcproxy.primitives import parse
from zcproxy.primitives.zoo import NAMES, published
from zcproxy.reporting.formula_tree import formula_tree
from zcproxy.reporting.mathematics import LARGEST, mathematics

ELEMENTS = {"math", "mrow", "mi", "mn", "mo", "msub", "msup", "msubsup", "munder", "mfrac", "msqrt", "mover"}
CHILDREN = {"msub": 2, "msup": 2, "munder": 2, "mfrac": 2, "mover": 2, "msubsup": 3}


def words(node: Xml.Element) -> str:
    return "".join(node.itertext()).replace("\u2061", " ")


def set_as(formula: Node) -> list[Xml.Element]:
    """Return the `math` elements of a formula, checked against what MathML Core says of each."""
    written = mathematics(formula)
    assert written is not None
    found = list(Xml.fromstring(f"<p>{written}</p>"))
    for element in (each for math in found for each in math.iter()):
        assert element.tag in ELEMENTS
        assert len(element) == CHILDREN.get(element.tag, len(element)), element.tag
        assert element.tag not in ("mi", "mn", "mo") or (len(element) == 0 and element.text)
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sum(log(params))", "∑ℓ(ln paramsℓ)"),
        ("total_params / total_macs", "total_paramstotal_macs"),
        ("sum(l1_norm(grad(weight)@noise))", "∑ℓ‖∇Wℓnoise‖1"),
        ("log_paths - 2.5", "log_paths−2.5"),
        ("sqrt(abs(log_paths))", "|log_paths|"),
    ],
)
def test_a_formula_reads_as_it_is_written(text: str, expected: str) -> None:
    assert "".join(map(words, set_as(parse(text)))) == expected


def test_lines_may_break_between_terms_and_factors_and_nowhere_else() -> None:
    assert len(set_as(parse("log_paths + total_macs - 3 * total_params"))) == 3
    assert len(set_as(parse("sum(log(params) + log(macs))"))) == 1
    long = "log_paths * total_macs * (longest_path + 1) * sum(log(params)) * mean(log(macs)) / (total_params + 1)"
    assert [words(piece) for piece in set_as(parse(long))] == [
        *("log_paths", "·total_macs", "·(longest_path+1)", "·(∑ℓ(ln paramsℓ))", "·(1L∑ℓ(ln macsℓ))"),
        "/(total_params+1)",
    ]
    nested = (
        "log_paths * (total_macs * (longest_path / (total_params * log_paths))) / log(total_macs) * sum(log(params))"
    )
    assert [words(piece) for piece in set_as(parse(nested))] == [
        *("log_paths", "·total_macs", "·longest_path", "/(total_params·log_paths)", "/(ln total_macs)"),
        "·(∑ℓ(ln paramsℓ))",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_every_published_proxy_is_set_and_drawn(name: str) -> None:
    formula = published(name).formula
    assert set_as(parse(formula) if isinstance(formula, str) else formula)


def test_every_primitive_and_every_leaf_is_set() -> None:
    language = vocabulary()
    for name, primitive in language.primitives.items():
        for signature in primitive.functions:
            arguments = tuple(Node("x", kind) for kind in signature.arguments)
            assert set_as(Node(name, signature.result, arguments))
    for text, kind in language.leaves.items():
        assert set_as(Node(text, kind))


def test_what_is_too_large_is_left_to_its_text() -> None:
    large = parse(" + ".join(["log_paths"] * LARGEST))
    assert mathematics(large) is None and formula_tree(large) is None


def test_a_tree_has_a_line_per_node_and_terms_side_by_side() -> None:
    formula = parse("log_paths + total_macs + sum(log(params)) * 2")
    tree = Xml.fromstring(str(formula_tree(formula)))
    labels = [(element.text, float(element.get("x") or 0)) for element in tree.iter("text")]
    assert [text for text, _ in labels] == [
        *("+ add", "log_paths", "total_macs", "× multiply", "sum", "log", "params", "2"),
    ]
    inwards = dict(labels)
    assert inwards["log_paths"] == inwards["total_macs"] == inwards["× multiply"] < inwards["sum"] == inwards["2"]
    hints = [element.text or "" for element in tree.iter("title")]
    assert len(hints) == len(labels) and hints[6].startswith("params: parameters of the layer")
