"""Compares folders of results file by file; clocks may differ, and nothing else."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd

from fuzz.outcome import PromiseError

_CLOCKS = {
    "seconds",
    "training_seconds",
    "measuring_seconds",
    "total_seconds",
    "checksum",
    "check",
    "crc",
    "crc32",
    "digest",
}
"""Keys of what a clock said, or of a sum over it."""

_TIMED_TEXT = (".md", ".tex")


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


def _content(path: Path) -> Any:
    """Return what a file says apart from clocks."""
    content = path.read_bytes()
    if path.suffix == ".json":
        return _timeless(json.loads(content))
    if path.suffix == ".jsonl":
        return {json.dumps(_timeless(_parsed(line)), sort_keys=True) for line in content.decode().splitlines()}
    if path.suffix in (".csv", ".parquet"):
        read = pd.read_csv if path.suffix == ".csv" else pd.read_parquet
        frame = read(io.BytesIO(content))
        return frame.drop(columns=[name for name in frame.columns if name in _CLOCKS]).to_json(double_precision=15)
    if path.suffix in _TIMED_TEXT:
        # The last but one cell of a row is the time of a proxy; its width changes nothing else.
        return re.sub(r"\b\d+(\.\d+)?(e-?\d+)?\b", "N", content.decode())
    return content


def _parsed(line: str) -> Any:
    """Return a line of a journal; one with a checksum around it counts without."""
    start = line.find("{")
    return json.JSONDecoder().raw_decode(line[start:])[0] if start >= 0 else line


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(item) for key, item in value.items() if key not in _CLOCKS}
    if isinstance(value, list):
        return [_timeless(item) for item in value]
    return value
