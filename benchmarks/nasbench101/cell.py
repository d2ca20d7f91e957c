"""The cells of NAS-Bench-101: graphs of up to seven vertices and nine edges, in the numbering of the benchmark.

Vertex 0 is the input, the last one the output, the others carry an operation. The edge from x to y, where x < y, is bit
`x + y(y - 1)/2` of a whole number. Of all numberings of one graph the benchmark has the one with the smallest number of
edges, then the smallest operations: its authors list graphs in this order (`generate_graphs.py` of
github.com/google-research/nasbench) and keep the first of those that are isomorphic. The number of channels depends on
the numbering where it does not divide evenly, so the published parameters are those of that numbering.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

OPERATIONS = ("conv3x3", "conv1x1", "maxpool3x3")
"""The operations, in the order of the benchmark."""

POOLING = "maxpool3x3"
MOST_VERTICES, MOST_EDGES = 7, 9
Edge = tuple[int, int]


@dataclass(frozen=True)
class Cell:
    """A graph without dead vertices.

    Attributes:
        operations: those of the vertices between input and output.
        edges: source and target of each; sources come before targets.
    """

    operations: tuple[str, ...]
    edges: frozenset[Edge]

    @property
    def output(self) -> int:
        """The number of the last vertex."""
        return len(self.operations) + 1

    def sources(self, vertex: int) -> list[int]:
        """Return the vertices that lead to a vertex, in order."""
        return sorted(source for source, target in self.edges if target == vertex)

    def targets(self, vertex: int) -> list[int]:
        """Return the vertices that a vertex leads to, in order."""
        return sorted(target for source, target in self.edges if source == vertex)


def canonical(operations: Mapping[int, str], edges: Collection[Edge], output: int) -> Cell:
    """Return the cell of a graph without cycles, in the numbering of the benchmark, without its dead vertices.

    Args:
        operations: operation of each vertex between input (0) and output; vertices have any numbers above 0.
        edges: source and target of each.
        output: the number of the output.

    Raises:
        ValueError: no path leads from input to output, or there are more vertices or edges than the benchmark has.
    """
    kept = _reached(0, edges) & _reached(output, [(target, source) for source, target in edges])
    if output not in kept:
        raise ValueError("no path leads from the input to the output")
    alive = [edge for edge in edges if kept.issuperset(edge)]
    if len(kept) > MOST_VERTICES or len(alive) > MOST_EDGES:
        found = f"{len(kept)} vertices and {len(alive)} edges"
        raise ValueError(f"it has {found}, a cell has at most {MOST_VERTICES} and {MOST_EDGES}")
    order = _in_order(kept - {output}, alive)
    place = {vertex: number for number, vertex in enumerate([*order, output])}
    bits = to_bits((place[source], place[target]) for source, target in alive)
    labels = [OPERATIONS.index(operations[vertex]) for vertex in order[1:]]
    smallest, orders = _smallest(len(kept), bits)
    chosen = min([labels[vertex - 1] for vertex in numbering] for numbering in orders)
    return Cell(tuple(OPERATIONS[label] for label in chosen), edges_of(smallest))


def is_canonical(vertices: int, bits: int, labels: Sequence[int]) -> bool:
    """Whether a graph without dead vertices is in the numbering of the benchmark.

    Args:
        vertices: their number.
        bits: its edges.
        labels: indices of its operations in `OPERATIONS`.
    """
    smallest, orders = _smallest(vertices, bits)
    own = list(labels)
    return bits == smallest and all(own <= [own[vertex - 1] for vertex in numbering] for numbering in orders)


def has_dead_vertices(vertices: int, bits: int) -> bool:
    """Whether some vertex lies on no path from input to output: none leads to it, or it leads to none."""
    edges = edges_of(bits)
    sources, targets = {source for source, _ in edges}, {target for _, target in edges}
    return len(sources) < vertices - 1 or len(targets) < vertices - 1


def to_bits(edges: Collection[Edge] | Iterator[Edge]) -> int:
    """Return the number that stands for some edges."""
    return sum(1 << (source + target * (target - 1) // 2) for source, target in edges)


@lru_cache(maxsize=2**16)
def edges_of(bits: int) -> frozenset[Edge]:
    """Return the edges that a number stands for."""
    pairs = ((source, target) for target in range(1, MOST_VERTICES) for source in range(target))
    return frozenset(pair for place, pair in enumerate(pairs) if bits >> place & 1)


@lru_cache(maxsize=2**16)
def _smallest(vertices: int, bits: int) -> tuple[int, tuple[tuple[int, ...], ...]]:
    """Return the smallest number of a graph's edges, and the orders of its inner vertices that give it."""
    edges = edges_of(bits)
    best, found = bits, [tuple(range(1, vertices - 1))]
    for order in _orders(frozenset(range(1, vertices - 1)), edges):
        place = {0: 0, vertices - 1: vertices - 1, **{vertex: number for number, vertex in enumerate(order, start=1)}}
        number = to_bits((place[source], place[target]) for source, target in edges)
        if number <= best:
            found = [*found, order] if number == best else [order]
            best = number
    return best, tuple(found)


def _orders(left: frozenset[int], edges: Collection[Edge]) -> Iterator[tuple[int, ...]]:
    """Yield all orders of some vertices in which sources come before targets."""
    if not left:
        yield ()
    for vertex in sorted(left):
        if not any(source in left for source, target in edges if target == vertex):
            for rest in _orders(left - {vertex}, edges):
                yield (vertex, *rest)


def _in_order(vertices: set[int], edges: Collection[Edge]) -> list[int]:
    """Return some vertices in an order in which sources come before targets."""
    order: list[int] = []
    while len(order) < len(vertices):
        left = vertices.difference(order)
        order.append(min(left - {target for source, target in edges if source in left}))
    return order


def _reached(start: int, edges: Collection[Edge]) -> set[int]:
    """Return the vertices that paths lead to from a vertex, which is one of them."""
    found, new = {start}, {start}
    while new:
        new = {target for source, target in edges if source in new} - found
        found |= new
    return found
