"""The page of a correlation table, as `zcproxy table --out` wrote it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from zcproxy.names.proxies import BASELINE
from zcproxy.ranking.files import scores_file
from zcproxy.ranking.latex import CEILING
from zcproxy.ranking.layout import HEADINGS, LEGEND, cells, p_value
from zcproxy.ranking.measures import MEASURES, Estimate
from zcproxy.ranking.seen import seen_line
from zcproxy.ranking.table import Row as TableRow
from zcproxy.reporting import csv_rows
from zcproxy.reporting.figures import Interval, Networks, forest_figure, scores_figure
from zcproxy.reporting.page import render
from zcproxy.storage.run_options import options_text
from zcproxy.text.visible import shortened

NEEDED = ("task", "population", "proxy", "tau", "tau_low", "tau_high")
MOST_ROWS = 300
"""Proxies per task that the page has."""
MOST_NETWORKS = 500
"""Networks that a figure of scores has."""
LONGEST_FORMULA = 1000


def table_page(path: Path) -> str:
    """Return the page of a table's folder.

    Args:
        path: the folder.

    Raises:
        RunError: `table.csv` is missing or damaged.
        StorageError: `run.toml` is no file of options.
    """
    by_task: dict[tuple[str, str], list[csv_rows.Row]] = {}
    for row in csv_rows.read_rows(path / "table.csv", NEEDED):
        by_task.setdefault((row.text("task"), row.text("population")), []).append(row)
    tables = [_task(path, place, *name, rows) for place, (name, rows) in enumerate(by_task.items())]
    return render(
        "table.html",
        title=path.resolve().name,
        refresh_seconds=None,
        tables=tables,
        legend=LEGEND,
        options=options_text(path),
    )


def _task(folder: Path, place: int, task: str, population: str, rows: Sequence[csv_rows.Row]) -> dict[str, Any]:
    ceilings = [row.number("tau") for row in rows if row.text("proxy") == CEILING]
    known = [_row(row) for row in rows if row.text("proxy") != CEILING]
    ranked = sorted(known, key=lambda row: math.inf if math.isnan(_tau(row).value) else -_tau(row).value)[:MOST_ROWS]
    intervals = [
        Interval(row.name, _tau(row).value, _tau(row).low, _tau(row).high, row.text != BASELINE) for row in ranked
    ]
    behind = {row.text("proxy"): row.number("behind_best_p") for row in rows}
    texts = [
        cells(row) | ({} if math.isnan(behind[row.name]) else {"behind": p_value(behind[row.name])}) for row in ranked
    ]
    shown = [name for name in HEADINGS if any(each[name] not in ("", "-") for each in texts)]
    images = sorted({row.text("images") for row in rows} - {""})
    return {
        "task": task,
        "population": population,
        "figure": forest_figure(
            f"table{place}", intervals, across="Kendall's tau-b", ceiling=ceilings[0] if ceilings else None
        ),
        "scores": _scores(scores_file(folder, task), place, ranked),
        "headings": [HEADINGS[name] for name in shown],
        "rows": [
            {"name": row.name, "cells": [each[name] for name in shown]} for row, each in zip(ranked, texts, strict=True)
        ],
        "formulas": {
            row.name: shortened(row.text, LONGEST_FORMULA) for row in ranked if row.text not in ("", BASELINE)
        },
        "images": ", ".join(images),
        "seen": list(_seen(rows)),
    }


def _seen(rows: Sequence[csv_rows.Row]) -> Iterator[str]:
    """Yield which proxies were fitted to networks of the table, a sentence for each."""
    for row in rows:
        seen, known = row.number("seen"), row.number("networks")
        if 0 < seen <= known < math.inf:
            yield f"{seen_line(row.text('proxy'), int(seen), int(known))}."


def _scores(path: Path, place: int, ranked: Sequence[TableRow]) -> Markup | None:
    """Return score against accuracy of the best proxy; None where its scores are not there."""
    best = ranked[0].name if ranked else ""
    try:
        rows = csv_rows.read_rows(path, ("arch", "label"))
    except FileNotFoundError:
        return None
    if not rows or best not in rows[0].cells:
        return None
    scores, labels = (np.array([row.number(name) for row in rows], np.float64) for name in (best, "label"))
    networks = Networks("", scores, labels, [row.text("arch") for row in rows])
    return scores_figure(f"scores{place}", [networks], f"the best: {best}", MOST_NETWORKS)


def _tau(row: TableRow) -> Estimate:
    return row.estimates["tau"]


def _row(row: csv_rows.Row) -> TableRow:
    """Return a row of the file as the table had it."""
    estimates = {
        name: Estimate(*(row.number(part) for part in (name, f"{name}_low", f"{name}_high", f"{name}_spread")))
        for name in MEASURES
    }
    reported = (row.number("reported_low"), row.number("reported_high"))
    undefined = row.number("undefined")
    return TableRow(
        row.text("proxy"),
        row.text("formula"),
        estimates,
        np.zeros(0),
        undefined=0 if math.isnan(undefined) else int(undefined),
        seconds=row.number("seconds"),
        reported=None if any(map(math.isnan, reported)) else reported,
        settings=row.text("settings"),
    )
