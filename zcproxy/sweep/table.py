"""Columns of many networks in memory, as evolution and scoring read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from zcproxy.formula import Kind, Node
from zcproxy.sweep.coverage import Coverage
from zcproxy.sweep.measure import Measurement


@dataclass(frozen=True)
class ColumnTable:
    """Values of columns for a list of networks.

    Attributes:
        counts: networks: number of live layers of each.
        values: for a `Layer` column all layers of the first network, then the second, ...; for a `Network` column one
            number a network.
        coverage: for each network, what of it its layers hold.
        seconds: networks: what measuring them took in the sweep that made the table; 0 for columns known before.
    """

    counts: NDArray[np.integer]
    values: Mapping[Node, NDArray[np.floating]]
    coverage: tuple[Coverage, ...] = ()
    seconds: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    def take(self, networks: NDArray[np.integer]) -> ColumnTable:
        """Return the table of some of the networks, in the order given; without `seconds` and `coverage`."""
        counts = self.counts[networks]
        first = (np.cumsum(self.counts) - self.counts)[networks]
        layers = np.arange(counts.sum()) + np.repeat(first - np.cumsum(counts) + counts, counts)
        rows = {Kind.LAYER: layers, Kind.NETWORK: networks}
        return ColumnTable(counts, {column: values[rows[column.kind]] for column, values in self.values.items()})


def table_of(measurements: Sequence[Measurement], columns: Sequence[Node]) -> ColumnTable:
    """Return the table of networks measured one by one."""
    counts = np.array([measurement.layers for measurement in measurements])
    values = {
        column: np.concatenate([measurement.values[column] for measurement in measurements]) for column in columns
    }
    return ColumnTable(counts, values, tuple(measurement.coverage for measurement in measurements))


def joined(tables: Sequence[ColumnTable]) -> ColumnTable:
    """Return the networks of several tables with the same columns as one table; without `seconds` and `coverage`."""
    values = {column: np.concatenate([table.values[column] for table in tables]) for column in tables[0].values}
    return ColumnTable(np.concatenate([table.counts for table in tables]), values)
