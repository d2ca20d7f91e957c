"""Rows of a CSV file that a run has written, checked as they are read."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zcproxy.errors import RunError, StorageError
from zcproxy.storage.files import read_small_file
from zcproxy.text.visible import shortened

LARGEST = 100_000_000
"""Bytes of a file."""
LONGEST_CELL = 1_000_000


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes:
        place: file and line, for messages.
        cells: texts by the name of their column.
    """

    place: str
    cells: dict[str, str]

    def text(self, name: str) -> str:
        """Return a cell, empty where the table has no such column."""
        return self.cells.get(name, "")

    def number(self, name: str) -> float:
        """Return a cell as a number, NaN where it is empty. Raises `RunError` for anything else."""
        written = self.text(name)
        try:
            return float(written) if written else math.nan
        except ValueError as error:
            raise RunError(
                f"{self.place}: '{shortened(written, 40)}' under '{name}' is not a number: the file was damaged or "
                "edited"
            ) from error


def read_rows(path: Path, needed: Sequence[str]) -> list[Row]:
    """Return the rows of a table.

    Args:
        path: the file.
        needed: columns that it has to have.

    Raises:
        FileNotFoundError: there is no such file.
        RunError: it cannot be read, or is not such a table.
    """
    of_process = csv.field_size_limit(LONGEST_CELL)
    try:
        content = read_small_file(path, LARGEST).decode("utf-8")
        reader = csv.DictReader(io.StringIO(content, newline=""), strict=True)
        missing = [name for name in needed if name not in (reader.fieldnames or ())]
        if missing:
            raise RunError(f"{path} has no column '{missing[0]}': the file was damaged, or is of another program")
        rows = [Row(f"{path}, line {reader.line_num}", _cells(row)) for row in reader]
    except FileNotFoundError:
        raise
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror or error}") from error
    except (StorageError, UnicodeDecodeError, csv.Error) as error:
        raise RunError(f"{path} is not a table that a run wrote: {error}") from error
    finally:
        csv.field_size_limit(of_process)
    return rows


def _cells(row: dict[str | None, str | list[str] | None]) -> dict[str, str]:
    """Return the cells of a row that has as many as there are columns."""
    found = {name: cell for name, cell in row.items() if name is not None and isinstance(cell, str)}
    if len(found) != len(row):
        raise csv.Error("a line has more or fewer cells than there are columns")
    return found
