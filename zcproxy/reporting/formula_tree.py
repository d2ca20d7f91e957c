"""A formula as a tree: one line per node, indented below its parent, with a bar for what it contributes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from zcproxy.formula import Node, vocabulary
from zcproxy.formula.grammar import SIGNS
from zcproxy.reporting.contributions import Contribution, Path, below
from zcproxy.text.visible import shortened, visible

ROW, INDENT, LETTER, BAR, MARGIN = 22.0, 16.0, 7.3, 90.0, 12.0
"""Sizes in pixels: of a line, a step inwards, a letter, the longest bar, and what is left around."""
SMALLEST = 0.72
"""Share of its size to which a narrow page shrinks the tree."""
LARGEST = 300
"""Nodes beyond which a formula is not drawn."""
LONGEST_LABEL = 34
LONGEST_HINT = 400
_TITLE = Markup("<title>{}</title>")


@dataclass(frozen=True)
class _Row:
    """A line of the tree.

    Attributes:
        node: the node.
        path: where it is in the formula.
        depth: steps inwards.
        above: the line of what it stands below; -1 for the root.
    """

    node: Node
    path: Path
    depth: int
    above: int


def formula_tree(formula: Node, found: Sequence[Contribution] = ()) -> Markup | None:
    """Return the tree of a formula as an `svg` element; None for one above `LARGEST` nodes."""
    if formula.size > LARGEST:
        return None
    rows = _rows(formula)
    lost = {item.path: item.lost for item in found}
    most = max([abs(each) for each in lost.values()], default=0.0)
    left = MARGIN + max(INDENT * row.depth + LETTER * len(_label(row.node)) for row in rows) + 10.0
    width = left + (BAR + 64.0 if lost else 0.0) + MARGIN
    pieces = [_edge(row, number) for number, row in enumerate(rows) if row.above >= 0]
    for number, row in enumerate(rows):
        pieces.append(_node(row, number))
        if row.path in lost:
            pieces.append(_bar(lost[row.path], most, left, number))
    opened = Markup(
        '<svg class="tree" viewBox="0 0 {0:.0f} {1:.0f}" style="width:{0:.0f}px;min-width:{2:.0f}px" role="img" '
        'aria-label="the formula as a tree">'
    ).format(width, ROW * len(rows) + 2 * MARGIN, SMALLEST * width)
    return opened + Markup("").join(pieces) + Markup("</svg>")


def _rows(formula: Node) -> list[_Row]:
    """Return the lines from top to bottom: what a node stands above follows it."""
    found: list[_Row] = []
    waiting = [_Row(formula, (), 0, -1)]
    while waiting:
        row = waiting.pop()
        number = len(found)
        found.append(row)
        waiting += reversed([_Row(node, path, row.depth + 1, number) for path, node in below(row.path, row.node)])
    return found


def _label(node: Node) -> str:
    if node.value is not None:
        return f"{node.value:.6g}"
    sign = {"*": "×", "/": "÷", "-": "−"}.get(SIGNS.get(node.symbol, ""), SIGNS.get(node.symbol))
    return visible(shortened(node.symbol, LONGEST_LABEL)) if sign is None else f"{sign} {node.symbol}"


def _height(number: int) -> float:
    return MARGIN + ROW * (number + 0.5)


def _edge(row: _Row, number: int) -> Markup:
    x = MARGIN + INDENT * row.depth
    path = Markup('<path class="edge" d="M{0:.1f} {1:.1f}V{2:.1f}H{3:.1f}"/>')
    return path.format(x - INDENT, _height(row.above) + 5, _height(number), x - 5)


def _node(row: _Row, number: int) -> Markup:
    x, y, node = MARGIN + INDENT * row.depth, _height(number), row.node
    kind = "constant" if node.is_constant else "column" if node.is_column else "leaf" if node.is_leaf else "inner"
    hint = _TITLE.format(visible(shortened(f"{node.text}: {_meaning(node)}", LONGEST_HINT)))
    return Markup(
        '<g>{0}<circle class="{1}" cx="{2:.1f}" cy="{3:.1f}" r="4"/><text x="{4:.1f}" y="{5:.1f}">{6}</text></g>'
    ).format(hint, kind, x, y, x + 9, y + 4, _label(node))


def _meaning(node: Node) -> str:
    """Return what a node stands for, and how many of it there are."""
    language = vocabulary()
    if node.is_constant:
        return "a constant"
    meaning = language.leaf_meanings.get(node.symbol, "") if node.is_leaf else language.get(node.symbol).formula
    per = {"Layer": "one number per layer", "Stage": "one number per stage", "Network": "one number per network"}
    return "; ".join(filter(None, (meaning, per.get(node.kind.value, node.kind.value))))


def _bar(lost: float, most: float, left: float, number: int) -> Markup:
    y, length = _height(number), BAR * abs(lost) / most if most else 0.0
    return Markup(
        '<rect class="{0}" x="{1:.1f}" y="{2:.1f}" width="{3:.1f}" height="10"/>'
        '<text class="lost" x="{4:.1f}" y="{5:.1f}">{6}</text>'
    ).format("gain" if lost < 0 else "loss", left, y - 5, length, left + length + 5, y + 4, f"{-lost:+.3f}")
