"""Scores that something else has computed, from a CSV file with the columns `arch` and `score`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from zcproxy.contracts.search_space import SearchSpace
from zcproxy.errors import BenchmarkError, ProxyFileError
from zcproxy.storage.numbered_texts import read_numbers
from zcproxy.text.visible import shortened

ARCHITECTURE, SCORE = "arch", "score"
"""The columns that are read; others are left alone. `zcproxy score --out` writes such files."""

LONGEST_NAME = 80
"""Characters of a network's name in messages."""

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
    found = read_numbers(
        path,
        (ARCHITECTURE, SCORE),
        _number,
        ProxyFileError,
        largest=LARGEST_FILE,
        what="scores",
        again="scored twice: give one score",
    )
    if not found:
        raise ProxyFileError(f"{path} has no networks below its first line")
    return ScoreFile(path.stem, str(path), found)


def by_architecture(scores: ScoreFile, space: SearchSpace) -> dict[str, float]:
    """Return the scores of a file by canonical text.

    Args:
        scores: what the file holds.
        space: space of the networks, which reads their texts.

    Raises:
        BenchmarkError: it has a text that is none of the space, or two of one architecture.
    """
    known: dict[str, float] = {}
    for text, score in scores.scores.items():
        try:
            architecture = space.parse(text)
        except BenchmarkError as error:
            raise BenchmarkError(
                f"{scores.path} scores an architecture that is not in {space.name}: {error}"
            ) from error
        if architecture in known:
            raise BenchmarkError(
                f"{scores.path} scores '{shortened(architecture, LONGEST_NAME)}' twice: give one score"
            )
        known[architecture] = score
    return known


def _number(where: str, text: str) -> float:
    """Return a score; NaN for an empty one and for infinities."""
    text = text.strip()
    try:
        found = float(text or "nan")
    except ValueError as error:
        raise ProxyFileError(f"{where}: the score '{shortened(text, 40)}' is not a number") from error
    return found if math.isfinite(found) else math.nan
