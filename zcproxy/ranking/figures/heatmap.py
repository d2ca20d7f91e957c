"""Heat map of tables: tau of every proxy on every task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from zcproxy.ranking.figures.grid import grid
from zcproxy.ranking.figures.headings import common_heading, task_labels
from zcproxy.ranking.layout import signed
from zcproxy.ranking.significance import behind_best
from zcproxy.ranking.table import TaskTable

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def heatmap(tables: Sequence[TaskTable]) -> Figure:
    """Return a figure of tau as colour, a row per proxy and a column per task, the highest mean on top.

    Bold numbers are the best of their task and those that it is not significantly ahead of.
    """
    names = list(dict.fromkeys(row.name for table in tables for row in table.rows))
    values = np.full((len(names), len(tables)), np.nan)
    bold = np.zeros(values.shape, np.bool_)
    for column, table in enumerate(tables):
        ahead = {name for name, each in behind_best(table).items() if each.is_significant}
        for row in table.rows:
            place = names.index(row.name), column
            values[place] = row.estimates["tau"].value
            bold[place] = bool(len(row.draws)) and row.name not in ahead and not np.isnan(values[place])
    order = np.argsort(-np.nan_to_num(values, nan=-1.0).mean(axis=1), kind="stable")
    values, bold = values[order], bold[order]
    what = "Kendall's tau-b" + ("; bold: not significantly behind the best (Holm, p < 0.05)" if bold.any() else "")
    return grid(
        values,
        [names[place] for place in order],
        task_labels(tables),
        f"{common_heading(tables)}. {what}",
        numbers=[[signed(value, 2) for value in row] for row in values],
        bold=bold,
    )
