"""Versions of the language: names that a later one gave another meaning, and how texts of an older one are read.

A file says which version its formulas are written in. What a user writes is read in the newest one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zcproxy.errors import ZcproxyError
from zcproxy.text.visible import shortened

LANGUAGE = 2
"""Version of the language: it grows where a name comes to mean something else."""

FIELD = "language"
"""The field of a file that says in which version its formulas are written; files without it have version 1."""

RENAMED: Mapping[int, Mapping[str, str]] = {1: {"stable_rank": "participation_ratio"}}
"""Version -> primitives that the version after it calls otherwise: the old name and the new one."""


def current_name(name: str, language: int) -> str:
    """Return the name that a primitive has today, given that in an older version."""
    for version in range(language, LANGUAGE):
        name = RENAMED.get(version, {}).get(name, name)
    return name


def taken_from(content: dict[str, Any], where: str, error: type[ZcproxyError]) -> int:
    """Return the version that a file's content names, and take the field out of it.

    Raises:
        error: it is none, or a newer one.
    """
    version = content.pop(FIELD, 1)
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise error(f"{where} has something else than a version of the language under '{FIELD}'")
    if version > LANGUAGE:
        shown = shortened(str(version), 20)
        raise error(f"{where} has formulas of language {shown}, this zcproxy reads up to {LANGUAGE}: upgrade zcproxy")
    return version
