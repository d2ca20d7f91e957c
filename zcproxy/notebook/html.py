"""HTML of results in notebooks: escaped, small, and without colours of its own, for dark and light pages."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from zcproxy.text.visible import shortened, visible

MOST_ROWS = 20
"""Rows that are shown of a longer table."""

LONGEST = 160
"""Characters of a cell."""

_LINE = "border-bottom:1px solid rgba(128,128,128,.4);"
_CELL = "padding:.2em .6em;background:none;color:inherit;"
_WHOLE = "white-space:nowrap;"
_NUMBER, _TEXT = f"{_CELL}{_WHOLE}text-align:right;", f"{_CELL}{_WHOLE}text-align:left;"
_LONG_TEXT = f"{_CELL}text-align:left;min-width:18em;overflow-wrap:anywhere;"

WRAPPED = 30
"""Texts of more characters are wrapped."""


def html_table(headline: str, frame: pd.DataFrame) -> str:
    """Return a headline above a table; of a long one the first rows, and how many there are.

    Args:
        headline: one line or several.
        frame: numbers, texts and truth values; its index is not shown.
    """
    lines = "<br>".join(_escaped(line, 10 * LONGEST) for line in headline.splitlines())
    shown = frame.head(MOST_ROWS)
    styles = [_style(shown.iloc[:, place]) for place in range(frame.shape[1])]
    head = _row("th", [str(name) for name in frame.columns], [style + _WHOLE + _LINE for style in styles])
    rows = [_row("td", [_text(value) for value in row], styles) for row in shown.itertuples(index=False, name=None)]
    more = f"<div>{len(shown)} of {len(frame):,} rows</div>" if len(frame) > len(shown) else ""
    return (
        f'<div style="max-width:100%;overflow-x:auto;color:inherit"><div>{lines}</div>'
        f'<table style="border-collapse:collapse;font-variant-numeric:tabular-nums;background:none;color:inherit">'
        f"<thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>{more}</div>"
    )


def _row(tag: str, texts: Iterable[str], styles: Iterable[str]) -> str:
    cells = (
        f'<{tag} style="{style}">{_escaped(text, LONGEST)}</{tag}>' for text, style in zip(texts, styles, strict=True)
    )
    return f"<tr>{''.join(cells)}</tr>"


def _escaped(text: str, longest: int) -> str:
    return html.escape(visible(shortened(text, longest)))


def _style(column: pd.Series[Any]) -> str:
    """Return how the cells of a column look: numbers on the right, long texts in several lines."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return _NUMBER
    return _LONG_TEXT if max((len(_text(value)) for value in column), default=0) > WRAPPED else _TEXT


def _text(value: Any) -> str:
    """Return a value as a cell shows it: four digits, thousands with commas, a dash for NaN."""
    if isinstance(value, bool | np.bool_):
        return "✓" if value else ""
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    if isinstance(value, float | np.floating):
        number = float(value)
        if math.isnan(number):
            return "–"
        return f"{number:,.0f}" if 1000 <= abs(number) < 1e15 else f"{number:.4g}"
    return "" if value is None else str(value)
