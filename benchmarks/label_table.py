"""Tables of labels, a row an architecture, and where their content comes from."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zcproxy.benchmarks.data import check_digest, configured_directory, content_of, data_directory, is_present
from zcproxy.benchmarks.imported import imported_path, read_imported, read_parquet
from zcproxy.errors import BenchmarkError

ARCHITECTURE = "arch"


@dataclass(frozen=True, eq=False)
class LabelTable:
    """A table in memory.

    Attributes:
        rows: architecture -> row, in the order of the table.
        columns: column name -> one number a row.
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
    """What official files hold.

    Attributes:
        frame: a row an architecture: its text in `arch`, then columns of numbers.
        left_out: a line for every entry without an architecture or a label, saying which and why.
    """

    frame: pd.DataFrame
    left_out: tuple[str, ...] = ()


def convert_parquet(architectures: str, columns: Sequence[str], contents: Sequence[bytes]) -> Converted:
    """Return the table in a Parquet file: the texts in the column `architectures`, and columns of numbers."""
    frame = read_parquet(io.BytesIO(contents[0]), (architectures, *columns))
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
        name: of the table.
        files: all of them are needed.
        convert: makes a table of the contents of the files; raises `BenchmarkError` if they are something else.
        columns: the numbers that the table must have.
    """

    benchmark: str
    name: str
    files: tuple[KnownFile, ...]
    convert: Callable[[Sequence[bytes]], Converted]
    columns: tuple[str, ...]

    def load(self) -> LabelTable:
        """Return the table: the imported one, else what the official files in the data directory hold.

        Raises:
            BenchmarkError: neither is there, or the content is not the expected one.
        """
        imported = self.imported_file()
        if imported is not None:
            return _read_table(self, (imported,), True, imported.stat().st_mtime_ns)
        found = self.official_files()
        if found is None:
            names = " and ".join(f"{self.benchmark}/{file.name}" for file in self.files)
            raise BenchmarkError(
                f"{data_directory()} has no {names}: fetch the official files (`zcproxy benchmark list` says where) "
                f"and run `zcproxy benchmark import {self.benchmark} PATH`"
            )
        for path, file in zip(found, self.files, strict=True):
            check_digest(path, file.digest)
        return _read_table(self, found, False, max(path.stat().st_mtime_ns for path in found))

    @property
    def is_here(self) -> bool:
        """Whether the data directory has the table; its content is not checked."""
        return self.imported_file() is not None or self.official_files() is not None

    def imported_file(self) -> Path | None:
        """Return the path of the imported table, or None where there is none."""
        path = imported_path(self.benchmark, self.name)
        return path if is_present(path) else None

    def official_files(self) -> tuple[Path, ...] | None:
        """Return the paths of the official files in the data directory, or None where one is missing."""
        folder = configured_directory() / self.benchmark
        names = [(folder / file.name, folder / f"{file.name}.gz") for file in self.files]
        found = [next((path for path in variants if is_present(path)), None) for variants in names]
        present = tuple(path for path in found if path is not None)
        return present if len(present) == len(self.files) else None


@lru_cache(maxsize=16)
def _read_table(source: TableSource, paths: tuple[Path, ...], imported: bool, mtime_ns: int) -> LabelTable:
    """Return the table in files, read once a process; the time only tells one state of them from another."""
    if imported:
        frame = read_imported(paths[0], (ARCHITECTURE, *source.columns))
    else:
        frame = source.convert([content_of(path) for path in paths]).frame
    texts = frame[ARCHITECTURE].tolist()
    columns = {name: frame[name].to_numpy(np.float64) for name in frame.columns if name != ARCHITECTURE}
    return LabelTable({text: row for row, text in enumerate(texts)}, columns)
