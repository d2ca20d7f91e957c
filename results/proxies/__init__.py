"""Proxies that were found with this project, one file each named like it; README.md has their cards."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent

NAMES = tuple(sorted(path.stem for path in _FOLDER.glob("*.json")))
"""The names of the proxies."""

DEFAULT = "zc-general"
"""What ranks where no proxy is named."""


def file_of(name: str) -> Path:
    """Return the file of a proxy in `NAMES`."""
    return _FOLDER / f"{name}.json"
