"""Coloured grid of correlations with its numbers: what the heat map and the agreement of proxies share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zcproxy.figures.style import COLUMN_WIDTH, DIVERGING, SMALL, TEXT_WIDTH, drawing, wrapped
from zcproxy.text.escaping import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMES, HEAD, BAR = 0.95, 0.75, 0.45
"""Inches for names beside the cells, for the title, and for the bar of colours."""
SQUARE, WIDE, HIGH = 0.13, 0.42, 0.165
"""Inches of a cell: of a side where it has no number, across and upwards where it has one."""
DARK = 0.6
"""Share of the largest correlation above which a cell is dark, so that its number is white."""
LETTER = 0.055
"""Inches of a letter of a name."""


def grid(
    values: NDArray[np.float64],
    rows: Sequence[str],
    columns: Sequence[str],
    title: str,
    *,
    numbers: Sequence[Sequence[str]],
    bold: NDArray[np.bool_],
) -> Figure:
    """Return a figure of a matrix of correlations as colours, with numbers where a page has room for them.

    Args:
        values: rows x columns, NaN where there is none.
        rows: names.
        columns: names.
        title: with population and seed.
        numbers: what stands in each cell.
        bold: which of these are bold.
    """
    has_numbers = NAMES + BAR + WIDE * len(columns) <= TEXT_WIDTH
    across = NAMES + BAR + (WIDE if has_numbers else SQUARE) * len(columns)
    upwards = HEAD + (HIGH if has_numbers else SQUARE) * len(rows)
    longest = max(len(plain(name)) for name in columns)
    with drawing(max(COLUMN_WIDTH, across), upwards + LETTER * min(longest, 40)) as figure:
        axis = figure.subplots()
        largest = max(0.1, float(np.nanmax(np.abs(values), initial=0.1)))
        image = axis.imshow(values, cmap=DIVERGING, vmin=-largest, vmax=largest, aspect="auto")
        axis.set_xticks(range(len(columns)), list(map(plain, columns)), rotation=90, parse_math=False)
        axis.set_yticks(range(len(rows)), list(map(plain, rows)), parse_math=False)
        axis.tick_params(length=0)
        axis.set_facecolor("#E0E0E0")
        if has_numbers:
            _write(axis, values, numbers, bold, largest)
        figure.colorbar(image, ax=axis, fraction=0.05, pad=0.02, aspect=40)
        figure.suptitle(wrapped(title, figure.get_figwidth()), parse_math=False)
    return figure


def _write(
    axis: Any, values: NDArray[np.float64], numbers: Sequence[Sequence[str]], bold: NDArray[np.bool_], largest: float
) -> None:
    for (row, column), value in np.ndenumerate(values):
        axis.text(
            column,
            row,
            numbers[row][column],
            ha="center",
            va="center",
            fontsize=SMALL,
            fontweight="bold" if bold[row, column] else "normal",
            color="white" if abs(value) > DARK * largest else "black",
        )
