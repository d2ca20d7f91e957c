"""Figures of a search: the Pareto front among all that was evaluated, and how the hypervolume grew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from zcproxy.figures.style import BLUE, COLUMN_WIDTH, GREY, ORANGE, TEXT_WIDTH, drawing, wrapped
from zcproxy.search.front import hypervolume_over
from zcproxy.search.goals import PROXY, Candidate
from zcproxy.text.escaping import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def front_figure(table: pd.DataFrame, front: pd.DataFrame, objectives: Sequence[str], title: str) -> Figure:
    """Return a figure of a column's width: all evaluations, and the Pareto front.

    Args:
        table: one row per evaluated architecture, with a column per quantity, in the order of the evaluation.
        front: the rows of the front.
        objectives: names of the quantities searched for; with three or more, the first and the last are shown.
        title: with what was searched, how, and the seed.
    """
    with drawing(COLUMN_WIDTH, 2.7) as figure:
        axis = figure.subplots()
        draw_front(axis, table, front, objectives)
        axis.set_title(wrapped(title, COLUMN_WIDTH), parse_math=False)
    return figure


def search_figure(
    table: pd.DataFrame, front: pd.DataFrame, objectives: Sequence[str], outcomes: Sequence[Candidate], title: str
) -> Figure:
    """Return a figure of both columns' width: the front, and how the hypervolume, or the best value, grew.

    Args:
        table: as of `front_figure`.
        front: as of `front_figure`.
        objectives: as of `front_figure`.
        outcomes: all evaluated architectures, in the order of their evaluation.
        title: as of `front_figure`.
    """
    with drawing(TEXT_WIDTH, 2.9) as figure:
        left, right = figure.subplots(1, 2)
        draw_front(left, table, front, objectives)
        by_rank = [place for place, name in enumerate(objectives) if name == PROXY]
        after, volumes = hypervolume_over(outcomes, by_rank=by_rank)
        right.plot(after, volumes, color=BLUE)
        right.set_xlabel("evaluations")
        right.set_ylabel("hypervolume, share of the box of all" + ("\n(scores by rank)" if by_rank else ""))
        right.set_ylim(0, 1.02)
        right.grid()
        figure.suptitle(wrapped(title, TEXT_WIDTH), parse_math=False)
    return figure


def draw_front(axis: Any, table: pd.DataFrame, front: pd.DataFrame, objectives: Sequence[str]) -> None:
    """Draw all evaluations and the front into axes of matplotlib; arguments as of `front_figure`."""
    dots = {"linestyle": "", "marker": ".", "color": GREY, "alpha": 0.6, "markersize": 5, "markeredgewidth": 0}
    line = {"color": BLUE, "marker": "o", "markersize": 3, "linewidth": 0.9}
    if len(objectives) == 1:
        (name,) = objectives
        axis.plot(np.arange(1, len(table) + 1), table[name], label="evaluated", **dots)
        best = front.index.to_numpy()
        axis.plot(best + 1, table[name].to_numpy()[best], label="best", **{**line, "color": ORANGE, "linestyle": ""})
        axis.set_xlabel("evaluations")
        axis.set_ylabel(plain(name), parse_math=False)
    else:
        across, up = objectives[-1], objectives[0]
        axis.plot(table[across], table[up], label="evaluated", **dots)
        ordered = front.sort_values(across)
        axis.plot(ordered[across], ordered[up], label="Pareto front", **line)
        axis.set_xlabel(plain(across), parse_math=False)
        axis.set_ylabel(plain(up), parse_math=False)
    axis.legend(loc="best")
    axis.grid()
    axis.set_axisbelow(True)
