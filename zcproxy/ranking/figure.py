"""The figure of a table: rank by score against accuracy, one panel per proxy."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from zcproxy.correlation.ranks import mean_ranks, rank_scores
from zcproxy.extras import extra
from zcproxy.ranking.layout import number, title
from zcproxy.ranking.table import TaskTable
from zcproxy.storage.files import replacing
from zcproxy.text.escaping import plain

COLUMNS = 5
SHOWN = 0.02
"""Share of the lowest accuracies that may lie below the panels: a few failed networks would flatten the others."""


def draw_scores(path: Path, table: TaskTable) -> None:
    """Write a PNG file with the networks as points, panels ordered by tau.

    Raises:
        StorageError: it cannot be written.
        ConfigurationError: matplotlib is not installed.
    """
    with extra("figures", "the figure of a table"):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

    rows = table.ranked()
    columns = min(COLUMNS, len(rows))
    lines = math.ceil(len(rows) / columns)
    figure = Figure(figsize=(2.6 * columns, 2.3 * lines + 0.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False).flatten()
    for axis, row in zip(axes, rows, strict=False):
        axis.scatter(mean_ranks(rank_scores(row.scores)), table.labels, s=5, alpha=0.45, linewidths=0, color="#1f4e79")
        axis.set_title(f"{plain(row.name)}  {number(row.estimates['tau'].value)}", fontsize=9, parse_math=False)
        axis.grid(alpha=0.25)
    lowest = float(np.quantile(table.labels, SHOWN))
    axes[0].set_ylim(lowest - 0.05 * (table.labels.max() - lowest), table.labels.max() + 0.5)
    for axis in axes[len(rows) :]:
        axis.set_visible(False)
    figure.suptitle(f"{plain(title(table))}. Kendall's tau-b above each panel", fontsize=10, parse_math=False)
    figure.supxlabel("rank by score, best on the right", fontsize=9)
    figure.supylabel("test accuracy, %", fontsize=9)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)
