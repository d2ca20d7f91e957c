"""Multiply-adds of the cell networks on the digits, without building them: a sum over the edges of the two cells.

Every node of a cell is joined at its end, so what a network costs besides its edges depends on width and depth alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

SIDE, IMAGE_CHANNELS, CLASSES = 12, 1, 10
"""The digits: height and width, channels, classes."""


@dataclass(frozen=True)
class Place:
    """One cell of a network: `side` is that of its input, `before` and `previous` are the channels of its two."""

    reduces: bool
    channels: int
    side: int
    before: int
    previous: int
    before_is_larger: bool


def places(width: int, depth: int, nodes: int) -> Iterator[Place]:
    """Yield the cells in order, as `zcproxy.benchmarks.nds.cells.CellNetwork` arranges them on small images."""
    channels, side, before, previous, before_is_larger = width, SIDE, 3 * width, 3 * width, False
    for number in range(depth):
        reduces = number in (depth // 3, 2 * depth // 3)
        channels *= 2 if reduces else 1
        yield Place(reduces, channels, side, before, previous, before_is_larger)
        before, previous, before_is_larger = previous, channels * nodes, reduces
        side = (side + 1) // 2 if reduces else side


@cache
def fixed_macs(width: int, depth: int, nodes: int) -> int:
    """Return the multiply-adds of stem, classifier and the two convolutions that begin each cell."""
    cells = list(places(width, depth, nodes))
    begins = sum((cell.before + cell.previous) * cell.channels * cell.side**2 for cell in cells)
    return 9 * IMAGE_CHANNELS * 3 * width * SIDE**2 + begins + cells[-1].channels * nodes * CLASSES


@cache
def edge_macs(operation: str, width: int, depth: int, nodes: int, *, reduction: bool, from_input: bool) -> int:
    """Return the multiply-adds of one edge in all normal cells, or in both reducing ones.

    Args:
        operation: what it carries.
        width: channels of a node in the first stage.
        depth: number of cells.
        nodes: nodes of a cell, its two inputs left out.
        reduction: whether it is an edge of the reducing cell.
        from_input: whether it comes from an input of the cell: there the reducing cell has stride 2.
    """
    total = 0
    for cell in places(width, depth, nodes):
        if cell.reduces == reduction:
            side = (cell.side + 1) // 2 if reduction else cell.side
            total += _per_position(operation, cell.channels, halves=reduction and from_input) * side**2
    return total


def _per_position(operation: str, channels: int, *, halves: bool) -> int:
    match operation:
        case "conv_1x1":
            return channels**2
        case "conv_3x3":
            return 9 * channels**2
        case "dil_conv_3x3":
            return 9 * channels + channels**2
        case "skip_connect" if halves:
            return channels**2
        case _:
            return 0
