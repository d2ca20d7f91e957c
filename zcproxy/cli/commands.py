"""The commands by name: each is imported when it is called, so that `zcproxy --help` imports no torch."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any, NamedTuple, cast

import typer
from typer.core import TyperGroup

from zcproxy.cli.config_file import TYPED
from zcproxy.cli.everywhere import add_to, say_version
from zcproxy.cli.usage import OneLineGroup


class Place(NamedTuple):
    """The place of a command, or of a group of commands.

    Attributes:
        module: in `zcproxy.cli`.
        name: name of the function of the command, or of the `typer.Typer` of the group.
        summary: what it does, in one line; the first line of the function's docstring.
    """

    module: str
    name: str
    summary: str


PLACES = {
    "score": Place(
        "score",
        "score",
        "Score networks of a task and correlate with their accuracies, or score models of your own.",
    ),
    "evolve": Place(
        "evolve",
        "evolve_command",
        "Evolve a proxy on labelled networks, choose one with the validation networks, test it on unseen ones.",
    ),
    "table": Place(
        "table",
        "table",
        "Show how well proxies rank the networks of tasks, with intervals, beside params, FLOPs and convolutions.",
    ),
    "search": Place(
        "search", "search_command", "Search architectures by a proxy, by what they cost, and by measured accuracies."
    ),
    "report": Place(
        "report", "report_command", "Write the page of a run of evolve, table or search: one HTML file for any browser."
    ),
    "adapt": Place(
        "adapt",
        "adapt_command",
        "Choose among proxies, or weigh them, by a few labels of a new space, and say what to expect.",
    ),
    "proxy": Place("proxy", "app", "Look at a proxy or turn it into code."),
    "columns": Place("columns", "app", "The store of measured columns."),
    "benchmark": Place("benchmark", "app", "Published benchmarks, and benchmarks of your own."),
    "network": Place("network", "app", "Look at networks that a search found."),
}
"""The commands, in the order in which `zcproxy --help` lists them."""


class Commands(OneLineGroup):
    """The commands of the program: until one is called, a summary stands in its place."""

    def load(self, name: str) -> Any:
        """Import a command, and return it."""
        place = PLACES[name]
        found = getattr(import_module(f"zcproxy.cli.{place.module}"), place.name)
        outer = typer.Typer(add_completion=False)
        if isinstance(found, typer.Typer):
            outer.add_typer(found, name=name, help=place.summary)
            command = cast(TyperGroup, typer.main.get_command(outer)).commands[name]
        else:
            outer.command(name)(found)
            command = typer.main.get_command(outer)
        add_to(command)
        self.commands[name] = command
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the name of the command that is called, the command, and the other arguments."""
        name, _, rest = super().resolve_command(ctx, args)
        ctx.meta[TYPED] = tuple(rest)
        return name, self.load(str(name)), rest


def program() -> Commands:
    """Return the program without importing any of its commands."""
    app = typer.Typer(
        cls=Commands,
        no_args_is_help=True,
        add_completion=True,
    )
    app.callback()(_program)
    for name, place in PLACES.items():
        app.command(name, help=place.summary)(_not_called)
    return cast(Commands, typer.main.get_command(app))


def _program(
    is_asked: Annotated[
        bool, typer.Option("--version", callback=say_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Evolve zero-cost proxies: formulas that rank untrained networks by the accuracy they would reach."""


def _not_called() -> None:
    """Stand in for a command until it is imported."""
