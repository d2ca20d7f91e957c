"""Plots of scores and of a table into axes: score against accuracy, and tau with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zcproxy.correlation.ranks import mean_ranks, rank_scores
from zcproxy.figures.axes import finish, label
from zcproxy.figures.style import BLUE, GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]


def draw_ranks(axes: Axes, scores: Array, labels: Array, title: str) -> Axes:
    """Draw networks as points: their rank by score, the best on the right, against their accuracy.

    Args:
        axes: to draw into.
        scores: one per network; NaN ranks worst.
        labels: accuracies in per cent, one per network.
        title: of the axes.
    """
    axes.scatter(mean_ranks(rank_scores(scores)), labels, s=9, alpha=0.6, linewidths=0, color=BLUE)
    return finish(axes, title=title, across="rank by score, best on the right", up="accuracy, %")


def draw_taus(axes: Axes, names: Sequence[str], taus: Sequence[tuple[float, float, float]], title: str) -> Axes:
    """Draw Kendall's tau of each proxy with its interval, the first on top.

    Args:
        axes: to draw into.
        names: of the proxies.
        taus: value, lower and upper end of each; ends that are NaN are not drawn.
        title: of the axes.
    """
    places = np.arange(len(names))
    values, lows, highs = np.array(taus, np.float64).reshape(-1, 3).T
    sides = np.nan_to_num(np.stack([values - lows, highs - values]), nan=0.0).clip(0)
    axes.errorbar(values, places, xerr=sides, fmt="o", color=BLUE, markersize=4, capsize=2, linewidth=1)
    axes.set_yticks(places, [label(name) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.axvline(0.0, color=GREY, linewidth=0.8)
    return finish(axes, title=title, across="Kendall's tau-b, with its 95 % interval")
