"""Columns of some networks as their files hold them: Arrow, a list of numbers per network and column.

A column may be of several precisions: what a network without layers has is float64, where others have float32. Each
network keeps its own, so that how networks are put together in files changes no number.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

LAYERS, BLOCKS, COVERAGE, STAGES, EDGES = "layers", "blocks", "coverage", "stages", "edges"
STRUCTURE = (LAYERS, BLOCKS, COVERAGE, STAGES, EDGES)
"""What every file says of its networks beside their columns."""

STRUCTURE_SCHEMA = pa.schema(
    {
        LAYERS: pa.int32(),
        BLOCKS: pa.list_(pa.int32()),
        COVERAGE: pa.string(),
        STAGES: pa.list_(pa.int32()),
        EDGES: pa.list_(pa.list_(pa.int32(), 2)),
    }
)


@dataclass(frozen=True)
class Rows:
    """Columns of some networks.

    Attributes:
        networks: texts that stand for them.
        structure: a row for each, with `STRUCTURE`.
        columns: by key, then by precision (`float`, `double`, ...): a list for each network that has this precision,
            null for the others.
    """

    networks: Sequence[str]
    structure: pa.Table
    columns: dict[str, dict[str, pa.Array]]

    def take(self, rows: Sequence[int]) -> Rows:
        """Return some of the networks, in the order given, in memory of their own."""
        chosen = pa.array(rows, pa.int64())
        columns = {}
        for key, arrays in self.columns.items():
            taken = {precision: array.take(chosen) for precision, array in arrays.items()}
            columns[key] = {precision: array for precision, array in taken.items() if array.null_count < len(array)}
        return Rows([self.networks[row] for row in rows], self.structure.take(chosen), columns)

    def only(self, keys: Collection[str]) -> Rows:
        """Return the columns with some keys."""
        return replace(self, columns={key: arrays for key, arrays in self.columns.items() if key in keys})

    def column(self, key: str) -> pa.Array:
        """Return a column in the precision that is enough for all networks."""
        arrays = [array for array in self.columns[key].values() if array.null_count < len(array)]
        if len(arrays) == 1:
            return arrays[0]
        precision = np.result_type(*(array.type.value_type.to_pandas_dtype() for array in arrays))
        wide = pa.list_(pa.from_numpy_dtype(precision))
        return pc.coalesce(*(array.cast(wide) for array in arrays))


def rows_of_table(networks: Sequence[str], table: pa.Table) -> Rows:
    """Return rows of a table with `STRUCTURE` and columns under their keys, each of one precision."""
    arrays = {key: table.column(key).combine_chunks() for key in table.column_names if key not in STRUCTURE}
    columns = {key: {str(array.type.value_type): array} for key, array in arrays.items()}
    return Rows(networks, table.select(STRUCTURE), columns)


def joined_rows(parts: Sequence[Rows]) -> Rows:
    """Return the networks of parts that have the same columns; one that is in several is taken once."""
    firsts: dict[str, int] = {}
    for row, network in enumerate(network for part in parts for network in part.networks):
        firsts.setdefault(network, row)
    columns = {}
    for key in parts[0].columns:
        types = {name: array.type for part in parts for name, array in part.columns[key].items()}
        columns[key] = {
            name: pa.concat_arrays(
                [part.columns[key].get(name, pa.nulls(len(part.networks), types[name])) for part in parts]
            )
            for name in sorted(types)
        }
    networks = [network for part in parts for network in part.networks]
    structure = pa.concat_tables([part.structure for part in parts]).combine_chunks()
    return Rows(networks, structure, columns).take(list(firsts.values()))
