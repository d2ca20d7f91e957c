"""Text from outside (names, paths, architectures) in the formats of files that zcproxy writes, a function each."""

from __future__ import annotations

import re

import pandas as pd

_LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_FORMULA = ("=", "+", "-", "@")
"""Characters that begin a formula in a spreadsheet."""

VERBATIM = ("arch", "formula")
"""Columns of tables that programs read back: texts that the project itself writes."""


def plain(text: str) -> str:
    """Return a text in one line, a space for every character that cannot be seen: controls, separators, surrogates."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def well_formed(text: str) -> str:
    """Return a text that UTF-8 can write: names in JSON and of files may hold halves of characters."""
    return text.encode("utf-8", "replace").decode("utf-8")


def docstring(text: str, longest: int = 1000) -> str:
    """Return a text that neither ends nor escapes from a docstring or comment of Python."""
    return plain(re.sub(r"[\\\"']", " ", text))[:longest].strip()


def latex(text: str) -> str:
    """Return a text in which LaTeX reads every character as itself."""
    return "".join(
        _LATEX.get(character, rf"\{character}" if character in "&%$#_{}" else character) for character in plain(text)
    )


def latex_comment(text: str) -> str:
    """Return a text that stays in the line of its comment."""
    return plain(text)


def markdown(text: str) -> str:
    """Return a text that is neither markup nor HTML, and stays in its cell, paragraph or heading."""
    escaped = re.sub(r"[\\`*\[\]|!~]", r"\\\g<0>", plain(text))
    return "".join(_HTML.get(character, character) for character in escaped)


def csv_cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: an apostrophe stands before what looks like one."""
    cleaned = plain(text)
    return f"'{cleaned}" if cleaned.startswith(_FORMULA) else cleaned


def csv_frame(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose headings and texts are those of `csv_cell`, but for the columns in `VERBATIM`."""
    found = table.copy()
    for place, name in enumerate(found.columns):
        if name not in VERBATIM and not pd.api.types.is_numeric_dtype(found.dtypes.iloc[place]):
            cells = [csv_cell(value) if isinstance(value, str) else value for value in found.iloc[:, place]]
            found.isetitem(place, cells)
    return found.rename(columns=lambda name: csv_cell(str(name)))
