"""Labels of a user: numbers of networks, in per cent or as shares, of which the higher or the lower is better."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from zcproxy.errors import BenchmarkError, nearest_names
from zcproxy.storage.notices import notice
from zcproxy.text.visible import shortened

LONGEST_NAME = 80
"""Characters of a network's name in messages."""
_MISSING = ("", "-", "na", "n/a", "nan", "none", "null")

NAMED = 3
"""Networks that a message names; of others it says how many there are."""


def labels_of_frame(
    frame: pd.DataFrame, architecture: str, accuracy: str, *, lower_is_better: bool = False, where: str = "the table"
) -> dict[str, float]:
    """Return the labels of a table by the text of the architecture, in its order: see `own_labels`.

    Args:
        frame: one row per network.
        architecture: the column of texts.
        accuracy: the column of numbers.
        lower_is_better: see `own_labels`.
        where: what messages call the table.

    Raises:
        BenchmarkError: a column is missing, an architecture is empty or occurs twice, or see `own_labels`.
    """
    for column in (architecture, accuracy):
        if column not in frame.columns:
            hint = nearest_names(column, map(str, frame.columns))
            shown = shortened(", ".join(map(str, frame.columns)), 200)
            raise BenchmarkError(f"{where} has no column '{column}'{hint}: its columns are {shown}")
    names = ["" if pd.isna(name) else str(name).strip() for name in frame[architecture]]
    values: dict[str, Any] = {}
    for row, (name, value) in enumerate(zip(names, frame[accuracy], strict=True), start=1):
        if not name:
            raise BenchmarkError(f"row {row} of {where} has no text in '{architecture}': name every network")
        if name in values:
            raise BenchmarkError(
                f"row {row} of {where} has the architecture '{shortened(name, LONGEST_NAME)}' again: give one number "
                "per network"
            )
        values[name] = value
    return own_labels(values, lower_is_better=lower_is_better)


def own_labels(values: Mapping[str, Any], *, lower_is_better: bool = False) -> dict[str, float]:
    """Return labels of which the higher is better; networks without a finite number are left out, which is said.

    Numbers that all lie in 0..1 are taken for shares and become per cent.

    Args:
        values: a number per network.
        lower_is_better: whether they are losses or errors: labels are then these with another sign.

    Raises:
        BenchmarkError: something is no number, or no network has one.
    """
    numbers = {name: _number(name, value) for name, value in values.items()}
    missing = [name for name, value in numbers.items() if not np.isfinite(value)]
    found = {name: value for name, value in numbers.items() if np.isfinite(value)}
    if not found:
        raise BenchmarkError(f"none of the {len(numbers)} networks has a number for a label: give their accuracies")
    if missing:
        notice(f"{_named(missing)} no finite label and {_are(missing)} left out; {len(found)} networks are left")
    if lower_is_better:
        return {name: -value for name, value in found.items()}
    are_shares = all(0 <= value <= 1 for value in found.values())
    return {name: 100 * value if are_shares else value for name, value in found.items()}


def named_networks(names: list[str]) -> str:
    """Return names for a message: the first few, and how many others there are."""
    shown = ", ".join(f"'{shortened(name, LONGEST_NAME)}'" for name in names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} others"


def _named(names: list[str]) -> str:
    return f"{named_networks(names)} {'has' if len(names) == 1 else 'have'}"


def _are(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _number(name: str, value: Any) -> float:
    if value is None or (isinstance(value, str) and value.strip().lower() in _MISSING):
        return float("nan")
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise BenchmarkError(
            f"the label of '{shortened(name, LONGEST_NAME)}' is {str(value)!r:.60}, not a number: correct it, or leave "
            "it empty"
        ) from error
