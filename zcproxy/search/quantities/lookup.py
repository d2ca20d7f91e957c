"""Latency, energy and more of architectures: what a benchmark brings with it, or a file of the user."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
import pyarrow
from numpy.typing import NDArray

from zcproxy.benchmarks.shared.label_table import ARCHITECTURE
from zcproxy.contracts.measurements import Measurements, tabulated
from zcproxy.contracts.task import SearchSpace
from zcproxy.errors import BenchmarkError
from zcproxy.names.subjects import Subject
from zcproxy.search.goals import ACCURACY, PROXY, TRAINED_ACCURACY
from zcproxy.search.quantities.networks import LATENCY, LATENCY_SPREAD, MACS, PARAMS, PEAK_MEMORY
from zcproxy.storage.files import check_size

Array = NDArray[np.float64]

MEASURED = (PROXY, ACCURACY, TRAINED_ACCURACY, PARAMS, MACS, PEAK_MEMORY, LATENCY, LATENCY_SPREAD)
"""Quantities that are not looked up in a table."""

LARGEST_TABLE = 1_000_000_000
"""Bytes of a file of the user."""


def read_look_up(path: Path, space: SearchSpace) -> Measurements:
    """Return the table in a CSV or Parquet file: `arch`, and a column of numbers for each quantity.

    Raises:
        BenchmarkError: the file cannot be read, has no column `arch` or no numbers, names a column twice, an
            architecture is none of the space or has two rows, a column has the name of a quantity that is measured, or
            a cell is not a number.
        StorageError: it is not a regular file, or too large.
    """
    check_size(path, LARGEST_TABLE)
    try:
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise BenchmarkError(f"cannot read the table {path}: {' '.join(str(error).split())}") from error
    if not frame.columns.is_unique:
        raise BenchmarkError(f"the table {path} has two columns of one name")
    if ARCHITECTURE not in frame:
        raise BenchmarkError(f"the table {path} needs a column '{ARCHITECTURE}' and columns of numbers")
    columns = {
        str(name): values
        for name in frame
        if name != ARCHITECTURE and (values := _numbers(path, frame, str(name))) is not None
    }
    if not columns:
        raise BenchmarkError(f"the table {path} needs a column '{ARCHITECTURE}' and columns of numbers")
    measured = next((name for name in columns if name in MEASURED), None)
    if measured is not None:
        raise BenchmarkError(
            f"the table {path} has a column '{measured}', which is measured, not looked up: rename it, for example to "
            f"'{measured}:table'"
        )
    rows: dict[str, int] = {}
    for row, text in enumerate(frame[ARCHITECTURE]):
        architecture = space.parse(str(text))
        if architecture in rows:
            first, second = (_line(path, each) for each in (rows[architecture], row))
            raise BenchmarkError(f"the table {path} has '{architecture}' in {first} and in {second}: keep one of them")
        rows[architecture] = row
    return tabulated(str(path), rows, columns)


def _numbers(path: Path, frame: pd.DataFrame, name: str) -> Array | None:
    """Return a column of numbers, NaN where a cell is empty; None where nothing in it is a number."""
    numbers = pd.to_numeric(frame[name], errors="coerce")
    if pd.api.types.is_bool_dtype(frame[name]) or not numbers.notna().any():
        return None
    wrong = np.flatnonzero((numbers.isna() & frame[name].notna()) | np.isinf(numbers))
    if len(wrong) > len(frame) // 2:
        return None  # a column of words, such as notes
    if len(wrong):
        cell = str(frame[name].iloc[wrong[0]])[:40]
        raise BenchmarkError(f"the table {path} has '{cell}' under '{name}' in {_line(path, int(wrong[0]))}: no number")
    return numbers.to_numpy(np.float64)


def _line(path: Path, row: int) -> str:
    """Return where a user finds a row of a file: a CSV file has a line of names before the first."""
    return f"row {row}" if path.suffix == ".parquet" else f"line {row + 2}"


def published_look_up(subject: Subject) -> Measurements | None:
    """Return what was published of a subject's networks besides labels; None where nothing was."""
    offered = getattr(subject, "measurements", None)
    return None if offered is None else cast(Measurements | None, offered())
