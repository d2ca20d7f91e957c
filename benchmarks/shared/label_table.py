"""Tables of labels, one row per architecture, and where their content comes from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zcproxy.benchmarks.shared.imported import imported_path, read_imported, read_parquet
from zcproxy.errors import BenchmarkError
from zcproxy.reading.data_directory import check_digest, configured_directory, data_directory
from zcproxy.reading.unpacking import content_of

ARCHITECTURE = "arch"
_PERCENT = 100
_LONGEST = 60


@dataclass(frozen=True, eq=False)
class LabelTable:
    """A table in memory.

    Attributes:
        rows: architecture -> row, in the order of the table.
        columns: column name -> one number per row.
    """

    rows: Mapping[str, int]
    columns: Mapping[str, NDArray[np.float64]]

    def values(self, column: str, architectures: Iterable[str]) -> NDArray[np.float64]:
        """Return the numbers of a column for some architectures.

        Raises:
            BenchmarkError: one of them is not in the table.
        """
        names = list(architectures)
        unknown = next((name for name in names if name not in self.rows), None)
        if unknown is not None:
            raise BenchmarkError(f"there is no label of '{unknown}'")
        return self.columns[column][[self.rows[name] for name in names]]


@dataclass(frozen=True)
class Converted:
    """The content of official files.

    Attributes:
        frame: one row per architecture: its text in `arch`, then columns of numbers.
        left_out: a line for every entry without an architecture or a label, saying which and why.
    """

    frame: pd.DataFrame
    left_out: tuple[str, ...] = ()


def convert_parquet(architectures: str, columns: Sequence[str], contents: Sequence[bytes]) -> Converted:
    """Return the table in a Parquet file: the texts in the column `architectures`, and columns of numbers."""
    frame = read_parquet(contents[0], (architectures, *columns), "the file")
    return Converted(frame.rename(columns={architectures: ARCHITECTURE}))


@dataclass(frozen=True)
class KnownFile:
    """An official file: its name, `.gz` left out, and the digest of its content (see `data.digest_of`)."""

    name: str
    digest: str


@dataclass(frozen=True)
class TableSource:
    """A table and the files that it is made of.

    Attributes:
        benchmark: name of the benchmark, and of its folder in the data directory.
        name: name of the table.
        files: all of them are needed.
        convert: makes a table of the contents of the files; raises `BenchmarkError` if they are something else.
        columns: the numbers that the table must have.
        labels: those of them that are accuracies in percent, one of each architecture.
        trials: those that are accuracies which some architectures lack.
        parse: returns the canonical text of an architecture, or raises `BenchmarkError`; None where `convert` asks it.
        folder: folder of the files in the data directory, where it is not called like the benchmark.
    """

    benchmark: str
    name: str
    files: tuple[KnownFile, ...]
    convert: Callable[[Sequence[bytes]], Converted]
    columns: tuple[str, ...]
    labels: tuple[str, ...] = ()
    trials: tuple[str, ...] = ()
    parse: Callable[[str], str] | None = None
    folder: str = ""

    def load(self) -> LabelTable:
        """Return the table: the imported one, else what the official files in the data directory hold.

        Raises:
            BenchmarkError: neither is there, or the content is not the expected one.
        """
        imported = self.imported_file()
        if imported is not None:
            return _read_table(self, (imported,), True, _newest((imported,)))
        found = self.official_files()
        if found is None:
            names = " and ".join(f"{self.folder or self.benchmark}/{file.name}" for file in self.files)
            raise BenchmarkError(
                f"{data_directory()} has no {names}: fetch the official files (`zcproxy benchmark list` says where) "
                f"and run `zcproxy benchmark import {self.benchmark} PATH`"
            )
        for path, file in zip(found, self.files, strict=True):
            check_digest(path, file.digest)
        return _read_table(self, found, False, _newest(found))

    @property
    def is_here(self) -> bool:
        """Whether the data directory has the table; its content is not checked."""
        return self.imported_file() is not None or self.official_files() is not None

    def imported_file(self) -> Path | None:
        """Return the path of the imported table, or None where there is none."""
        path = imported_path(self.benchmark, self.name)
        return path if os.path.isfile(path) else None

    def official_files(self) -> tuple[Path, ...] | None:
        """Return the paths of the official files in the data directory, or None where one is missing."""
        folder = configured_directory() / (self.folder or self.benchmark)
        names = [(folder / file.name, folder / f"{file.name}.gz") for file in self.files]
        found = [next((path for path in variants if os.path.isfile(path)), None) for variants in names]
        present = tuple(path for path in found if path is not None)
        return present if len(present) == len(self.files) else None


def check_table(frame: pd.DataFrame, source: TableSource) -> None:
    """Raise `BenchmarkError` unless a table can describe measured networks.

    It has networks, each with a text of its own; all numbers are finite; accuracies lie within 0 and 100, and differ
    where there are several networks; costs are not negative. Single trainings (`trials`) may be missing.
    """
    if not len(frame):
        raise BenchmarkError(f"the table {source.name} is refused: it has no networks")
    texts = frame[ARCHITECTURE].tolist()
    if not all(isinstance(text, str) and text for text in texts):
        raise BenchmarkError(f"the table {source.name} is refused: an architecture in '{ARCHITECTURE}' is not text")
    if len(set(texts)) != len(texts):
        raise BenchmarkError(f"the table {source.name} is refused: an architecture in '{ARCHITECTURE}' occurs twice")
    for column in source.columns:
        wrong = _wrong(frame[column], column in source.labels, column in source.trials)
        if wrong:
            raise BenchmarkError(f"the table {source.name} is refused: the column '{column}' {wrong}")
    for text in texts if source.parse is not None else ():
        if source.parse is not None and source.parse(text) != text:
            raise BenchmarkError(
                f"the table {source.name} is refused: its space writes '{text[:_LONGEST]}' differently"
            )


def _wrong(column: pd.Series[Any], is_label: bool, is_trial: bool) -> str:
    """Return what is wrong with a column, or an empty string."""
    if not pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
        return f"holds {column.dtype}, not numbers"
    if pd.api.types.is_complex_dtype(column.dtype):
        return "holds complex numbers"
    values = column.to_numpy(np.float64, na_value=np.nan)
    known = values[~np.isnan(values)] if is_trial else values
    if not len(known):
        return "" if is_trial else "has no number"
    if not np.isfinite(known).all():
        return "has a value that is infinite or missing"
    if known.min() < 0:
        return f"has {known.min():g}, less than 0"
    if (is_label or is_trial) and known.max() > _PERCENT:
        return f"has {known.max():g}, more than 100 %"
    if is_label and len(known) > 1 and known.min() == known.max():
        return f"is {known.min():g} for all networks"
    return ""


def _newest(paths: Iterable[Path]) -> int:
    """Return the time of the youngest of some files. Raises `BenchmarkError`."""
    try:
        return max(path.stat().st_mtime_ns for path in paths)
    except OSError as error:
        raise BenchmarkError(f"a table of labels cannot be read ({error})") from error


@lru_cache(maxsize=16)
def _read_table(source: TableSource, paths: tuple[Path, ...], imported: bool, mtime_ns: int) -> LabelTable:
    """Return the table in files, read once per process; the time only tells one state of them from another."""
    if imported:
        frame = read_imported(paths[0], (ARCHITECTURE, *source.columns))
        try:
            check_table(frame, source)
        except BenchmarkError as error:
            raise BenchmarkError(f"{paths[0]} cannot be used, import it again: {error}") from error
    else:
        frame = source.convert([content_of(path) for path in paths]).frame
    texts = frame[ARCHITECTURE].tolist()
    columns = {name: frame[name].to_numpy(np.float64) for name in frame.columns if name != ARCHITECTURE}
    return LabelTable({text: row for row, text in enumerate(texts)}, columns)
