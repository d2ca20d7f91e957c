"""Measured numbers of architectures besides their labels: latencies, energies, validation accuracies."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from zcproxy.errors import BenchmarkError, nearest_names

Array = NDArray[np.float64]


class Measurements:
    """Numbers of architectures by the name of a quantity, such as `latency_ms:raspi4`.

    Args:
        source: where they come from, for messages.
        names: names of the quantities.
        read: returns a quantity of architectures, NaN for those without one.
    """

    def __init__(self, source: str, names: Collection[str], read: Callable[[str, Sequence[str]], Array]) -> None:
        self._source, self._names = source, names
        self.values = read

    def check(self, name: str) -> None:
        """Raise `BenchmarkError` if the table has no such quantity."""
        if name not in self._names:
            hint = nearest_names(name, self._names) or f"; it has {', '.join(sorted(self._names))}"
            raise BenchmarkError(f"{self._source} has no '{name}'{hint}")


def tabulated(source: str, rows: Mapping[str, int], columns: Mapping[str, Array]) -> Measurements:
    """Return the measurements of a table.

    Args:
        source: where they come from, for messages.
        rows: the row of each architecture.
        columns: the numbers by the name of the quantity, one per row.
    """

    def read(name: str, architectures: Sequence[str]) -> Array:
        found = [rows.get(architecture, -1) for architecture in architectures]
        return np.array([columns[name][row] if row >= 0 else np.nan for row in found], np.float64)

    return Measurements(source, columns, read)
