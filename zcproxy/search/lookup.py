"""Latency, energy and more of architectures from tables: those that the package knows, or a file of the user."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow
from numpy.typing import NDArray

from zcproxy.benchmark import SearchSpace
from zcproxy.benchmarks.label_table import ARCHITECTURE
from zcproxy.benchmarks.measurements import published_measurements
from zcproxy.benchmarks.once_for_all.latency import DEVICES, predicted_latency
from zcproxy.benchmarks.once_for_all.mobilenetv3_space import MobileNetV3Space
from zcproxy.errors import BenchmarkError, nearest_names
from zcproxy.files import check_size

Array = NDArray[np.float64]

LATENCY_ON = "latency_ms:"

LARGEST_TABLE = 1_000_000_000
"""Bytes of a file of the user."""


class LookUp:
    """Numbers of architectures by the name of a quantity, such as `latency_ms:raspi4`.

    Args:
        source: where they come from, for messages.
        names: of the quantities.
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


def _table(source: str, rows: Mapping[str, int], columns: Mapping[str, Array]) -> LookUp:
    def read(name: str, architectures: Sequence[str]) -> Array:
        found = [rows.get(architecture, -1) for architecture in architectures]
        return np.array([columns[name][row] if row >= 0 else np.nan for row in found], np.float64)

    return LookUp(source, columns, read)


def read_look_up(path: Path, space: SearchSpace) -> LookUp:
    """Return the table in a CSV or Parquet file: `arch`, and a column of numbers for each quantity.

    Raises:
        BenchmarkError: the file cannot be read, has no column `arch` or no numbers, names a column twice, or an
            architecture is none of the space.
        StorageError: it is no regular file, or too large.
    """
    check_size(path, LARGEST_TABLE)
    try:
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise BenchmarkError(f"cannot read the table {path}: {' '.join(str(error).split())}") from error
    if not frame.columns.is_unique:
        raise BenchmarkError(f"the table {path} has two columns of one name")
    numbers = frame.select_dtypes("number")
    if ARCHITECTURE not in frame or numbers.empty:
        raise BenchmarkError(f"the table {path} needs a column '{ARCHITECTURE}' and columns of numbers")
    rows = {space.parse(str(text)): row for row, text in enumerate(frame[ARCHITECTURE])}
    return _table(str(path), rows, {str(name): numbers[name].to_numpy(np.float64) for name in numbers})


def published_look_up(task: str) -> LookUp | None:
    """Return what was published of the networks of a task or a space besides labels; None where nothing was."""
    if task.partition("/")[0] == MobileNetV3Space.name:
        names = {f"{LATENCY_ON}{device}" for device in DEVICES}
        return LookUp(
            f"the latencies of {MobileNetV3Space.name}",
            names,
            lambda name, architectures: predicted_latency(name.removeprefix(LATENCY_ON), architectures),
        )
    found = published_measurements(task)
    return None if found is None else _table(f"the published table of {task}", found.rows, found.columns)
