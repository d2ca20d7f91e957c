"""Changes of a cell of NAS-Bench-101 that lead to its neighbours, and what different cells have in common."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from zcproxy.benchmarks.nasbench101.cell import MOST_EDGES, MOST_VERTICES, OPERATIONS, POOLING, Cell, Edge, canonical


def edited(cell: Cell) -> Iterator[Cell]:
    """Yield the cells one edit away; some may come twice, or be the cell itself.

    An edit changes an operation, adds or removes an edge, puts a vertex in place of an edge, or an edge in place of a
    vertex that one edge leads to and one leaves. Edits that would leave a dead vertex are none, so that each can be
    undone by another.
    """
    own = dict(enumerate(cell.operations, start=1))
    for vertex, operation in own.items():
        for other in OPERATIONS:
            if other != operation:
                yield canonical({**own, vertex: other}, cell.edges, cell.output)
    for edges in _changed_edges(cell):
        yield canonical(own, edges, cell.output)
    for vertex in own:
        before, after = cell.sources(vertex), cell.targets(vertex)
        if len(before) == len(after) == 1 and (before[0], after[0]) not in cell.edges:
            kept = [edge for edge in cell.edges if vertex not in edge]
            yield canonical(own, [*kept, (before[0], after[0])], cell.output)
    if cell.output + 1 < MOST_VERTICES and len(cell.edges) < MOST_EDGES:
        new = cell.output + 1
        for source, target in sorted(cell.edges):
            edges = cell.edges - {(source, target)} | {(source, new), (new, target)}
            for operation in OPERATIONS:
                yield canonical({**own, new: operation}, edges, cell.output)


def without_repeated_pooling(cell: Cell) -> Cell:
    """Return a cell that computes the same, in which one pooling stands for several of the same values.

    Two poolings are one where the same vertices lead to them, the input not among them (it reaches each by weights of
    its own), and they lead to no vertex in common (which adds, or joins, both).
    """
    pools = [vertex for vertex, operation in enumerate(cell.operations, start=1) if operation == POOLING]
    for first, second in combinations(pools, 2):
        before = cell.sources(first)
        apart = not set(cell.targets(first)).intersection(cell.targets(second))
        if before == cell.sources(second) and 0 not in before and apart:
            moved = [(first, target) for target in cell.targets(second)]
            kept = [edge for edge in cell.edges if second not in edge]
            operations = dict(enumerate(cell.operations, start=1))
            return without_repeated_pooling(canonical(operations, [*kept, *moved], cell.output))
    return cell


def _changed_edges(cell: Cell) -> Iterator[frozenset[Edge]]:
    """Yield the edges of the cells with one edge less or more."""
    for source, target in sorted(cell.edges):
        if len(cell.targets(source)) > 1 and len(cell.sources(target)) > 1:
            yield cell.edges - {(source, target)}
    if len(cell.edges) == MOST_EDGES:
        return
    after = {vertex: _descendants(cell, vertex) for vertex in range(cell.output + 1)}
    for source in range(cell.output):
        for target in range(1, cell.output + 1):
            if source != target and (source, target) not in cell.edges and source not in after[target]:
                yield cell.edges | {(source, target)}


def _descendants(cell: Cell, vertex: int) -> set[int]:
    """Return the vertices that paths lead to from a vertex."""
    found: set[int] = set()
    for target in cell.targets(vertex):
        found |= {target, *_descendants(cell, target)}
    return found
