"""The text of a cell of NAS-Bench-101: `conv3x3~0/maxpool3x3~0.1/output~1.2`.

One part per vertex after the input, which is vertex 0: its operation, and the vertices that lead to it.
"""

from __future__ import annotations

import re

from zcproxy.benchmarks.nasbench101.cell import MOST_VERTICES, OPERATIONS, Cell, Edge, canonical
from zcproxy.errors import nearest_names

OUTPUT = "output"
FORM = "OPERATION~SOURCE.SOURCE/.../output~SOURCE.SOURCE"
_LONGEST = 60


def to_cell(text: str) -> Cell:
    """Return the cell that a text describes, in the numbering of the benchmark, without its dead vertices.

    Raises:
        ValueError: the text has another form, or describes no cell; the message says what is wrong.
    """
    parts = text.strip().split("/")
    if len(parts) > MOST_VERTICES - 1:
        raise ValueError(f"it has {len(parts) + 1} vertices with the input, at most {MOST_VERTICES}")
    operations: dict[int, str] = {}
    edges: list[Edge] = []
    for vertex, part in enumerate(parts, start=1):
        name, _, sources = part.partition("~")
        _check_operation(name[:_LONGEST], vertex, is_last=vertex == len(parts))
        operations[vertex] = name
        edges += [(source, vertex) for source in _sources(sources, vertex)]
    return canonical(operations, edges, output=len(parts))


def to_text(cell: Cell) -> str:
    """Return the text of a cell."""
    names = [*cell.operations, OUTPUT]
    return "/".join(f"{name}~{'.'.join(map(str, cell.sources(vertex)))}" for vertex, name in enumerate(names, start=1))


def _check_operation(name: str, vertex: int, *, is_last: bool) -> None:
    """Raise `ValueError` unless a vertex may have this name."""
    if is_last and name != OUTPUT:
        raise ValueError(f"its last vertex is '{name}', not '{OUTPUT}' (form: {FORM})")
    if not is_last and name not in OPERATIONS:
        hint = nearest_names(name, OPERATIONS) or f"; known operations: {', '.join(OPERATIONS)}"
        raise ValueError(f"vertex {vertex} has the unknown operation '{name}'{hint}")


def _sources(text: str, vertex: int) -> list[int]:
    """Return the numbers of the vertices that lead to one. Raises `ValueError` for other text."""
    if not text:
        return []
    found = text[:_LONGEST].split(".")
    wrong = next((each for each in found if not re.fullmatch("[0-9]", each) or int(each) >= vertex), None)
    if wrong is not None:
        raise ValueError(f"'{wrong}' does not lead to vertex {vertex}: name vertices from 0 to {vertex - 1}")
    if len(set(found)) < len(found):
        raise ValueError(f"a vertex leads to vertex {vertex} twice")
    return [int(each) for each in found]
