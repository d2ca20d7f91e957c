"""Figure of a run: tau against the size of the formulas of the front, and the test of the chosen one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zcproxy.correlation import Correlation
from zcproxy.evolve.results import Result, front_rows
from zcproxy.figures.style import BLACK, BLUE, COLUMN_WIDTH, GREEN, ORANGE, drawing, wrapped
from zcproxy.text.escaping import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEST_STYLES = ((GREEN, "D"), (BLACK, "^"), ("#CC79A7", "v"), ("#56B4E9", "P"))
"""Colour and mark of the test on each task in turn."""
ROOM, LEGEND_LINE = 2.5, 0.13
"""Inches upwards of all but the legend, and of each of its lines."""


def front_figure(result: Result, title: str) -> Figure:
    """Return a figure of a column's width: training and validation tau by size, and test tau with its 95 % interval.

    Args:
        result: of a finished run.
        title: with task, number of labelled networks, and seed.
    """
    rows = pd.DataFrame(front_rows(result))
    chosen = rows[rows["chosen"]]
    tests = list(result.test.items())
    with drawing(COLUMN_WIDTH, ROOM + LEGEND_LINE * (len(tests) + 1)) as figure:
        axis = figure.subplots()
        axis.plot(rows["size"], rows["training_tau"], "o-", color=BLUE, markersize=3, label="training")
        axis.plot(rows["size"], rows["validation_tau"], "s--", color=ORANGE, markersize=3, label="validation")
        for name in ("training_tau", "validation_tau"):
            _ring(axis, chosen["size"], chosen[name])
        places = float(chosen["size"].iloc[0]) + 0.25 * (1 + np.arange(len(tests)))
        for place, (task, test), (color, mark) in zip(places, tests, _styles(len(tests)), strict=True):
            _draw_test(axis, float(place), test, f"test, {task}: {test.population}", color, mark)
        axis.set_xlabel("nodes of the formula; ringed: the chosen one")
        axis.set_ylabel("Kendall's tau-b")
        axis.grid()
        axis.set_axisbelow(True)
        axis.set_title(wrapped(title, COLUMN_WIDTH), parse_math=False)
        for text in figure.legend(loc="outside lower center", ncols=1).get_texts():
            text.set_parse_math(False)
    return figure


def _styles(tests: int) -> list[tuple[str, str]]:
    return [TEST_STYLES[place % len(TEST_STYLES)] for place in range(tests)]


def _ring(axis: Any, sizes: Any, taus: Any) -> None:
    axis.plot(sizes, taus, "o", markerfacecolor="none", markeredgecolor=BLACK, markersize=7, markeredgewidth=0.8)


def _draw_test(axis: Any, place: float, test: Correlation, label: str, color: str, mark: str) -> None:
    sides = np.nan_to_num([[test.tau - test.tau_low], [test.tau_high - test.tau]])
    axis.errorbar(
        [place], [test.tau], yerr=sides, fmt=mark, color=color, markersize=3.5, linewidth=0.9, label=plain(label)
    )
