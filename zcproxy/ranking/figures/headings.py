"""Titles of figures: each names its task, its population and its seed."""

from __future__ import annotations

from collections.abc import Sequence

from zcproxy.ranking.layout import title
from zcproxy.ranking.table import TaskTable


def heading(table: TaskTable) -> str:
    """Return the title of a table with its seed."""
    return with_seed(title(table), table.plan.seed)


def population(table: TaskTable) -> str:
    """Return the population of a table with its seed, and how it was measured."""
    return heading(table).removeprefix(f"{table.task}: ")


def common_heading(tables: Sequence[TaskTable]) -> str:
    """Return the title of several tables: what they have in common, or how many populations there are."""
    populations = list(dict.fromkeys(map(population, tables)))
    if len(tables) == 1:
        return heading(tables[0])
    if len(populations) == 1:
        return f"{len(tables)} tasks: {populations[0]}"
    return f"{len(tables)} tasks, the population of each beside it, seed {tables[0].plan.seed}"


def full_heading(tables: Sequence[TaskTable]) -> str:
    """Return the title of several tables that has no other place to name each population."""
    if len(set(map(population, tables))) == 1:
        return common_heading(tables)
    return with_seed("; ".join(task_labels(tables)), tables[0].plan.seed)


def task_labels(tables: Sequence[TaskTable]) -> list[str]:
    """Return a label for each table: its task, with its population where these differ."""
    if len(set(map(population, tables))) == 1:
        return [table.task for table in tables]
    return [f"{table.task}: {table.population}" for table in tables]


def with_seed(text: str, seed: int) -> str:
    """Return a text that names a population, with the seed where it has none: a whole population is not drawn."""
    return text if f"seed {seed}" in text else f"{text}, seed {seed}"
