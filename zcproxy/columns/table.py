"""Columns of many networks in memory, as evolution and scoring read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from zcproxy.formula import Blocks, Connections, Kind, Node, is_per_block
from zcproxy.formula.connections import connections_of, joined_connections, rows_of
from zcproxy.probing.coverage import Coverage
from zcproxy.probing.measure import Measurement


@dataclass(frozen=True)
class ColumnTable:
    """Values of columns for a list of networks.

    Attributes:
        counts: networks: number of live layers of each.
        values: for a `Layer` column all layers (or blocks, see `is_per_block`) of the first network, then the second,
            ...; for a `Network` column one number per network.
        coverage: for each network, the part that its layers hold.
        seconds: networks: what measuring them took in the sweep that made the table; 0 for columns known before.
        blocks: where the blocks of the networks are; None where no column has one number per block.
        connections: stages of the layers of the networks and paths through them; None where they are not known.
    """

    counts: NDArray[np.integer]
    values: Mapping[Node, NDArray[np.floating]]
    coverage: tuple[Coverage, ...] = ()
    seconds: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    blocks: Blocks | None = None
    connections: Connections | None = None

    def take(self, networks: NDArray[np.integer]) -> ColumnTable:
        """Return the table of some of the networks, in the order given; without `seconds` and `coverage`."""
        rows = {"layers": rows_of(self.counts, networks), "networks": networks}
        if self.blocks is not None:
            rows["blocks"] = rows_of(self.blocks.counts, networks)
        values = {column: each[rows[axis_of(column)]] for column, each in self.values.items()}
        blocks = None if self.blocks is None else self.blocks.take(networks)
        connections = None if self.connections is None else self.connections.take(networks)
        return ColumnTable(self.counts[networks], values, blocks=blocks, connections=connections)


def axis_of(column: Node) -> str:
    """Return what a column has a number for each of: `networks`, `layers` or `blocks`."""
    if column.kind is not Kind.LAYER:
        return "networks"
    return "blocks" if is_per_block(column) else "layers"


def table_of(measurements: Sequence[Measurement], columns: Sequence[Node]) -> ColumnTable:
    """Return the table of networks measured one by one."""
    counts = np.array([measurement.layers for measurement in measurements])
    values = {
        column: np.concatenate([measurement.values[column] for measurement in measurements]) for column in columns
    }
    coverage = tuple(measurement.coverage for measurement in measurements)
    connections = None
    if all(len(measurement.stages) == measurement.layers for measurement in measurements):
        connections = connections_of([(measurement.stages, measurement.edges) for measurement in measurements])
    if not any(axis_of(column) == "blocks" for column in columns):
        return ColumnTable(counts, values, coverage, connections=connections)
    of_blocks = np.array([len(measurement.blocks) for measurement in measurements])
    layers = np.concatenate([np.array(measurement.blocks, np.int64) for measurement in measurements])
    return ColumnTable(counts, values, coverage, blocks=Blocks(of_blocks, layers), connections=connections)


def joined(tables: Sequence[ColumnTable]) -> ColumnTable:
    """Return the networks of several tables with the same columns as one table; without `seconds` and `coverage`."""
    values = {column: np.concatenate([table.values[column] for table in tables]) for column in tables[0].values}
    parts = [table.blocks for table in tables if table.blocks is not None]
    counts = np.concatenate([table.counts for table in tables])
    known = [table.connections for table in tables if table.connections is not None]
    connections = joined_connections(known) if len(known) == len(tables) else None
    if not parts:
        return ColumnTable(counts, values, connections=connections)
    blocks = Blocks(np.concatenate([part.counts for part in parts]), np.concatenate([part.layers for part in parts]))
    return ColumnTable(counts, values, blocks=blocks, connections=connections)
