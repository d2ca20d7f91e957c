"""The command `zcproxy report`."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from zcproxy.cli.options import AllowCode, Plugin
from zcproxy.cli.terminal import console
from zcproxy.cli.wording import in_options
from zcproxy.reporting.report import write_report

Run = Annotated[
    Path, typer.Argument(metavar="RUN", help="Directory of evolve or search, or the folder of table --out.")
]
Out = Annotated[Path | None, typer.Option(help="HTML file to write; report.html in the directory if not given.")]
Open = Annotated[bool, typer.Option("--open", help="Open it in the browser.")]


def report_command(
    run: Run,
    out: Out = None,
    is_opened: Open = False,
    plugin: Plugin = None,
    allow_code: AllowCode = None,
) -> None:
    """Write the page of a run of evolve, table or search: one HTML file for any browser."""
    place = write_report(run, out, say=_say)
    console.print(f"written: {place}", soft_wrap=True)
    if is_opened and not webbrowser.open(place.resolve().as_uri()):
        console.print("no browser could be opened: open the file yourself")


def _say(lacking: str) -> None:
    console.print(f"without some parts: {in_options(lacking, {'allow_code': '--allow-code'})}", soft_wrap=True)
