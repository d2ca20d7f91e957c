"""Scores that something else has computed, from a CSV file with the columns `arch` and `score`."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from zcproxy.errors import ProxyFileError, StorageError
from zcproxy.storage.files import read_small_file
from zcproxy.text.visible import shortened

ARCHITECTURE, SCORE = "arch", "score"
"""The columns that are read; others are left alone. `zcproxy score --out` writes such files."""

LARGEST_FILE = 200_000_000
"""Bytes of a file: the scores of a million networks."""


@dataclass(frozen=True)
class ScoreFile:
    """Scores of networks by their text.

    Attributes:
        name: what users call it.
        path: the file.
        scores: architecture, as the file writes it, -> score; NaN where it has none.
    """

    name: str
    path: str
    scores: Mapping[str, float] = field(repr=False, compare=False, hash=False)


def read_scores(path: Path) -> ScoreFile:
    """Return the scores in a CSV file, called as the file is.

    Raises:
        ProxyFileError: the file is missing or unreadable, has no such columns, no networks, a score that is not a
            number, or an architecture twice.
    """
    try:
        text = read_small_file(path, LARGEST_FILE).decode("utf-8-sig")
        rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        missing = [name for name in (ARCHITECTURE, SCORE) if name not in (rows.fieldnames or ())]
        if missing:
            raise ProxyFileError(
                f"{path} has no column '{missing[0]}': its first line names the columns, {ARCHITECTURE} and {SCORE} "
                "among them"
            )
        found: dict[str, float] = {}
        for row in rows:
            where, architecture = f"{path}, line {rows.line_num}", (row[ARCHITECTURE] or "").strip()
            if architecture in found:
                raise ProxyFileError(f"{where}: '{shortened(architecture, 80)}' is scored twice: give one score")
            found[architecture] = _number(where, (row[SCORE] or "").strip())
    except OSError as error:
        raise ProxyFileError(f"cannot read the scores in {path}: {error.strerror or error}") from error
    except (StorageError, UnicodeDecodeError, csv.Error) as error:
        raise ProxyFileError(f"{path} is not a CSV file of scores: {error}") from error
    if not found:
        raise ProxyFileError(f"{path} has no networks below its first line")
    return ScoreFile(path.stem, str(path), found)


def _number(where: str, text: str) -> float:
    """Return a score; NaN for an empty one and for infinities."""
    try:
        found = float(text or "nan")
    except ValueError as error:
        raise ProxyFileError(f"{where}: the score '{shortened(text, 40)}' is not a number") from error
    return found if math.isfinite(found) else math.nan
