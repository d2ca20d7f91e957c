"""The commands `zcproxy columns ...`."""

from __future__ import annotations

from typing import Any

import typer
from rich.table import Table

from zcproxy.cli.column_exchange import export_command, import_command
from zcproxy.cli.column_sweep import measure_command
from zcproxy.cli.json_output import Json, print_json
from zcproxy.cli.options import Plugin
from zcproxy.cli.terminal import console, results
from zcproxy.columns.housekeeping import ContextSummary, clear, summaries
from zcproxy.storage.cache_directory import default_cache

app = typer.Typer(no_args_is_help=True)
app.command("measure")(measure_command)
app.command("export")(export_command)
app.command("import")(import_command)


@app.command()
def info(as_json: Json = False, plugin: Plugin = None) -> None:
    """Show what has been measured, how much of it with a plugin as it is now, and how much room it takes."""
    root = default_cache()
    if as_json:
        print_json([_content(each) for each in summaries(root)])
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


def _content(item: ContextSummary) -> dict[str, Any]:
    """Return a summary as JSON can hold it; without settings where it is of another version, or damaged."""
    settings = None if item.settings is None else dict(item.settings)
    numbers = {name: getattr(item, name) for name in ("networks", "columns", "of_plugins", "bytes")}
    return {"folder": str(item.folder), "settings": settings, **numbers}


@app.command("clear")
def clear_command() -> None:
    """Delete all measured columns; they are measured again when needed."""
    freed = clear(default_cache())
    console.print(f"freed {freed / 1e6:.1f} MB")
