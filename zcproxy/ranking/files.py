"""Tables as files: CSV for programs, Markdown and LaTeX for readers, and the scores themselves."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from zcproxy.figures import save
from zcproxy.ranking.figures.scatter import scatter
from zcproxy.ranking.latex import CEILING, Typesetting, latex
from zcproxy.ranking.layout import HEADINGS, LEGEND, cells, notes, number, title
from zcproxy.ranking.significance import behind_best, significance_frame, significance_line
from zcproxy.ranking.table import TaskTable
from zcproxy.storage.files import replacing, write_text
from zcproxy.text import escaping
from zcproxy.text.escaping import csv_frame, well_formed

LONGEST_NAME = 100
"""Last characters of a task, which may be a long path, in the names of its files."""


def write_table(
    folder: Path,
    tables: Sequence[TaskTable],
    *,
    new: Sequence[TaskTable] | None = None,
    typesetting: Typesetting | None = None,
) -> list[Path]:
    """Write the table, the differences of its proxies, and the scores of each new task with their figure.

    The files are `table.csv`, `table.md`, `table.tex`, `significance.csv`, `TASK-scores.csv` and `TASK-scores.png`.

    Args:
        folder: where to.
        tables: what the first four hold.
        new: those whose scores and figures are not in the folder yet; None for all.
        typesetting: of `table.tex`; tau with its interval, alone, if None.

    Raises:
        StorageError: a file cannot be written whole.
    """
    paths = [folder / "table.csv", folder / "table.md", folder / "table.tex", folder / "significance.csv"]
    write_csv(paths[0], frame(tables))
    write_text(paths[1], markdown(tables))
    write_text(paths[2], latex(tables, typesetting))
    write_csv(paths[3], significance_frame(tables))
    for table in tables if new is None else new:
        paths += [scores_file(folder, table.task), scores_file(folder, table.task).with_suffix(".png")]
        write_csv(paths[-2], scores_frame(table))
        save(scatter([table]), paths[-1])
    return paths


def scores_file(folder: Path, task: str) -> Path:
    """Return where the scores of a task lie in the folder of a table."""
    name = re.sub(r"[^A-Za-z0-9.@]+", "-", task)[-LONGEST_NAME:].strip("-")
    return folder / f"{name}-scores.csv"


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a CSV file of six significant digits or nothing. Raises `StorageError`."""
    with replacing(path) as temporary:
        csv_frame(table).to_csv(temporary, index=False, float_format="%.6g")


def frame(tables: Sequence[TaskTable]) -> pd.DataFrame:
    """Return one row per task and proxy: each measure with `_low`, `_high`, `_spread`, and the noise ceiling's tau.

    `behind_best` is how far its tau is below that of the task's best proxy, `behind_best_p` the corrected p-value of
    that; neither is known of the best itself, and of any where the networks are too few. `seen` is how many of the
    networks it was fitted to, as its file tells.
    """
    rows: list[dict[str, object]] = []
    for table in tables:
        population = {"task": well_formed(table.task), "population": table.population, "networks": len(table.labels)}
        behind = behind_best(table)
        for row in table.rows:
            found: dict[str, object] = {**population, "proxy": row.name}
            for name, estimate in row.estimates.items():
                for part, value in asdict(estimate).items():
                    found[name if part == "value" else f"{name}_{part}"] = value
            ahead = behind.get(row.name)
            found |= {"behind_best": math.nan if ahead is None else ahead.difference}
            found |= {"behind_best_p": math.nan if ahead is None else ahead.p_corrected}
            found |= {"seen": table.seen.get(row.name, 0)}
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
        behind = behind_best(table)
        for row in table.ranked():
            texts = cells(row, behind.get(row.name)).values()
            lines.append(f"| {escaping.markdown(row.name)} | {' | '.join(texts)} |")
        if table.ceiling is not None:
            lines.append(f"| {CEILING} | {number(table.ceiling)} |{' |' * (len(HEADINGS) - 1)}")
        said = [*notes(table), *filter(None, [significance_line(table)])]
        lines += ["", *(f"- {escaping.markdown(note)}" for note in said), ""]
    return "\n".join([*lines, LEGEND, ""])
