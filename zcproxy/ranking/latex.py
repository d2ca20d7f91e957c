"""Tables for papers: LaTeX with any measures, the best in bold, a mark on what is not significantly behind it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zcproxy.errors import ConfigurationError, check_known
from zcproxy.ranking.layout import cells, number, title
from zcproxy.ranking.significance import LEVEL, METHOD, Comparison, behind_best
from zcproxy.ranking.table import Row, TaskTable
from zcproxy.text import escaping

HEADINGS: Mapping[str, str] = {
    "tau": r"Kendall $\tau$ [95\,\%]",
    "spearman": r"Spearman $\rho$",
    "weighted_tau": r"weighted $\tau$",
    "tau_top_decile": r"$\tau$, top 10\,\% [95\,\%]",
    "ndcg": "nDCG",
    "partial_spearman": r"$\rho$ given params",
    "pick_accuracy": r"pick, \%",
    "regret": r"regret, \%",
    "seconds": "seconds",
}
"""Heading of each measure, by its name."""

ALIASES: Mapping[str, str] = {"top10": "tau_top_decile"}
LOWER_IS_BETTER = ("regret", "seconds")
DIGITS: Mapping[str, int] = {"pick_accuracy": 2, "regret": 2, "seconds": 2}
CEILING = "noise ceiling"
MARK = r"$^{\dagger}$"


@dataclass(frozen=True)
class Typesetting:
    r"""The measures of a LaTeX table, and what surrounds it.

    Attributes:
        measures: names of `HEADINGS` or `ALIASES`, in the order of their columns.
        caption: its first sentences, as text; what the marks mean and the population follow. Empty for a sentence on
            the measures.
        label: what `\ref` calls it; empty for none. With neither caption nor label there is a `tabular` alone.
    """

    measures: tuple[str, ...] = ("tau",)
    caption: str = ""
    label: str = ""

    def __post_init__(self) -> None:
        """Raise `ConfigurationError` for an unknown or repeated measure, or a label that LaTeX would take apart."""
        for name in self.measures:
            check_known("measure", name, [*HEADINGS, *ALIASES])
        names = [ALIASES.get(name, name) for name in self.measures]
        repeated = [name for name in names if names.count(name) > 1]
        if repeated:
            raise ConfigurationError(f"the measure '{repeated[0]}' is named twice: name each of `measures` once")
        if not re.fullmatch(r"[A-Za-z0-9:._/-]{0,100}", self.label):
            raise ConfigurationError(
                f"the label '{self.label:.80}' is not made of letters, digits and : . _ / - : write for example "
                "`label` tab:proxies"
            )
        object.__setattr__(self, "measures", tuple(names))


def latex(tables: Sequence[TaskTable], typesetting: Typesetting | None = None) -> str:
    """Return a LaTeX table (package booktabs): one row per proxy, one column per task and measure.

    Args:
        tables: one per task.
        typesetting: measures, caption and label; tau with its interval, alone, if None.
    """
    chosen = typesetting or Typesetting()
    body = _tabular(tables, chosen.measures)
    if not (chosen.caption or chosen.label):
        return "\n".join([*(f"% {sentence}" for sentence in _seen(tables)), *body, ""])
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_caption(tables, chosen)}}}",
            *([rf"\label{{{chosen.label}}}"] if chosen.label else []),
            *body,
            r"\end{table}",
            "",
        ]
    )


def _tabular(tables: Sequence[TaskTable], measures: Sequence[str]) -> list[str]:
    names = list(dict.fromkeys(row.name for table in tables for row in table.rows))
    columns = [_column(table, measure) for table in tables for measure in measures]
    lines = [
        f"% {escaping.latex_comment('; '.join(map(title, tables)))}",
        f"% {_marks(tables, measures)}",
        *(
            f"% {escaping.latex_comment(f'{table.task}: images: {table.images.description}')}"
            for table in tables
            if table.images is not None
        ),
        rf"\begin{{tabular}}{{l{'c' * len(columns)}}}",
        r"\toprule",
        *_heads(tables, measures),
        r"\midrule",
        *(_line([escaping.latex(name), *(column.get(name, "--") for column in columns)]) for name in names),
    ]
    if "tau" in measures and any(table.ceiling is not None for table in tables):
        ceilings = [
            number(table.ceiling) if measure == "tau" and table.ceiling is not None else "--"
            for table in tables
            for measure in measures
        ]
        lines += [r"\midrule", _line([CEILING, *ceilings])]
    return [*lines, r"\bottomrule", r"\end{tabular}"]


def _heads(tables: Sequence[TaskTable], measures: Sequence[str]) -> list[str]:
    """Return the lines above the rows: tasks, and below them the measures where there are several."""
    tasks = [escaping.latex(table.task) for table in tables]
    if len(measures) == 1:
        return [_line([HEADINGS[measures[0]], *tasks])]
    wide = len(measures)
    return [
        _line(["", *(rf"\multicolumn{{{wide}}}{{c}}{{{task}}}" for task in tasks)]),
        " ".join(rf"\cmidrule(lr){{{2 + wide * place}-{1 + wide * (place + 1)}}}" for place in range(len(tables))),
        _line(["", *(HEADINGS[measure] for _ in tables for measure in measures)]),
    ]


def _line(texts: Sequence[str]) -> str:
    return " & ".join(texts) + r" \\"


def _column(table: TaskTable, measure: str) -> dict[str, str]:
    """Return the cells of a measure by the names of the proxies, the best in bold."""
    values = {row.name: _value(row, measure) for row in table.rows}
    known = [value for value in values.values() if not math.isnan(value)]
    best = number((min if measure in LOWER_IS_BETTER else max)(known, default=math.nan), DIGITS.get(measure, 3))
    behind = behind_best(table) if measure == "tau" else {}
    return {row.name: _cell(row, measure, best, behind.get(row.name)) for row in table.rows}


def _value(row: Row, measure: str) -> float:
    return row.seconds if measure == "seconds" else row.estimates[measure].value


def _cell(row: Row, measure: str, best: str, behind: Comparison | None) -> str:
    """Return the text of a cell, with minus signs in place of hyphens."""
    text = cells(row)[measure]
    if text == "-":
        return "--"
    value, _, interval = text.partition(" ")
    shown = rf"\textbf{{{value}}}" if value == best else value
    if behind is not None and not behind.is_significant:
        shown += MARK
    return (f"{shown} {interval}" if interval else shown).replace("-", "$-$")


def _caption(tables: Sequence[TaskTable], chosen: Typesetting) -> str:
    tasks = "; ".join(escaping.latex(title(table)) for table in tables)
    said = escaping.latex(chosen.caption) if chosen.caption else "Rank correlation of zero-cost proxies with accuracy"
    said += "" if said.endswith((".", "?", "!")) else "."
    return " ".join([f"{said} {tasks}.", _marks(tables, chosen.measures), *map(escaping.latex, _seen(tables))])


def _seen(tables: Sequence[TaskTable]) -> list[str]:
    """Return which proxies were fitted to networks of a table, a sentence for each."""
    return [
        f"{name} was fitted to {seen} of these {len(table.labels)} networks of {table.task}."
        for table in tables
        for name, seen in table.seen.items()
    ]


def _marks(tables: Sequence[TaskTable], measures: Sequence[str]) -> str:
    """Return sentences on what bold type and the mark mean."""
    if "tau" not in measures or not any(behind_best(table) for table in tables):
        return "Best in bold."
    return rf"Best in bold. {MARK}: tau not significantly behind it ($p \geq {LEVEL:g}$; {METHOD})."
