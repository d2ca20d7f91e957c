"""The page of a search for architectures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from zcproxy.benchmarks.shared.label_table import ARCHITECTURE
from zcproxy.reporting.figures import Line, Point, front_figure, history_figure
from zcproxy.reporting.page import render
from zcproxy.reporting.search_reproduction import search_reproduction
from zcproxy.reporting.search_run import SearchRun, read_search_run
from zcproxy.reporting.values import duration, shown_value, spread
from zcproxy.search.front import hypervolume_over
from zcproxy.search.goals import PROXY
from zcproxy.search.results import SearchResult
from zcproxy.text.visible import shortened

MOST_ROWS = 100
"""Architectures of the front that the table has."""
MOST_POINTS = 2000
"""Architectures behind the front that the figure has, evenly spread over the search."""
LONGEST_ARCHITECTURE, LONGEST_HINT = 600, 120


def search_page(path: Path) -> str:
    """Return the page of the directory of a search.

    Args:
        path: the directory.

    Raises:
        ZcproxyError: see `zcproxy.reporting.search_run.read_search_run`.
    """
    run = read_search_run(path)
    result = run.result
    return render(
        "search.html",
        title=run.name,
        refresh_seconds=None,
        run=run,
        objectives=[*(f"{name} up" for name in run.configuration.maximized)]
        + [f"{name} down" for name in run.configuration.minimized],
        limits=[limit.text for limit in run.configuration.limits],
        evaluated=0 if result is None else len(result.table),
        undefined=0 if result is None else result.undefined,
        seconds="" if result is None else duration(float(result.table["seconds"].sum())),
        front=None if result is None else _front(result),
        figures=[] if result is None else list(_figures(result)),
        settings=list(_settings(run)),
        again=search_reproduction(run.configuration, f"{run.name}-again"),
    )


def _front(result: SearchResult) -> dict[str, Any]:
    front = result.front
    rows = front.head(MOST_ROWS)
    return {
        "size": len(front),
        "names": list(result.goals.quantities),
        "rows": [
            {
                "architecture": shortened(row[ARCHITECTURE], LONGEST_ARCHITECTURE),
                "values": [f"{row[name]:.5g}" for name in result.goals.quantities],
            }
            for _, row in rows.iterrows()
        ],
    }


def _figures(result: SearchResult) -> Iterator[Markup]:
    """Yield the front, in the first and the last objective, and how the search went."""
    names = result.goals.objectives
    if len(names) > 1:
        up, across = names[0], names[-1]
        others = spread(_points(result.table, across, up), MOST_POINTS)
        front = spread(_points(result.front, across, up), MOST_POINTS)
        labels = ("Pareto front", "evaluated", "")
        yield front_figure("front", front, others, across=across, up=up, labels=labels)
    by_rank = [place for place, name in enumerate(names) if name == PROXY]
    after, volumes = hypervolume_over(result.outcomes, by_rank=by_rank)
    up = "hypervolume, share of the box" + ("; scores by rank" if by_rank else "")
    yield history_figure("history", [Line("", list(after), list(volumes))], across="evaluations", up=up)


def _points(table: pd.DataFrame, across: str, up: str) -> list[Point]:
    defined = table[np.isfinite(table[across]) & np.isfinite(table[up])]
    return [
        Point(x, y, f"{shortened(name, LONGEST_HINT)}: {across} {x:.5g}, {up} {y:.5g}")
        for name, x, y in zip(defined[ARCHITECTURE], defined[across], defined[up], strict=True)
    ]


def _settings(run: SearchRun) -> Iterator[tuple[str, str]]:
    configuration = run.configuration
    for holder in (configuration.setting, configuration):
        for each in fields(holder):
            if each.name not in ("setting", "limits"):
                yield each.name, shown_value(getattr(holder, each.name))
    for name, description in run.images.items():
        yield f"images of {name}", description
