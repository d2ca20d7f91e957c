"""The options that every command has, `--version` and `--quiet`, and `--config` of those with many."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated, Any

import typer

from zcproxy.cli.config_file import Config
from zcproxy.cli.terminal import console

CONFIGURED = ("adapt", "build", "evolve", "from-table", "score", "search", "table")
"""Commands that take options from a file."""


def add_to(command: Any) -> None:
    """Add the options to a command, or to all commands of a group."""
    below = getattr(command, "commands", None)
    if below is None:
        command.params += _options(_with_options)
        command.params += _options(_with_config) if command.name in CONFIGURED else []
    else:
        for each in below.values():
            add_to(each)


def _options(function: Callable[..., None]) -> list[Any]:
    """Return the options as typer makes them of a function's parameters."""
    app = typer.Typer(add_completion=False)
    app.command()(function)
    return list(typer.main.get_command(app).params)


def say_version(is_asked: bool) -> None:
    """Print the version and stop, if that is asked for."""
    if is_asked:
        print(f"zcproxy {version('zcproxy')}")
        raise typer.Exit


def _choose_progress(is_quiet: bool) -> None:
    console.shows_progress = not is_quiet


def _with_options(
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet",
            callback=_choose_progress,
            is_eager=True,
            expose_value=False,
            help="Show no progress; results, remarks and errors stay.",
        ),
    ] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=say_version, is_eager=True, expose_value=False, help="Print the version and stop."
        ),
    ] = False,
) -> None:
    """Lend the options to other commands."""


def _with_config(config: Config = None) -> None:
    """Lend the option to other commands."""
