"""The figures of a page: fronts, how a run went, intervals of tau, scores against accuracy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from zcproxy.correlation.ranks import mean_ranks, rank_scores
from zcproxy.reporting.svg import FIRST, INK, MUTED, SECOND, as_svg, figure
from zcproxy.reporting.values import spread
from zcproxy.text.visible import shortened, visible

WIDTH, HEIGHT = 4.9, 3.3
"""Inches of a figure: two stand beside each other on a wide page, and one fills a telephone's."""
LONGEST_ARCHITECTURE = 120
LONGEST_NAME, LETTER = 26, 0.075
"""Letters of a name at the side of a figure, and inches of one."""


@dataclass(frozen=True)
class Point:
    """A point of a front.

    Attributes:
        across: place from left to right; finite.
        up: place from below; finite.
        hint: what shows on hovering.
        is_chosen: whether it stands out.
    """

    across: float
    up: float
    hint: str
    is_chosen: bool = False


@dataclass(frozen=True)
class Line:
    """A line of a figure over the generations of a run."""

    label: str
    across: Sequence[float]
    up: Sequence[float]
    colour: str = FIRST
    width: float = 1.6


@dataclass(frozen=True)
class Interval:
    """A value of tau with its interval; NaN where there is none.

    Attributes:
        name: of what was measured.
        value: tau.
        low: lower end of its 95 % interval.
        high: upper end.
        stands_out: whether it is what the page is about.
    """

    name: str
    value: float
    low: float = math.nan
    high: float = math.nan
    stands_out: bool = False


@dataclass(frozen=True)
class Networks:
    """Networks with a score and an accuracy.

    Attributes:
        label: what they are, for the legend; empty for none.
        scores: one per network, of any scale.
        accuracies: one per network.
        names: texts of the architectures.
    """

    label: str
    scores: NDArray[np.float64] = field(repr=False)
    accuracies: NDArray[np.float64] = field(repr=False)
    names: Sequence[str] = field(repr=False)


def front_figure(
    name: str,
    front: Sequence[Point],
    others: Sequence[Point],
    *,
    across: str,
    up: str,
    beside: Sequence[Point] = (),
    labels: tuple[str, str, str] = ("front", "", ""),
) -> Markup:
    """Return a front with its points in order of what is across.

    Args:
        name: distinct on the page.
        front: its points; a line joins them.
        others: points behind it.
        across: label of the axis from left to right.
        up: label of the axis from below.
        beside: the same formulas by another measure, joined by a thin line.
        labels: what the legend calls front, others and `beside`.
    """
    hints = {}
    with figure(WIDTH, HEIGHT) as (drawn, axis):
        for gid, points, colour, size, label in (
            ("others", others, MUTED, 7, labels[1]),
            ("beside", beside, SECOND, 13, labels[2]),
            ("front", front, FIRST, 22, labels[0]),
        ):
            if not points:
                continue
            ordered = sorted(points, key=lambda point: point.across)
            x, y = [point.across for point in ordered], [point.up for point in ordered]
            if gid != "others":
                axis.plot(x, y, color=colour, linewidth=1.4 if gid == "front" else 0.8)
            axis.scatter(x, y, s=size, color=colour, linewidths=0, label=label, zorder=3, gid=gid)
            hints[gid] = [point.hint for point in ordered]
        chosen = [point for point in front if point.is_chosen]
        axis.scatter(
            [point.across for point in chosen],
            [point.up for point in chosen],
            s=90,
            facecolors="none",
            edgecolors=INK,
            linewidths=1.2,
            zorder=4,
            label="chosen" if chosen else None,
        )
        axis.set(xlabel=visible(across), ylabel=visible(up))
        if others or beside or chosen:
            axis.legend(loc="best")
        return as_svg(drawn, name, f"{up} against {across}", hints)


