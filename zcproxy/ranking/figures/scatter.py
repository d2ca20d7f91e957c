"""Scores against accuracies: one panel for one proxy, or one per proxy of a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zcproxy.correlation.ranks import mean_ranks, rank_scores
from zcproxy.figures.style import BLUE, COLUMN_WIDTH, SMALL, TEXT_WIDTH, drawing, wrapped
from zcproxy.ranking.figures.headings import heading
from zcproxy.ranking.layout import signed
from zcproxy.ranking.table import TaskTable
from zcproxy.text.escaping import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NARROW, WIDE = 3, 6
"""Panels beside each other, in a column and in both."""
PANEL, HEAD = 1.05, 0.65
"""Inches of a panel upwards, and around all panels of a task."""
SHOWN = 0.02
"""Share of the lowest accuracies that may lie below the panels: a few failed networks would flatten the others."""
LARGE = 1000.0
"""Scores whose largest is this many times the smallest are shown on a logarithmic axis."""


def scatter(tables: Sequence[TaskTable]) -> Figure:
    """Return a figure of the networks as points, rank by score against accuracy: panels by tau, tasks in turn."""
    most = max(len(table.rows) for table in tables)
    columns = min(most, NARROW if most <= 4 * NARROW else WIDE)
    lines = [math.ceil(len(table.rows) / columns) for table in tables]
    heights = [HEAD + PANEL * count for count in lines]
    with drawing(COLUMN_WIDTH if columns <= NARROW else TEXT_WIDTH, sum(heights)) as figure:
        parts = figure.subfigures(len(tables), 1, height_ratios=heights, squeeze=False)[:, 0]
        for part, table, count in zip(parts, tables, lines, strict=True):
            _panels(part, table, count, columns, figure.get_figwidth())
    return figure


def one_scatter(scores: NDArray[np.float64], labels: NDArray[np.float64], title: str, said: str) -> Figure:
    """Return a figure of one proxy: score against accuracy.

    Args:
        scores: one per network, NaN where it is undefined: those are left out.
        labels: accuracies in percent, one per network.
        title: with population and seed.
        said: the proxy, and tau with its interval.
    """
    with drawing(COLUMN_WIDTH, 2.7) as figure:
        axis = figure.subplots()
        known = np.isfinite(scores)
        axis.scatter(scores[known], labels[known], s=6, alpha=0.5, linewidths=0, color=BLUE)
        left_out = int(np.count_nonzero(~known))
        lacking = f" ({left_out} of {len(scores)} networks have no finite one)" if left_out else ""
        axis.set_xlabel(f"score{lacking}")
        axis.set_ylabel("test accuracy, %")
        positive = scores[known & (scores > 0)]
        if len(positive) and len(positive) == np.count_nonzero(known) and positive.max() > LARGE * positive.min():
            axis.set_xscale("log")
        axis.set_ylim(*_shown(labels))
        axis.grid()
        axis.set_axisbelow(True)
        axis.set_title(f"{wrapped(title, COLUMN_WIDTH)}\n{wrapped(said, COLUMN_WIDTH)}", parse_math=False)
    return figure


def _panels(part: Any, table: TaskTable, lines: int, columns: int, width: float) -> None:
    axes = part.subplots(lines, columns, sharex=True, sharey=True, squeeze=False).flatten()
    rows = table.ranked()
    for axis, row in zip(axes, rows, strict=False):
        ranks = mean_ranks(rank_scores(row.scores))
        axis.scatter(ranks, table.labels, s=2, alpha=0.5, linewidths=0, color=BLUE, rasterized=True)
        tau = signed(row.estimates["tau"].value, 2) or "(undefined)"
        axis.set_title(f"{plain(row.name)[:18]} {tau}", fontsize=SMALL, pad=2, parse_math=False)
        axis.grid()
        axis.set_axisbelow(True)
    axes[0].set_ylim(*_shown(table.labels))
    for axis in axes[len(rows) :]:
        axis.set_visible(False)
    part.suptitle(wrapped(f"{heading(table)}. Kendall's tau-b above each panel", width), parse_math=False)
    part.supxlabel("rank by score, best on the right", fontsize=7)
    part.supylabel("test accuracy, %", fontsize=7)


def _shown(labels: NDArray[np.float64]) -> tuple[float, float]:
    lowest, highest = float(np.quantile(labels, SHOWN)), float(labels.max())
    margin = 0.05 * (highest - lowest) or 0.5
    return lowest - margin, highest + margin
