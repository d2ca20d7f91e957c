"""Cells of four nodes with an operation on every edge: what NAS-Bench-201 and TransNAS-Bench-101 have in common.

Node 0 is the input, node 3 the output, and every node sums what its incoming edges deliver.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
"""Source and target of each edge, in topological order."""

OUTPUT = 3


def prune(operations: Sequence[str], *, none: str) -> tuple[str, ...]:
    """Return the operations with `none` on every edge that lies on no path from input to output."""
    edges = [edge for edge, operation in zip(EDGES, operations, strict=True) if operation != none]
    from_input, to_output = {0}, {OUTPUT}
    for source, target in edges:
        if source in from_input:
            from_input.add(target)
    for source, target in sorted(edges, reverse=True):
        if target in to_output:
            to_output.add(source)
    return tuple(
        operation if source in from_input and target in to_output else none
        for operation, (source, target) in zip(operations, EDGES, strict=True)
    )


def function_of(operations: Sequence[str], *, none: str, skip: str, linear: Collection[str]) -> str:
    """Return the cell as a sum of terms over its input `x`, the same for all cells that compute the same function.

    Dead edges vanish, skip connections pass terms on, linear operations distribute over them, and terms are sorted, so
    the numbering of nodes leaves no trace. One convolution used twice reads like two convolutions of one kind: the key
    joins cells that differ in that alone.

    Args:
        operations: one per edge.
        none: the operation that delivers nothing.
        skip: the one that delivers what it gets.
        linear: others without parameters that are linear.
    """
    terms: list[list[str]] = [["x"], [], [], []]
    for operation, (source, target) in zip(operations, EDGES, strict=True):
        incoming = terms[source]
        if operation == skip:
            terms[target] += incoming
        elif operation in linear:
            terms[target] += [f"{operation}({term})" for term in incoming]
        elif operation != none and incoming:
            terms[target].append(f"{operation}({'+'.join(sorted(incoming))})")
    return "+".join(sorted(terms[OUTPUT]))
