"""Proxies found with this project, by name. README.md beside this file has their cards."""

from __future__ import annotations

from pathlib import Path

FILES = {
    "zc-general": "best-general.json",
    "zc-nasbench201": "best-nasbench201.json",
    "zc-forward": "best-forward.json",
}
"""Name -> file in this folder."""

DEFAULT = "zc-general"
"""What ranks where no proxy is named."""


def file_of(name: str) -> Path:
    """Return the file of a proxy in `FILES`."""
    return Path(__file__).with_name(FILES[name])
