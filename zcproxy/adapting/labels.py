"""Labels of a user: accuracies of some networks of a space, from a CSV file or a mapping."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from pathlib import Path

from zcproxy.contracts.task import SearchSpace
from zcproxy.errors import BenchmarkError, StorageError
from zcproxy.storage.files import read_small_file
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
    try:
        text = read_small_file(path, LARGEST_FILE).decode("utf-8-sig")
        rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        missing = [name for name in (ARCHITECTURE, ACCURACY) if name not in (rows.fieldnames or ())]
        if missing:
            raise BenchmarkError(
                f"{path} has no column '{missing[0]}': its first line names the columns, {ARCHITECTURE} and {ACCURACY} "
                "among them"
            )
        found: dict[str, float] = {}
        for row in rows:
            where = f"{path}, line {rows.line_num}"
            architecture = (row[ARCHITECTURE] or "").strip()
            if architecture in found:
                raise BenchmarkError(f"{where}: '{shortened(architecture, 80)}' is labelled twice: give one accuracy")
            found[architecture] = _number(where, row[ACCURACY] or "")
    except OSError as error:
        raise BenchmarkError(f"cannot read the labels in {path}: {error.strerror or error}") from error
    except (StorageError, UnicodeDecodeError, csv.Error) as error:
        raise BenchmarkError(f"{path} is not a CSV file of labels: {error}") from error
    return found


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
