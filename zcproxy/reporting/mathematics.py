r"""Formulas as MathML, which browsers set without a script: what `zcproxy.export.latex` writes, converted.

The converter knows the commands of that module and no others. Published converters know all of LaTeX, but set
`\operatorname{total\_params}` as a product of twelve letters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from markupsafe import Markup, escape

from zcproxy.export.latex import latex
from zcproxy.formula import Node, vocabulary
from zcproxy.formula.tree import constant

LARGEST = 300
"""Nodes beyond which a formula is not set as mathematics: no reader follows it, and its text is on the page."""

LONGEST_FRACTION = 12
"""Nodes of a product whose fractions have a line."""

_TOKEN = re.compile(r"\\(?:[A-Za-z]+|.)|[0-9]+(?:\.[0-9]+)?|\S")
_NAMES = {
    **{rf"\{name}": name for name in ("ln", "det", "tanh", "min", "max")},
    **{r"\ell": "ℓ", r"\sigma": "σ", r"\nabla": "∇"},
}
CDOT = r"\cdot"
_CHAIN = ("multiply", "divide")
_SIGNS = {"+": "+", "-": "−", CDOT: "·", ",": ",", r"\sum": "∑"}
_FENCES = {"(": "(", ")": ")", r"\vert": "|", r"\Vert": "‖", r"\langle": "⟨", r"\rangle": "⟩"}
_BELOW = (r"\sum", r"\min", r"\max")
"""Operators whose index stands below them."""
_BREAKS = ("+", "-", CDOT)
"""Signs that a line may begin with."""
_APPLIED = '<mo lspace="0" rspace="0.17em">&#x2061;</mo>'
"""The invisible sign between a function and its argument, a thin space wide."""


def mathematics(formula: Node) -> Markup | None:
    """Return a formula as `math` elements between which lines may break; None for one above `LARGEST` nodes."""
    if formula.size > LARGEST:
        return None
    return Markup(" ").join(
        Markup(f'<math displaystyle="true"><mrow>{piece}</mrow></math>') for piece in _pieces(formula)
    )


def _pieces(formula: Node) -> list[str]:
    """Return the MathML of a formula in pieces that may stand on lines of their own.

    A long product is written as its factors, those that divide with a stroke: a line cannot break within a fraction.
    """
    if formula.symbol not in _CHAIN or formula.size <= LONGEST_FRACTION:
        return _Converter(latex(formula)).pieces()
    (_, first), *others = _factors(formula)
    return [_factor(first), *(f"<mo>{sign}</mo>{_factor(factor)}" for sign, factor in others)]


def _factors(formula: Node) -> list[tuple[str, Node]]:
    """Return the factors of a product from left to right, each with the sign before it."""
    found: list[tuple[str, Node]] = []
    waiting = [("·", formula)]
    while waiting:
        sign, node = waiting.pop()
        if node.symbol not in _CHAIN or sign == "/":
            found.append((sign, node))
        else:
            left, right = node.arguments
            waiting += [("/" if node.symbol == "divide" else "·", right), (sign, left)]
    return found


def _factor(node: Node) -> str:
    """Return the MathML of a factor, in parentheses where it needs them."""
    if node.symbol in _CHAIN:
        return f"<mo>(</mo>{''.join(_Converter(latex(node)).pieces())}<mo>)</mo>"
    beside_one = vocabulary().apply("multiply", constant(1.0), node)
    return "".join(_Converter(latex(beside_one)).pieces()[1:]).removeprefix(f"<mo>{_SIGNS[CDOT]}</mo>")


class _Converter:
    """Reads LaTeX token by token.

    Args:
        text: for mathematical mode.
    """

    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(text)
        self._place = 0

    def pieces(self) -> list[str]:
        """Return the MathML of the whole, cut before each sign of its outermost level."""
        found = [""]
        while self._place < len(self._tokens):
            if self._next in _BREAKS and found[-1]:
                found.append("")
            found[-1] += self._item()
        return found

    @property
    def _next(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def _take(self) -> str:
        self._place += 1
        return self._tokens[self._place - 1]

    def _item(self) -> str:
        """Return an atom with its indices."""
        token = self._next
        base = self._atom()
        scripts = dict(self._scripts())
        if not scripts:
            return base
        name = "under" if token in _BELOW else "sub"
        if len(scripts) == 2:
            return f"<msubsup>{base}{scripts['_']}{scripts['^']}</msubsup>"
        if "_" in scripts:
            return f"<m{name}>{base}{scripts['_']}</m{name}>"
        return f"<msup>{base}{scripts['^']}</msup>"

    def _scripts(self) -> Iterator[tuple[str, str]]:
        while self._next in ("^", "_"):
            sign = self._take()
            yield sign, self._atom()

    def _atom(self) -> str:
        token = self._take()
        if token == "{":
            return f"<mrow>{self._row('}')}</mrow>"
        if token == r"\left":
            return self._fenced()
        if token == r"\frac":
            return f"<mfrac>{self._atom()}{self._atom()}</mfrac>"
        if token == r"\sqrt":
            return f"<msqrt>{self._atom()}</msqrt>"
        if token == r"\hat":
            return f"<mover>{self._atom()}<mo>^</mo></mover>"
        if token in (r"\operatorname", r"\mathrm"):
            return f"<mi>{self._word()}</mi>"
        if token in _SIGNS:
            return f"<mo>{_SIGNS[token]}</mo>"
        if token[0].isdigit():
            return f"<mn>{token}</mn>"
        applied = _APPLIED if token in (r"\ln", r"\det", r"\tanh") else ""
        return f"<mi>{escape(_NAMES.get(token, token))}</mi>{applied}"

    def _row(self, end: str) -> str:
        found = ""
        while self._next != end:
            found += self._item()
        self._take()
        return found

    def _fenced(self) -> str:
        left = _FENCES[self._take()]
        inner = self._row(r"\right")
        right = _FENCES[self._take()]
        fence = '<mo fence="true" form="{}">{}</mo>'
        return f"<mrow>{fence.format('prefix', left)}{inner}{fence.format('postfix', right)}</mrow>"

    def _word(self) -> str:
        """Return the name in braces, whose underscores LaTeX escapes."""
        self._take()
        letters = []
        while self._next != "}":
            letters.append(self._take().removeprefix("\\"))
        self._take()
        return str(escape("".join(letters)))
