"""Forest plot of tables: tau of every proxy with its interval, a panel per task."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

from zcproxy.figures.style import BLACK, BLUE, COLUMN_WIDTH, GREY, ORANGE, SMALL, TEXT_WIDTH, drawing, wrapped
from zcproxy.names.proxies import BASELINE
from zcproxy.ranking.figures.headings import common_heading, task_labels
from zcproxy.ranking.significance import behind_best
from zcproxy.ranking.table import Row, TaskTable
from zcproxy.text.escaping import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LINE, HEAD, LEGEND = 0.15, 0.65, 0.6
"""Inches upwards per proxy, around the proxies of a panel, and for the legend."""
BESIDE = 3
"""Most panels beside each other."""


def forest(tables: Sequence[TaskTable]) -> Figure:
    """Return a figure of tau with its 95 % interval, one line per proxy, the best first, and one panel per task.

    Filled marks are the best proxy of the task and those that it is not significantly ahead of.
    """
    names = _by_mean_tau(tables)
    columns = min(BESIDE, len(tables))
    lines = math.ceil(len(tables) / columns)
    width = COLUMN_WIDTH if columns == 1 else TEXT_WIDTH
    with drawing(width, LEGEND + lines * (HEAD + LINE * len(names))) as figure:
        axes = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
        for axis, table, label in zip(axes.flatten(), tables, task_labels(tables), strict=False):
            _panel(axis, table, names)
            if len(tables) > 1:
                axis.set_title(wrapped(label, width / columns), parse_math=False)
        for axis in axes.flatten()[len(tables) :]:
            axis.set_visible(False)
        axes[0, 0].set_yticks(range(len(names)), [plain(name) for name in names], parse_math=False)
        axes[0, 0].set_ylim(len(names) - 0.4, -0.6)
        for axis in axes[-1]:
            axis.set_xlabel("Kendall's tau-b, 95 % interval")
        figure.suptitle(wrapped(common_heading(tables), width), parse_math=False)
        figure.legend(handles=_legend(tables), loc="outside lower center", ncols=2, handletextpad=0.2, columnspacing=1)
    return figure


def _by_mean_tau(tables: Sequence[TaskTable]) -> list[str]:
    """Return the names of the proxies by their mean tau over the tasks that have it, the highest first."""
    taus: dict[str, list[float]] = {}
    for table in tables:
        for row in table.rows:
            tau = row.estimates["tau"].value
            taus.setdefault(row.name, []).append(-1.0 if math.isnan(tau) else tau)
    return sorted(taus, key=lambda name: -fmean(taus[name]))


def _panel(axis: Any, table: TaskTable, names: Sequence[str]) -> None:
    behind = {name for name, each in behind_best(table).items() if each.is_significant}
    for row in table.rows:
        _mark(axis, row, names.index(row.name), is_behind=row.name in behind)
    if table.ceiling is not None:
        axis.axvline(table.ceiling, color=GREY, linestyle="--", linewidth=0.8)
    axis.grid(axis="x")
    axis.tick_params(axis="y", length=0)
    axis.set_axisbelow(True)


def _mark(axis: Any, row: Row, place: int, *, is_behind: bool) -> None:
    tau, color = row.estimates["tau"], _color(row)
    if math.isnan(tau.value):
        axis.text(0.02, place, "undefined", transform=axis.get_yaxis_transform(), va="center", fontsize=SMALL)
        return
    if not math.isnan(tau.low):
        axis.plot([tau.low, tau.high], [place, place], color=color, solid_capstyle="butt")
    axis.plot(tau.value, place, markerfacecolor="white" if is_behind else color, **_shape(color, row.text == BASELINE))


def _color(row: Row) -> str:
    return ORANGE if row.text == BASELINE else BLUE


def _shape(color: str, is_baseline: bool) -> dict[str, Any]:
    return {"marker": "s" if is_baseline else "o", "markersize": 3.4, "color": color, "markeredgewidth": 0.8}


def _legend(tables: Sequence[TaskTable]) -> list[Any]:
    from matplotlib.lines import Line2D

    shown: list[Any] = [Line2D([], [], linestyle="", label="proxy", **_shape(BLUE, False))]
    shown.append(Line2D([], [], linestyle="", label="size of the network", **_shape(ORANGE, True)))
    if any(behind_best(table) for table in tables):
        hollow = {**_shape(BLACK, False), "markerfacecolor": "white", "linestyle": ""}
        shown.append(Line2D([], [], label="hollow: behind the best (Holm, p < 0.05)", **hollow))
    if any(table.ceiling is not None for table in tables):
        shown.append(Line2D([], [], color=GREY, linestyle="--", linewidth=0.8, label="noise ceiling"))
    return shown
