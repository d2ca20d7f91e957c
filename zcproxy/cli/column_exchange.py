"""The commands `zcproxy columns export` and `zcproxy columns import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zcproxy.cli import column_options as options
from zcproxy.cli.options import AllowCode, Device, Initialisation, Plugin, Seed
from zcproxy.cli.ranking_options import Population
from zcproxy.cli.terminal import console
from zcproxy.columns.context import Context
from zcproxy.columns.exchange import Choice, Exchanged, export_columns, import_columns
from zcproxy.columns.store import ColumnStore
from zcproxy.models.initialisation import OWN, check_rule
from zcproxy.names.tasks import get_task
from zcproxy.storage.cache_directory import default_cache
from zcproxy.storage.files import check_target


def export_command(
    task: options.TaskName,
    out: Annotated[Path, typer.Option(help="Parquet file to write.")],
    networks: options.Networks = None,
    population: Population = "all",
    seed: Seed = 0,
    probes: options.Probes = "",
    column: options.Column = None,
    batch_size: options.BatchSize = 8,
    initialisation: Initialisation = 0,
    rule: options.Rule = OWN,
    device: Device = "cpu",
    plugin: Plugin = None,
    allow_code: AllowCode = None,
) -> None:
    """Write measured columns of a task to a Parquet file, for `columns import` on another machine."""
    check_target(out, regular=True)
    check_rule(rule)
    wanted = options.chosen_columns("", column) if column else None
    choice = Choice(wanted, options.probe_names(probes) if probes else None)
    known = get_task(task)
    store = ColumnStore(default_cache(), Context(known, batch_size, initialisation, device, rule=rule))
    is_all = networks is None and population == "all"
    drawn = None if is_all else options.chosen_networks(known, networks, population, seed)
    found = export_columns(store, out, choice, drawn)
    console.print(f"written: {out}: {_summary(found)}", soft_wrap=True)
    if choice.others:
        console.print(
            f"left out: {len(choice.others)} columns that other code or plugins have measured", soft_wrap=True
        )


def import_command(
    file: Annotated[Path, typer.Argument(help="Parquet file of `zcproxy columns export`.")], plugin: Plugin = None
) -> None:
    """Add the columns of a Parquet file to the store; what it has already stays."""
    found = import_columns(file, default_cache())
    console.print(f"{_summary(found)}; {found.added:,} networks added to what was here", soft_wrap=True)


def _summary(found: Exchanged) -> str:
    settings = found.settings
    return (
        f"{settings.task}, batch {settings.batch_size}, initialisation {settings.initialisation}, {settings.device}: "
        f"{found.networks:,} networks, {found.columns} columns"
    )
