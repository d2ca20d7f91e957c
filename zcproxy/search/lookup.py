"""Latency, energy and more of architectures from tables: those that the package knows, or a file of the user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow
from numpy.typing import NDArray

from zcproxy.benchmark import SearchSpace
from zcproxy.benchmarks.label_table import ARCHITECTURE
from zcproxy.benchmarks.measurements import published_measurements
from zcproxy.errors import BenchmarkError, nearest_names

Array = NDArray[np.float64]


class LookUp:
    """Numbers of architectures by the name of a quantity, such as `latency_ms:raspi4`.

    Args:
        source: where the table comes from, for messages.
        rows: architecture -> row.
        columns: quantity -> a number a row; NaN where it was not measured.
    """

    def __init__(self, source: str, rows: Mapping[str, int], columns: Mapping[str, Array]) -> None:
        self._source, self._rows, self._columns = source, rows, columns

    def check(self, name: str) -> None:
        """Raise `BenchmarkError` if the table has no such quantity."""
        if name not in self._columns:
            hint = nearest_names(name, self._columns) or f"; it has {', '.join(sorted(self._columns))}"
            raise BenchmarkError(f"{self._source} has no '{name}'{hint}")

    def values(self, name: str, architectures: Sequence[str]) -> Array:
        """Return a quantity of architectures, NaN for those that are not in the table."""
        rows = [self._rows.get(architecture, -1) for architecture in architectures]
        column = self._columns[name]
        return np.array([column[row] if row >= 0 else np.nan for row in rows], np.float64)


def read_look_up(path: Path, space: SearchSpace) -> LookUp:
    """Return the table in a CSV or Parquet file: `arch`, and a column of numbers for each quantity.

    Raises:
        BenchmarkError: the file cannot be read, has no column `arch` or no numbers, or an architecture is none of the
            space.
    """
    try:
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise BenchmarkError(f"cannot read the table {path}: {' '.join(str(error).split())}") from error
    numbers = frame.select_dtypes("number")
    if ARCHITECTURE not in frame or numbers.empty:
        raise BenchmarkError(f"the table {path} needs a column '{ARCHITECTURE}' and columns of numbers")
    rows = {space.parse(str(text)): row for row, text in enumerate(frame[ARCHITECTURE])}
    return LookUp(str(path), rows, {str(name): numbers[name].to_numpy(np.float64) for name in numbers})


def published_look_up(task: str) -> LookUp | None:
    """Return what was published of the networks of a task besides labels; None where nothing was."""
    found = published_measurements(task)
    return None if found is None else LookUp(f"the published table of {task}", found.rows, found.columns)
