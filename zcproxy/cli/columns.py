"""The commands `zcproxy columns ...`."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.table import Table

from zcproxy.cli.json_output import Json, print_json
from zcproxy.cli.options import Plugin
from zcproxy.cli.terminal import console, results
from zcproxy.columns.housekeeping import clear, summaries
from zcproxy.storage.cache_directory import default_cache

app = typer.Typer(no_args_is_help=True)


@app.command()
def info(as_json: Json = False, plugin: Plugin = None) -> None:
    """Show what has been measured, how much of it with a plugin as it is now, and how much room it takes."""
    root = default_cache()
    if as_json:
        print_json([{key: _plain(value) for key, value in vars(each).items()} for each in summaries(root)])
        return
    table = Table(title=f"columns in {root}", title_justify="left")
    of_plugins = ["of plugins"] if plugin else []
    for name in ("task", "batch", "initialisation", "device", "networks", "columns", *of_plugins, "MB"):
        table.add_column(name)
    for item in summaries(root):
        settings = item.settings
        if settings is None:
            table.add_row("of another version, or damaged", *[""] * (5 + len(of_plugins)), f"{item.bytes / 1e6:.1f}")
            continue
        drawn = str(settings["initialisation"]) + (f", {settings['rule']}" if "rule" in settings else "")
        numbers = [settings["batch_size"], drawn, settings["device"], item.networks, item.columns]
        numbers += [item.of_plugins] if plugin else []
        table.add_row(settings["task"], *map(str, numbers), f"{item.bytes / 1e6:.1f}")
    results().print(table)


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Path) else value


@app.command("clear")
def clear_command() -> None:
    """Delete all measured columns; they are measured again when needed."""
    freed = clear(default_cache())
    console.print(f"freed {freed / 1e6:.1f} MB")
