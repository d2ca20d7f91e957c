"""Plain values in untrusted files: json and Python's literals with limits, finite numbers, dictionaries."""

from __future__ import annotations

import ast
import csv
import io
import json
import math
import warnings
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

_LONGEST_REASON = 200
LONGEST_LITERAL = 10_000
"""Characters of a literal; the longest official one has 250, the header of an array a hundred."""


def read_json(content: bytes) -> Any:
    """Return what json holds. Raises `ValueError` for anything else, and for values nested too deeply."""
    try:
        return json.loads(content)
    except RecursionError as error:
        raise ValueError("its values are nested too deeply") from error


def read_csv(content: bytes, columns: Sequence[str], text: Sequence[str] = ()) -> pd.DataFrame:
    """Return columns of a table of comma-separated values. Raises `ValueError` for anything else.

    Args:
        content: the bytes of the file.
        columns: their names.
        text: those whose values are text, whatever it looks like.
    """
    try:
        found = pd.read_csv(
            io.BytesIO(content), usecols=list(columns), dtype=dict.fromkeys(text, "string"), low_memory=False
        )
        return found.fillna(dict.fromkeys(text, ""))
    except (MemoryError, OverflowError, ValueError, csv.Error) as error:
        raise ValueError(" ".join(str(error).split())[:_LONGEST_REASON]) from error


def read_literal(text: str) -> Any:
    """Return the value of a literal of Python: numbers, text, lists, dictionaries. Raises `ValueError`."""
    if len(text) > LONGEST_LITERAL:
        raise ValueError(f"it has {len(text):,} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Python remarks on its own code, such as odd escapes
            return ast.literal_eval(text)
    except (MemoryError, RecursionError, SyntaxError, TypeError, ValueError) as error:
        raise ValueError("it is not a plain value") from error


def finite_number(value: object) -> float:
    """Return a finite number as a float.

    Raises:
        TypeError: it is text, a truth value, a list or anything else.
        ValueError: it is infinite, not a number, or beyond a float.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"a {type(value).__name__} stands for a number")
    try:
        found = float(value)
    except OverflowError as error:
        raise ValueError("a number is larger than a float can be") from error
    if not math.isfinite(found):
        raise ValueError(f"a number is {found}")
    return found


def whole_number(value: object) -> int:
    """Return a whole number, written as such. Raises `TypeError` for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"a {type(value).__name__} stands for a whole number")
    return int(value)


def dictionary(value: object) -> dict[Any, Any]:
    """Return the items of a dictionary. Raises `TypeError` for anything else."""
    if type(value) is not dict and type(value) is not OrderedDict:
        raise TypeError(f"a {type(value).__name__} stands for a dictionary")
    return dict(dict.items(value))
