"""Tables as files: CSV for programs, Markdown and LaTeX for readers, and the scores themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from zcproxy.ranking.figure import draw_scores
from zcproxy.ranking.layout import HEADINGS, LEGEND, cells, notes, number, title
from zcproxy.ranking.table import TaskTable
from zcproxy.storage.files import replacing, write_text
from zcproxy.text import escaping
from zcproxy.text.escaping import csv_frame, well_formed

CEILING = "noise ceiling"
LONGEST_NAME = 100
"""Last characters of a task, which may be a long path, in the names of its files."""


def write_table(folder: Path, tables: Sequence[TaskTable], *, new: Sequence[TaskTable] | None = None) -> list[Path]:
    """Write `table.csv`, `table.md` and `table.tex`, and for each new task `TASK-scores.csv` and `TASK-scores.png`.

    Args:
        folder: where to.
        tables: all that the three files hold.
        new: those whose scores and figures are not in the folder yet; None for all.

    Raises:
        StorageError: a file cannot be written whole.
    """
    paths = [folder / "table.csv", folder / "table.md", folder / "table.tex"]
    write_csv(paths[0], frame(tables))
    write_text(paths[1], markdown(tables))
    write_text(paths[2], latex(tables))
    for table in tables if new is None else new:
        name = re.sub(r"[^A-Za-z0-9.@]+", "-", table.task)[-LONGEST_NAME:].strip("-")
        paths += [folder / f"{name}-scores.csv", folder / f"{name}-scores.png"]
        write_csv(paths[-2], scores_frame(table))
        draw_scores(paths[-1], table)
    return paths


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a CSV file of six significant digits or nothing. Raises `StorageError`."""
    with replacing(path) as temporary:
        csv_frame(table).to_csv(temporary, index=False, float_format="%.6g")


def frame(tables: Sequence[TaskTable]) -> pd.DataFrame:
    """Return one row per task and proxy: each measure with `_low`, `_high`, `_spread`, and the noise ceiling's tau."""
    rows: list[dict[str, object]] = []
    for table in tables:
        population = {"task": well_formed(table.task), "population": table.population, "networks": len(table.labels)}
        for row in table.rows:
            found: dict[str, object] = {**population, "proxy": row.name}
            for name, estimate in row.estimates.items():
                for part, value in asdict(estimate).items():
                    found[name if part == "value" else f"{name}_{part}"] = value
            found |= {"images": "" if table.images is None else table.images.description}
            found |= {"undefined": row.undefined, "initialisations": table.plan.initialisations}
            found |= dict(zip(("reported_low", "reported_high"), row.reported or (None, None), strict=True))
            found |= {"settings": row.settings, "seconds": row.seconds, "formula": row.text}
            rows.append({key: well_formed(cell) if isinstance(cell, str) else cell for key, cell in found.items()})
        if table.ceiling is not None:
            rows.append({**population, "proxy": CEILING, "tau": table.ceiling})
    return pd.DataFrame(rows)


def scores_frame(table: TaskTable) -> pd.DataFrame:
    """Return one row per network: its text, its label, and the score of every proxy in the first initialisation."""
    scores = {well_formed(row.name): row.scores for row in table.rows}
    return pd.DataFrame({"arch": table.architectures, "label": table.labels, **scores})


def markdown(tables: Sequence[TaskTable]) -> str:
    """Return the tables as a Markdown text, best tau first."""
    lines: list[str] = []
    for table in tables:
        lines += [f"## {escaping.markdown(title(table))}", ""]
        lines += [f"| | {' | '.join(HEADINGS.values())} |", f"|---|{'---:|' * len(HEADINGS)}"]
        lines += [f"| {escaping.markdown(row.name)} | {' | '.join(cells(row).values())} |" for row in table.ranked()]
        if table.ceiling is not None:
            lines.append(f"| {CEILING} | {number(table.ceiling)} |{' |' * (len(HEADINGS) - 1)}")
        lines += ["", *(f"- {escaping.markdown(note)}" for note in notes(table)), ""]
    return "\n".join([*lines, LEGEND, ""])


def latex(tables: Sequence[TaskTable]) -> str:
    """Return a LaTeX table (package booktabs): tau with its interval, one row per proxy and one column per task."""
    names = list(dict.fromkeys(row.name for table in tables for row in table.rows))
    by_task = [{row.name: row for row in table.rows} for table in tables]
    lines = [
        f"% Kendall's tau-b with its 95 % interval. {escaping.latex_comment('; '.join(map(title, tables)))}",
        *(
            f"% {escaping.latex_comment(f'{table.task}: images: {table.images.description}')}"
            for table in tables
            if table.images is not None
        ),
        rf"\begin{{tabular}}{{l{'c' * len(tables)}}}",
        r"\toprule",
        " & ".join(["", *(escaping.latex(table.task) for table in tables)]) + r" \\",
        r"\midrule",
    ]
    for name in names:
        found = [_signed(cells(rows[name])["tau"]) if name in rows else "--" for rows in by_task]
        lines.append(" & ".join([escaping.latex(name), *found]) + r" \\")
    if any(table.ceiling is not None for table in tables):
        ceilings = ["--" if table.ceiling is None else number(table.ceiling) for table in tables]
        lines += [r"\midrule", " & ".join([CEILING, *ceilings]) + r" \\"]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _signed(cell: str) -> str:
    """Return a cell with minus signs in place of hyphens."""
    return "--" if cell == "-" else cell.replace("-", "$-$")