def history_figure(name: str, lines: Sequence[Line], *, across: str, up: str) -> Markup:
    """Return lines over the time of a run."""
    from matplotlib.ticker import MaxNLocator

    with figure(WIDTH, HEIGHT) as (drawn, axis):
        for line in lines:
            marker = "o" if len(line.across) == 1 else None
            axis.plot(
                line.across, line.up, color=line.colour, linewidth=line.width, label=visible(line.label), marker=marker
            )
        axis.set(xlabel=visible(across), ylabel=visible(up))
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        if len(lines) > 1:
            axis.legend(loc="best")
        return as_svg(drawn, name, f"{up} over {across}")


def forest_figure(name: str, rows: Sequence[Interval], *, across: str, ceiling: float | None = None) -> Markup:
    """Return values with their intervals, one below the other, in the order given; undefined ones are left out.

    Args:
        name: distinct on the page.
        rows: the values.
        across: label of the axis.
        ceiling: a value that a line marks: what two trainings agree to.
    """
    shown = [row for row in rows if math.isfinite(row.value)]
    names = [shortened(visible(row.name), LONGEST_NAME) for row in shown]
    left = 0.3 + LETTER * max(map(len, names), default=0)
    with figure(WIDTH, 0.85 + 0.21 * max(2, len(shown)), left) as (drawn, axis):
        for place, row in enumerate(shown):
            colour = FIRST if row.stands_out else MUTED
            if math.isfinite(row.low) and math.isfinite(row.high):
                axis.plot([row.low, row.high], [place, place], color=colour, linewidth=1.6)
        groups = [(FIRST, "own", True), (MUTED, "others", False)]
        hints = {}
        for colour, gid, stands_out in groups:
            places = [place for place, row in enumerate(shown) if row.stands_out is stands_out]
            if places:
                values = [shown[place].value for place in places]
                axis.scatter(values, places, s=24, color=colour, linewidths=0, zorder=3, gid=gid)
                hints[gid] = [interval_text(shown[place]) for place in places]
        if ceiling is not None:
            axis.axvline(ceiling, color=SECOND, linewidth=1.0, linestyle="--", label=f"noise ceiling {ceiling:.3f}")
            axis.legend(loc="upper center", bbox_to_anchor=(0.5, 1.0), borderaxespad=-1.7)
        axis.set_yticks(range(len(shown)), names)
        axis.set_ylim(len(shown) - 0.4, -0.6)
        axis.grid(visible=False, axis="y")
        axis.set_xlabel(visible(across))
        return as_svg(drawn, name, f"{across}, per proxy", hints)


def interval_text(row: Interval) -> str:
    """Return the name with the value and its interval."""
    ends = f" [{row.low:.3f}, {row.high:.3f}]" if math.isfinite(row.low) else ""
    return f"{row.name}: {row.value:.3f}{ends}"


def scores_figure(name: str, groups: Sequence[Networks], title: str, most: int) -> Markup:
    """Return networks by the rank of their score, among all groups, and by their accuracy.

    Ranks, because scores have no scale: some span thirty orders of magnitude.

    Args:
        name: distinct on the page.
        groups: the networks.
        title: above the figure.
        most: networks of a group that are shown, evenly spread over the ranks.
    """
    ranks = mean_ranks(rank_scores(np.concatenate([group.scores for group in groups])))
    hints: dict[str, list[str]] = {}
    start = 0
    with figure(WIDTH, HEIGHT) as (drawn, axis):
        for number, group in enumerate(groups):
            own = ranks[start : start + len(group.scores)]
            start += len(group.scores)
            kept = sorted(spread(np.argsort(own, kind="stable").tolist(), most))
            gid = f"networks-{number}"
            colour = (FIRST, SECOND)[number % 2]
            axis.scatter(
                own[kept],
                group.accuracies[kept],
                s=13,
                alpha=0.75,
                color=colour,
                linewidths=0,
                label=group.label,
                gid=gid,
            )
            hints[gid] = [
                f"{shortened(group.names[place], LONGEST_ARCHITECTURE)}: score {group.scores[place]:.5g}, "
                f"accuracy {group.accuracies[place]:.2f}"
                for place in kept
            ]
        axis.set(xlabel="rank by score, best on the right", ylabel="accuracy", title=visible(title))
        if len(groups) > 1:
            axis.legend(loc="best")
        return as_svg(drawn, name, f"accuracy against rank by score. {title}", hints)
