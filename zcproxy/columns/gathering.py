"""Makes the table of many networks of what their files hold: array by array, never a network at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from zcproxy.columns.folder import Part
from zcproxy.columns.rows import BLOCKS, COVERAGE, EDGES, LAYERS, STAGES
from zcproxy.columns.table import ColumnTable, axis_of
from zcproxy.formula import Blocks, Connections, Node
from zcproxy.formula.connections import rows_of
from zcproxy.probing.coverage import coverage_from

Integers = NDArray[np.int64]


def table_from(parts: Sequence[Part], keys: Mapping[Node, str]) -> ColumnTable:
    """Return the table of networks whose columns are in parts, which are emptied.

    Args:
        parts: see `zcproxy.columns.folder.ColumnFolder.read`.
        keys: the columns with their keys.
    """
    counts = _numbers(parts, LAYERS)
    read = cache(coverage_from)
    coverage = tuple(map(read, _texts(parts, COVERAGE)))
    connections = _connections(parts, counts)
    of_blocks, layers = _lists(parts, BLOCKS)
    blocks = None
    if any(axis_of(column) == "blocks" for column in keys):
        blocks = Blocks(of_blocks, layers.astype(np.int64))
    values = {column: _lists(parts, key)[1] for column, key in keys.items()}
    return ColumnTable(counts, values, coverage, blocks=blocks, connections=connections)


def _connections(parts: Sequence[Part], counts: Integers) -> Connections | None:
    """Return the connections of the networks; None where files of some do not have them."""
    in_stages, stages = _lists(parts, STAGES)
    edges, ends = _lists(parts, EDGES)
    if not np.array_equal(in_stages, counts):
        return None
    sources, targets = ends.astype(np.int64).T
    return Connections(in_stages, stages.astype(np.int64), edges, sources, targets)


def _lists(parts: Sequence[Part], name: str) -> tuple[Integers, NDArray[Any]]:
    """Return the lengths of the lists of a column and what they hold, one after another; pairs of numbers as rows."""
    places, found = _taken(parts, name)
    lengths = np.concatenate([np.asarray(column.value_lengths(), np.int64) for column in found])
    values = np.concatenate([_flat(column) for column in found])
    del found
    if not _is_ordered(places):
        order = np.argsort(places)
        return lengths[order], values[rows_of(lengths, order)]
    return lengths, values


def _numbers(parts: Sequence[Part], name: str) -> Integers:
    places, found = _taken(parts, name)
    return np.concatenate([np.asarray(column, np.int64) for column in found])[np.argsort(places)]


def _texts(parts: Sequence[Part], name: str) -> list[str]:
    places, found = _taken(parts, name)
    texts = [text for column in found for text in column.to_pylist()]
    return [texts[row] for row in np.argsort(places)]


def _taken(parts: Sequence[Part], name: str) -> tuple[Integers, list[pa.Array]]:
    """Take a column out of all parts, and return the places of its rows, and the arrays."""
    taken = [(part.places, part.columns.pop(name)) for part in parts if name in part.columns]
    return np.concatenate([places for places, _ in taken]), [column for _, column in taken]


def _flat(column: pa.ListArray) -> NDArray[Any]:
    values = column.flatten()
    if pa.types.is_fixed_size_list(values.type):
        return np.asarray(values.flatten()).reshape(-1, values.type.list_size)
    return np.asarray(values)


def _is_ordered(places: Integers) -> bool:
    return bool((np.diff(places) > 0).all())
