"""The cells of NAS-Bench-201: four nodes, six edges, one of five operations on each edge.

Node 0 is the input, node 3 the output, and every node sums what its incoming edges deliver. A cell is written as in the
official release, one group per node: `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`, where `op~s` is the operation on the edge
from node s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from random import Random

from zcproxy.errors import BenchmarkError, nearest_names

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))  # (source, target), in the order of the text
_OUTPUT = 3
_FORM = "|op~0|+|op~0|op~1|+|op~0|op~1|op~2|"


def to_operations(text: str) -> tuple[str, ...]:
    """Return the operations of a cell in the order of `EDGES`.

    Raises:
        BenchmarkError: the text is not a cell of NAS-Bench-201.
    """
    groups = text.strip().split("+")
    if len(groups) != _OUTPUT:
        raise _not_a_cell(text, f"{len(groups)} nodes joined by '+', expected {_OUTPUT}")
    operations = []
    for target, group in enumerate(groups, start=1):
        if len(group) < 2 or not (group.startswith("|") and group.endswith("|")):
            raise _not_a_cell(text, f"node {target} is {group!r}, expected edges between bars")
        edges = group[1:-1].split("|")
        if len(edges) != target:
            raise _not_a_cell(text, f"node {target} has {len(edges)} edges, expected {target}")
        for source, edge in enumerate(edges):
            operation, _, origin = edge.partition("~")
            if operation not in OPERATIONS:
                hint = nearest_names(operation, OPERATIONS) or f"; known operations: {', '.join(OPERATIONS)}"
                raise _not_a_cell(text, f"unknown operation {operation!r}{hint}")
            if origin != str(source):
                raise _not_a_cell(text, f"edge {edge!r} of node {target} must come from node {source}")
            operations.append(operation)
    return tuple(operations)


def to_text(operations: Sequence[str]) -> str:
    """Return the official text of six operations given in the order of `EDGES`."""
    edges = [f"{operation}~{source}" for operation, (source, _) in zip(operations, EDGES, strict=True)]
    return f"|{edges[0]}|+|{'|'.join(edges[1:3])}|+|{'|'.join(edges[3:])}|"


def _not_a_cell(text: str, reason: str) -> BenchmarkError:
    shown = text if len(text) <= 120 else text[:117] + "..."
    return BenchmarkError(f"{shown!r} is not a NAS-Bench-201 cell: {reason} (form: {_FORM})")


class NASBench201Space:
    """All 15,625 cells; architectures are their official texts. Implements `zcproxy.benchmark.SearchSpace`."""

    name = "nasbench201"

    def parse(self, text: str) -> str:
        """Return the canonical text of a cell; surrounding white space is dropped, all else has to be exact."""
        return to_text(to_operations(text))

    def sample(self, rng: Random) -> str:
        """Return a cell drawn uniformly."""
        return to_text(rng.choices(OPERATIONS, k=len(EDGES)))

    def enumerate(self) -> Iterator[str]:
        """Yield the 15,625 cells in lexicographic order of `OPERATIONS` (not the official index order)."""
        return map(to_text, product(OPERATIONS, repeat=len(EDGES)))

    def neighbours(self, architecture: str) -> list[str]:
        """Return the 24 cells that differ in one edge."""
        operations = to_operations(architecture)
        return [
            to_text((*operations[:edge], other, *operations[edge + 1 :]))
            for edge, current in enumerate(operations)
            for other in OPERATIONS
            if other != current
        ]

    def mutate(self, architecture: str, rng: Random) -> str:
        """Return one of the 24 neighbours, drawn uniformly."""
        return rng.choice(self.neighbours(architecture))

    def crossover(self, first: str, second: str, rng: Random) -> str:
        """Return a cell that takes the operation of every edge from either parent with equal chance."""
        return to_text([rng.choice(pair) for pair in zip(to_operations(first), to_operations(second), strict=True)])

    def prune(self, architecture: str) -> str:
        """Return the cell with `none` on every edge that lies on no path from input to output.

        The 15,625 cells have 9,445 different results: the table's `pruned_index` numbers them.
        """
        operations = to_operations(architecture)
        edges = [edge for edge, operation in zip(EDGES, operations, strict=True) if operation != "none"]
        from_input, to_output = {0}, {_OUTPUT}
        for source, target in edges:  # in topological order
            if source in from_input:
                from_input.add(target)
        for source, target in sorted(edges, reverse=True):
            if target in to_output:
                to_output.add(source)
        return to_text(
            [
                operation if source in from_input and target in to_output else "none"
                for operation, (source, target) in zip(operations, EDGES, strict=True)
            ]
        )

    def function_key(self, architecture: str) -> str:
        """Return the cell as a sum of terms over its input `x`, the same for all cells that compute the same function.

        Dead edges vanish, skip connections pass terms on, pooling (linear) distributes over them, and terms are sorted,
        so the numbering of nodes leaves no trace. One convolution used twice reads like two convolutions of one kind:
        the key joins cells that differ in that alone.
        """
        terms: list[list[str]] = [["x"], [], [], []]
        for operation, (source, target) in zip(to_operations(architecture), EDGES, strict=True):
            incoming = terms[source]
            if operation == "skip_connect":
                terms[target] += incoming
            elif operation == "avg_pool_3x3":
                terms[target] += [f"{operation}({term})" for term in incoming]
            elif operation != "none" and incoming:
                terms[target].append(f"{operation}({'+'.join(sorted(incoming))})")
        return "+".join(sorted(terms[_OUTPUT]))
