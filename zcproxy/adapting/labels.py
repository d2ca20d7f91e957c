"""Labels of a user: accuracies of some networks of a space, from a CSV file or a mapping."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from zcproxy.contracts.task import SearchSpace
from zcproxy.errors import BenchmarkError
from zcproxy.storage.numbered_texts import read_numbers
from zcproxy.text.visible import shortened

ARCHITECTURE, ACCURACY = "architecture", "accuracy"
"""The columns of the file that are read."""

LARGEST_FILE = 10_000_000
"""Bytes of the file."""

FEWEST, MOST = 10, 500
"""Networks that a choice takes, and above which evolution itself has enough of them."""


def read_labels(path: Path) -> dict[str, float]:
    """Return the accuracies in a CSV file by the text of their architectures; other columns are left alone.

    Raises:
        BenchmarkError: the file is missing or unreadable, has no such columns, an accuracy that is not a finite number,
            or an architecture twice.
    """
    return read_numbers(
        path,
        (ARCHITECTURE, ACCURACY),
        _number,
        BenchmarkError,
        largest=LARGEST_FILE,
        what="labels",
        again="labelled twice: give one accuracy",
    )


def canonical_labels(labels: Mapping[str, float], space: SearchSpace) -> dict[str, float]:
    """Return labels by the canonical texts of their architectures.

    Args:
        labels: finite accuracies.
        space: space of the architectures.

    Raises:
        BenchmarkError: fewer than ten or more than 500 networks, a text that is none of the space, two of one
            architecture, an accuracy that is not finite, or equal accuracies.
    """
    if len(labels) < FEWEST:
        raise BenchmarkError(
            f"{len(labels)} networks have labels: give {FEWEST} or more, fewer cannot tell proxies apart"
        )
    if len(labels) > MOST:
        raise BenchmarkError(
            f"{len(labels)} networks have labels: give {MOST} or fewer; for so many, find a formula with zcproxy evolve"
        )
    found: dict[str, float] = {}
    for text, accuracy in labels.items():
        architecture = _parsed(text, space)
        if architecture in found:
            raise BenchmarkError(
                f"the labels have the architecture '{shortened(architecture, 80)}' twice: give it once"
            )
        if not math.isfinite(accuracy):
            raise BenchmarkError(f"the accuracy of '{shortened(text, 80)}' is {accuracy}: leave that network out")
        found[architecture] = float(accuracy)
    first = next(iter(found.values()))
    if all(accuracy == first for accuracy in found.values()):
        raise BenchmarkError(f"all {len(found)} accuracies equal {first:g}: there is no ranking to choose by")
    return found


def _parsed(text: str, space: SearchSpace) -> str:
    try:
        return space.parse(text)
    except BenchmarkError as error:
        raise BenchmarkError(f"the labels name an architecture that is not in {space.name}: {error}") from error


def _number(where: str, text: str) -> float:
    try:
        found = float(text)
    except ValueError as error:
        raise BenchmarkError(f"{where}: the accuracy '{shortened(text, 40)}' is not a number") from error
    if not math.isfinite(found):
        raise BenchmarkError(f"{where}: the accuracy '{shortened(text, 40)}' is not finite: leave that network out")
    return found
