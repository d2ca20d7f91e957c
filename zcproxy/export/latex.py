r"""Formulas as LaTeX, for papers: `\sum_{\ell} \ln \left\Vert \nabla W_{\ell}^{\mathrm{data}} \right\Vert_F`.

A layer is indexed by \ell, a stage by s. What has a sign of its own in the field gets it; everything else is an
operator by its name.
"""

from __future__ import annotations

from zcproxy.formula.kinds import Kind
from zcproxy.formula.tree import Node, fold
from zcproxy.probing.statistic import statistic_of

_STATISTICS = {
    "weight": "W",
    "input": "X",
    "output": "Y",
    "normalized": r"\hat{Y}",
    "activation": "A",
    "preactivation": "P",
    "features": "F",
    "block": "B",
}
_OVER_LAYERS = {
    "sum": r"\sum_{{\ell}} {0}",
    "nansum": r"\sum_{{\ell}} {0}",
    "mean": r"\frac{{1}}{{L}} \sum_{{\ell}} {0}",
    "nanmean": r"\frac{{1}}{{L}} \sum_{{\ell}} {0}",
    "log_sum": r"\ln \sum_{{\ell}} {0}",
    "sum_log": r"\sum_{{\ell}} \ln {0}",
    "min": r"\min_{{\ell}} {0}",
    "max": r"\max_{{\ell}} {0}",
}
_OPERATIONS = {
    "add": "{0} + {1}",
    "subtract": "{0} - {1}",
    "multiply": r"{0} \cdot {1}",
    "divide": r"\frac{{{0}}}{{{1}}}",
    "power": "{{{0}}}^{{{1}}}",
    "abs": r"\left\vert {0} \right\vert",
    "square": "{0}^2",
    "sqrt": r"\sqrt{{{0}}}",
    "log": r"\ln {0}",
    "log1p": r"\ln \left( 1 + {0} \right)",
    "exp": r"e^{{{0}}}",
    "reciprocal": r"\frac{{1}}{{{0}}}",
    "sign": r"\operatorname{{sgn}} {0}",
    "tanh": r"\tanh {0}",
    "sigmoid": r"\sigma \left( {0} \right)",
    "frobenius_norm": r"\left\Vert {0} \right\Vert_F",
    "l1_norm": r"\left\Vert {0} \right\Vert_1",
    "logdet": r"\ln \det {0}",
    "det": r"\det {0}",
    "trace": r"\operatorname{{tr}} {0}",
    "dot": r"\left\langle {0}, {1} \right\rangle",
    "abs_dot": r"\left\langle \left\vert {0} \right\vert, \left\vert {1} \right\vert \right\rangle",
}
_ENCLOSING = frozenset(
    ("abs", "sqrt", "log1p", "exp", "sigmoid", "frobenius_norm", "l1_norm", "dot", "abs_dot", "divide", "reciprocal")
)
"""Operations whose own signs enclose their arguments."""

_SUMS = ("add", "subtract")


def latex(formula: Node) -> str:
    """Return a formula as LaTeX for mathematical mode."""
    return fold(formula, lambda node: node.arguments, _written)


def _written(node: Node, arguments: list[str]) -> str:
    """Return the LaTeX of a node, given that of its arguments."""
    if node.value is not None:
        return _number(node.value)
    if node.is_leaf:
        return _leaf(node)
    if node.symbol in _SUMS and (constant := node.arguments[1].value) is not None and constant < 0:
        # a + -0.7 is a - 0.7
        other = {"add": "subtract", "subtract": "add"}[node.symbol]
        return _OPERATIONS[other].format(_argument(node, 0, arguments[0]), _number(-constant))
    operator = _operator(node)
    if operator is None:
        index = "_{s}" if _is_over_stages(node) else r"_{\ell}"
        index = index if _is_over_layers(node) else ""
        return rf"{_name(node.symbol)}{index} \left( {', '.join(arguments)} \right)"
    return operator.format(*(_argument(node, place, written) for place, written in enumerate(arguments)))


def _operator(node: Node) -> str | None:
    if _is_over_layers(node):
        operator = _OVER_LAYERS.get(node.symbol)
        return operator.replace(r"\ell", "s").replace("{L}", "{S}") if operator and _is_over_stages(node) else operator
    return _OPERATIONS.get(node.symbol)


def _is_over_layers(node: Node) -> bool:
    return node.kind is Kind.NETWORK and any(child.kind in (Kind.LAYER, Kind.STAGE) for child in node.arguments)


def _is_over_stages(node: Node) -> bool:
    return any(child.kind is Kind.STAGE for child in node.arguments)


def _argument(parent: Node, place: int, written: str) -> str:
    """Return an argument, in parentheses where it would otherwise be read differently."""
    child = parent.arguments[place]
    if parent.symbol in _ENCLOSING and not _is_over_layers(parent):
        return written
    if parent.symbol in ("square", "power") and "@" in child.symbol:  # it has a superscript already
        return rf"\left( {written} \right)"
    is_subtracted = parent.symbol == "subtract" and place == 1
    if _is_atom(child) or (parent.symbol in _SUMS and not is_subtracted and not _is_over_layers(child)):
        return written
    if parent.symbol == "multiply" and child.symbol in ("multiply", "divide"):
        return written
    return rf"\left( {written} \right)"


def _is_atom(node: Node) -> bool:
    """Whether the text needs no parentheses."""
    if node.value is not None:
        return node.value >= 0 and "e" not in repr(node.value)
    if node.is_leaf or _operator(node) is None:
        return True
    return not _is_over_layers(node) and node.symbol in (_ENCLOSING - {"log1p", "exp"})


def _leaf(node: Node) -> str:
    statistic = statistic_of(node.symbol)
    gradient = r"\nabla " if statistic.is_gradient else ""
    letter = _STATISTICS.get(statistic.name) or _name(statistic.name)
    index = "" if node.kind is Kind.NETWORK else r"_{\ell}"
    superscript = rf"^{{\mathrm{{{statistic.probe}}}}}" if statistic.probe else ""
    return f"{gradient}{letter}{index}{superscript}"


def _name(text: str) -> str:
    return r"\operatorname{" + text.replace("_", r"\_") + "}"


def _number(value: float) -> str:
    digits, _, exponent = f"{value:.6g}".partition("e")
    return rf"{digits} \cdot 10^{{{int(exponent)}}}" if exponent else digits
