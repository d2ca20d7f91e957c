"""The options that `zcproxy columns measure` and `export` share: which columns of which networks, in which context."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from zcproxy.cli.options import LARGEST_BATCH, MOST_NETWORKS
from zcproxy.columns.standard import standard_columns
from zcproxy.contracts.task import Task
from zcproxy.errors import ConfigurationError, check_known
from zcproxy.formula import Node
from zcproxy.models.initialisation import RULES
from zcproxy.primitives import parse
from zcproxy.probing.probes import PROBES
from zcproxy.ranking.scoring import draw_networks

TaskName = Annotated[str, typer.Argument(help="Task, for example nasbench201/cifar10.")]
BatchSize = Annotated[int, typer.Option(min=2, max=LARGEST_BATCH, help="Samples of a minibatch.")]
Probes = Annotated[
    str, typer.Option(help="Probes, separated by commas: columns that need no others; those of evolve, or all stored.")
]
Rule = Annotated[str, typer.Option(help=f"Rule that weights are drawn by: {', '.join(RULES)}.")]
Networks = Annotated[
    int | None,
    typer.Option(min=2, max=MOST_NETWORKS, help="Networks, those that score and table draw; all if not given."),
]
Column = Annotated[
    list[str] | None,
    typer.Option(help="A column, or a formula for all of its columns, instead of the library's; may be given again."),
]


def probe_names(text: str) -> tuple[str, ...]:
    """Return the names of probes in a list. Raises `ConfigurationError` for an unknown one."""
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        check_known("probe", name, PROBES)
    return names


def chosen_columns(probes: str, given: Sequence[str] | None) -> list[Node]:
    """Return the columns of the formulas that are given; of the standard library those that need no other probes.

    Raises:
        ConfigurationError: both or an unknown probe are given, or the formulas have no columns.
        FormulaError: a formula does not parse.
    """
    if not given:
        return standard_columns(probe_names(probes) if probes else None)
    if probes:
        raise ConfigurationError("--probes with --column: a column says which probe it needs; give one of the two")
    columns = list(dict.fromkeys(column for text in given for column in parse(text).columns()))
    if not columns:
        raise ConfigurationError(f"--column '{given[0]:.80}' reads nothing of a network: name a column")
    return columns


def chosen_networks(task: Task, networks: int | None, population: str, seed: int) -> Sequence[str]:
    """Return the networks of a population, or a draw of them."""
    if networks is None:
        return task.architectures(population)
    return draw_networks(task, networks, population=population, seed=seed)
