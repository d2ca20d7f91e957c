"""The text of a cell of NAS-Bench-201: four nodes, six edges, one of five operations on each edge.

A cell is written as in the official release, one group per node: `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`, where `op~s` is
the operation on the edge from node s.
"""

from __future__ import annotations

from collections.abc import Sequence

from zcproxy.benchmarks.shared.four_node_cells import EDGES, OUTPUT
from zcproxy.errors import BenchmarkError, nearest_names

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
_FORM = "|op~0|+|op~0|op~1|+|op~0|op~1|op~2|"


def to_operations(text: str) -> tuple[str, ...]:
    """Return the operations of a cell in the order of `EDGES`.

    Raises:
        BenchmarkError: the text is not a cell of NAS-Bench-201.
    """
    groups = text.strip().split("+")
    if len(groups) != OUTPUT:
        raise _not_a_cell(text, f"{len(groups)} nodes joined by '+', expected {OUTPUT}")
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
