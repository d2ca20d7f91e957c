"""Compares folders of results file by file; clocks may differ, and nothing else."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow

from fuzz.outcome import PromiseError

_CLOCKS = {"seconds", "training_seconds", "measuring_seconds", "total_seconds", "sum", "front_sha256"}
"""Keys of what a clock said, and of checksums of what has that in it."""

_SECONDS_HEADING = " s "
"""What stands above the time of a proxy in a table of Markdown."""


def check_equal_trees(expected: Path, found: Path, *, journals: bool = True) -> None:
    """Raise `PromiseError` unless two folders hold the same, besides clocks and what a killed process left.

    Args:
        expected: the folder to compare with.
        found: the one in question.
        journals: whether journals must agree too, in any order of their lines, some of which may be there twice.
    """
    names, other = _names(expected), _names(found)
    if names - other:
        raise PromiseError(f"result differs, files are missing: {sorted(map(str, names - other))}")
    more = [name for name in other - names if not any(name.name.startswith(known.name) for known in names)]
    if more:  # what is set aside has the name of the file that it was, and an ending
        raise PromiseError(f"result differs, files too many: {sorted(map(str, more))}")
    for name in sorted(names):
        if name.suffix == ".jsonl" and not journals:
            continue
        if _content(expected / name) != _content(found / name):
            raise PromiseError(f"result differs, {re.sub('[0-9]+', 'N', str(name))}: {name}")


def _names(folder: Path) -> set[Path]:
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path for path in paths if not path.name.startswith(".")}


def _content(path: Path) -> object:
    """Return what a file says apart from clocks, to be compared exactly."""
    content = path.read_bytes()
    try:
        if path.suffix == ".json":
            return _timeless(json.loads(content))
        if path.suffix == ".jsonl":
            return {_timeless(json.loads(line)) for line in content.decode().splitlines()}
        if path.suffix == ".csv":
            return _columns(pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False))
        if path.suffix == ".parquet":
            return _columns(pd.read_parquet(io.BytesIO(content)))
        if path.suffix == ".md":
            return _without_seconds(content.decode().splitlines())
    except (ValueError, OSError, pyarrow.ArrowException) as error:
        raise PromiseError(f"result cannot be read, {path.name}: {error}") from error
    return content


def _without_seconds(lines: list[str]) -> list[list[str]]:
    """Return the cells of Markdown, the column of the times left out of its tables."""
    found, clocks = [], set[int]()
    for line in lines:
        cells = line.split("|")
        if len(cells) == 1:
            clocks = set()
        elif not clocks:
            clocks = {place for place, cell in enumerate(cells) if cell == _SECONDS_HEADING}
        found.append([cell for place, cell in enumerate(cells) if place not in clocks])
    return found


def _columns(frame: pd.DataFrame) -> dict[str, list[str]]:
    """Return the columns as texts: NaN then equals itself, and floats are told apart by their last bit."""
    return {name: [repr(value) for value in frame[name]] for name in frame.columns if name not in _CLOCKS}


def _timeless(value: Any) -> str:
    """Return a JSON value without clocks, as text."""

    def stripped(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: stripped(item) for key, item in part.items() if key not in _CLOCKS}
        return [stripped(item) for item in part] if isinstance(part, list) else part

    return json.dumps(stripped(value), sort_keys=True)
