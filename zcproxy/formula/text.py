"""Formulas as text: `parse` builds a tree from the registry and never evaluates code; a tree prints itself.

Grammar, loosest binding first; `+ -` and `* /` associate to the left:

    sum      := product (("+" | "-") product)*
    product  := factor (("*" | "/") factor)*
    factor   := "-" number | number | "(" sum ")" | leaf | name "(" sum ("," sum)* ")"
    leaf     := name ["@" name] | "grad" "(" name ")" "@" name
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import NamedTuple

from zcproxy.errors import FormulaError
from zcproxy.formula.grammar import NAMES, SIGNS
from zcproxy.formula.language import LANGUAGE, current_name
from zcproxy.formula.registry import Registry, vocabulary
from zcproxy.formula.tree import Node, constant, fold
from zcproxy.text.visible import shortened

MAXIMUM_DEPTH = 100
"""Deepest nesting of parentheses that is read; a sum may have any number of terms. What is useful stays below 20."""

NEIGHBOURHOOD = 60
"""Most characters of a formula that an error message quotes."""

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<sign>[-+*/(),@]))"
)


class _Token(NamedTuple):
    kind: str
    text: str
    position: int


def parse(text: str, registry: Registry | None = None, *, language: int = LANGUAGE) -> Node:
    """Return the tree of a formula.

    Args:
        text: the formula.
        registry: the words; None for all that `zcproxy.primitives` has.
        language: version of the language that the text is written in, see `zcproxy.formula.language`.

    Raises:
        FormulaError: syntax error (with its position), unknown name (with the nearest ones), arguments of the wrong
            kind, or nesting deeper than `MAXIMUM_DEPTH`.
    """
    return _Parser(text, registry or vocabulary(), language).parse()


def updated(text: str, language: int) -> str:
    """Return the text that a formula of an older version of the language has today.

    Raises:
        FormulaError: see `parse`.
    """
    return text if language == LANGUAGE else str(parse(text, language=language))


def _tokens(text: str) -> list[_Token]:
    tokens = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            at = len(text) - len(text[position:].lstrip())
            raise FormulaError(f"formula: unexpected character {text[at]!r} {_place(text, at)}")
        kind = str(match.lastgroup)
        tokens.append(_Token(kind, match.group(kind), match.start(kind)))
        position = match.end()
    tokens.append(_Token("end", "end of the formula", end))
    return tokens


def _place(text: str, index: int) -> str:
    """Return where in a formula something is, with what stands around it where the text is long."""
    around = text[max(0, index - NEIGHBOURHOOD // 2) : index + NEIGHBOURHOOD // 2]
    return f"at position {index + 1}" + ("" if len(text) <= 2 * NEIGHBOURHOOD else f", near '{around}'")


class _Parser:
    def __init__(self, text: str, registry: Registry, language: int) -> None:
        self._text = text
        self._language = language
        self._tokens = _tokens(text)
        self._index = 0
        self._depth = 0
        self._registry = registry

    def parse(self) -> Node:
        node = self._sum()
        if self._next.kind != "end":
            raise self._unexpected("an operator or the end")
        return node

    @property
    def _next(self) -> _Token:
        return self._tokens[self._index]

    def _take(self, sign: str) -> bool:
        if self._next.kind == "sign" and self._next.text == sign:
            self._index += 1
            return True
        return False

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise self._unexpected(f"'{sign}'")

    def _unexpected(self, wanted: str) -> FormulaError:
        token = self._next
        found = token.text if token.kind == "end" else f"'{shortened(token.text, NEIGHBOURHOOD)}'"
        empty = "" if self._text.strip() else "it is empty, "
        return FormulaError(f"formula: {empty}expected {wanted} but found {found} {_place(self._text, token.position)}")

    def _sum(self) -> Node:
        self._depth += 1
        if self._depth > MAXIMUM_DEPTH:
            raise FormulaError(f"formula: nested deeper than {MAXIMUM_DEPTH}")
        node = self._chain("+-", lambda: self._chain("*/", self._factor))
        self._depth -= 1
        return node

    def _chain(self, signs: str, operand: Callable[[], Node]) -> Node:
        node = operand()
        while self._next.kind == "sign" and self._next.text in signs:
            name = NAMES[self._next.text]
            self._index += 1
            node = self._registry.apply(name, node, operand())
        return node

    def _factor(self) -> Node:
        negative = self._take("-")
        if self._next.kind == "number":
            value = float(self._next.text)
            if not math.isfinite(value):
                raise FormulaError(f"formula: the number {shortened(self._next.text, NEIGHBOURHOOD)} is too large")
            self._index += 1
            return constant(-value if negative else value)
        if negative:
            raise self._unexpected("a number after '-'")
        if self._take("("):
            node = self._sum()
            self._expect(")")
            return node
        if self._next.kind != "name":
            raise self._unexpected("a name, a number or '('")
        return self._named()

    def _named(self) -> Node:
        name = self._next.text
        self._index += 1
        if name == "grad" and self._next.text == "(":
            return self._gradient()
        if self._take("("):
            arguments = [self._sum()]
            while self._take(","):
                arguments.append(self._sum())
            self._expect(")")
            return self._registry.apply(current_name(name, self._language), *arguments)
        return self._registry.leaf(name + self._probe())

    def _gradient(self) -> Node:
        self._expect("(")
        name = self._next.text
        if self._next.kind != "name":
            raise self._unexpected("the name of a statistic")
        self._index += 1
        self._expect(")")
        return self._registry.leaf(f"grad({name}){self._probe()}")

    def _probe(self) -> str:
        if not self._take("@"):
            return ""
        name = self._next.text
        if self._next.kind != "name":
            raise self._unexpected("the name of a probe")
        self._index += 1
        return f"@{name}"


def nesting(node: Node) -> int:
    """Return how deep the text of a tree is nested, as `parse` counts it: parentheses, those of functions included."""

    def of(item: Node, below: list[int]) -> int:
        if item.is_leaf:
            return 1
        if item.symbol not in SIGNS:
            return 1 + max(below)
        enclosed = zip(below, item.enclosed(), strict=True)
        return max(depth + is_enclosed for depth, is_enclosed in enclosed)

    return fold(node, lambda item: item.arguments, of)


def has_readable_text(node: Node) -> bool:
    """Whether `parse` takes the text of a tree: it is not nested too deep."""
    return node.depth <= MAXIMUM_DEPTH or nesting(node) <= MAXIMUM_DEPTH
