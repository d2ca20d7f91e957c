"""Differences between the proxies of a table: which of them another draw of networks would hardly turn around."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import pandas as pd

from zcproxy.correlation import difference, holm
from zcproxy.ranking.table import Row, TaskTable
from zcproxy.text.escaping import well_formed

LEVEL = 0.05
"""A corrected p-value below it is called significant."""

METHOD = "paired bootstrap over networks, p-values corrected by Holm for all pairs of proxies of the task"


@dataclass(frozen=True)
class Comparison:
    """Two proxies on the networks of one task.

    Attributes:
        proxy: name of the one with the higher tau.
        other: name of the other one.
        difference: tau of the first less tau of the second, each the mean over the initialisations.
        low: lower end of the 95 % bootstrap interval of the difference, over networks and initialisations.
        high: upper end.
        p: two-sided p-value of no difference.
        p_corrected: by Holm, for all comparisons of the table.
    """

    proxy: str
    other: str
    difference: float
    low: float
    high: float
    p: float
    p_corrected: float = math.nan

    @property
    def is_significant(self) -> bool:
        """Whether the corrected p-value is below `LEVEL`."""
        return self.p_corrected < LEVEL


def comparisons(table: TaskTable) -> list[Comparison]:
    """Return the comparisons of all pairs of proxies that have a tau, baselines included, the best proxy's first.

    There are none where the networks are too few for an interval.
    """
    rows = [row for row in table.ranked() if len(row.draws) and not math.isnan(row.estimates["tau"].value)]
    found = [_compared(first, second, len(table.labels)) for first, second in combinations(rows, 2)]
    corrected = holm([each.p for each in found]).tolist()
    return [replace(each, p_corrected=p) for each, p in zip(found, corrected, strict=True)]


def behind_best(table: TaskTable) -> dict[str, Comparison]:
    """Return how the proxy with the highest tau compares with each other one, by the name of that."""
    best = table.ranked()[0].name
    return {each.other: each for each in comparisons(table) if each.proxy == best}


def significance_frame(tables: Sequence[TaskTable]) -> pd.DataFrame:
    """Return one row per task and pair of proxies: which is ahead, by how much, its interval and its p-values."""
    rows = [
        (table.task, each.proxy, each.other, each.difference, each.low, each.high, each.p, each.p_corrected)
        for table in tables
        for each in comparisons(table)
    ]
    names = ["task", "proxy", "other", "difference", "low", "high", "p", "p_corrected"]
    return pd.DataFrame([tuple(map(_readable, row)) for row in rows], columns=names)


def significance_line(table: TaskTable) -> str | None:
    """Return a sentence on which proxies are not significantly behind the best; None where that is unknown."""
    found = behind_best(table)
    if not found:
        return None
    near = [name for name, each in found.items() if not each.is_significant]
    which = f"is not significantly ahead of {', '.join(near)}" if near else "is significantly ahead of all others"
    return f"{table.ranked()[0].name} {which} (p < {LEVEL:g}; {METHOD})."


def _compared(first: Row, second: Row, networks: int) -> Comparison:
    taus = [row.estimates["tau"].value for row in (first, second)]
    found = difference(taus[0] - taus[1], first.draws, second.draws, networks)
    return Comparison(first.name, second.name, found.value, found.low, found.high, found.p)


def _readable(cell: object) -> object:
    return well_formed(cell) if isinstance(cell, str) else cell
