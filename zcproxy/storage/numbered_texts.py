"""A column of texts and a column of numbers in a CSV file of a user: labels, scores."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

from zcproxy.errors import StorageError, ZcproxyError
from zcproxy.storage.files import read_small_file
from zcproxy.text.visible import shortened


def read_numbers(
    path: Path,
    columns: tuple[str, str],
    number: Callable[[str, str], float],
    error: type[ZcproxyError],
    *,
    largest: int,
    what: str,
    again: str,
) -> dict[str, float]:
    """Return the numbers in a CSV file by their texts, in the order of its lines; other columns are left alone.

    Args:
        path: the file; its first line names the columns.
        columns: names of the column of texts and of that of numbers.
        number: takes the place of a number, for messages, and its text; returns it or raises.
        error: what is raised.
        largest: bytes that the file may have.
        what: what messages call the numbers.
        again: what messages say of a text that occurs twice.

    Raises:
        error: the file is missing or unreadable, has no such columns, or a text twice.
    """
    texts, numbers = columns
    try:
        content = read_small_file(path, largest).decode("utf-8-sig")
        rows = csv.DictReader(io.StringIO(content, newline=""), strict=True)
        missing = [name for name in columns if name not in (rows.fieldnames or ())]
        if missing:
            raise error(
                f"{path} has no column '{missing[0]}': its first line names the columns, {texts} and {numbers} "
                "among them"
            )
        found: dict[str, float] = {}
        for row in rows:
            where, text = f"{path}, line {rows.line_num}", (row[texts] or "").strip()
            if text in found:
                raise error(f"{where}: '{shortened(text, 80)}' is {again}")
            found[text] = number(where, row[numbers] or "")
    except OSError as problem:
        raise error(f"cannot read the {what} in {path}: {problem.strerror or problem}") from problem
    except (StorageError, UnicodeDecodeError, csv.Error) as problem:
        raise error(f"{path} is not a CSV file of {what}: {problem}") from problem
    return found
