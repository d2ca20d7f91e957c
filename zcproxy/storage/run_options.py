"""`run.toml`: the options of a command, in the directory that it wrote."""

from __future__ import annotations

from pathlib import Path

from zcproxy.storage.files import read_small_file

RUN_FILE = "run.toml"
LARGEST = 100_000
"""Bytes of a file that is shown."""


def options_text(folder: Path) -> str:
    """Return the options of the command that wrote a folder; empty where it has none. Raises `StorageError`."""
    try:
        return read_small_file(folder / RUN_FILE, LARGEST).decode("utf-8", errors="replace")
    except OSError:
        return ""
