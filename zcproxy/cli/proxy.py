"""The commands `zcproxy proxy ...`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from zcproxy.cli.options import Plugin
from zcproxy.cli.terminal import console
from zcproxy.errors import check_known
from zcproxy.export.latex import latex
from zcproxy.export.proxy_source import export_python
from zcproxy.names.proxies import resolve_proxy
from zcproxy.proxy.proxy import Proxy
from zcproxy.storage.files import write_text
from zcproxy.text.visible import shortened

app = typer.Typer(no_args_is_help=True)

_EXPORTS: dict[str, Callable[[Proxy], str]] = {
    "python": export_python,
    "latex": lambda proxy: latex(proxy.formula) + "\n",
}

LONGEST_SHOWN = 2000
"""Most characters of a name or a description that the terminal shows."""

ProxyArgument = Annotated[
    str, typer.Argument(metavar="PROXY", help="A file, a name (zc-general, synflow, ...), or a formula.")
]


@app.command()
def show(proxy: ProxyArgument, plugin: Plugin = None) -> None:
    """Show a proxy: its formula, its probes, and its measured correlations."""
    chosen = resolve_proxy(proxy)
    print(chosen.formula)
    table = Table(show_header=False, box=None)
    table.add_row("name", shortened(chosen.name, LONGEST_SHOWN))
    table.add_row("nodes", str(chosen.formula.size))
    if chosen.description:
        table.add_row("measures", shortened(" ".join(chosen.description.split()), LONGEST_SHOWN))
    table.add_row("probes", ", ".join(chosen.probes) or "none: sizes and paths alone")
    for item in chosen.correlations:
        tau, low, high = (item.get(name) for name in ("tau", "tau_low", "tau_high"))
        measured = "undefined" if tau is None else f"tau {tau:.3f}"
        interval = f" [{low:.3f}, {high:.3f}]" if low is not None and high is not None else ""
        table.add_row(str(item.get("task")), f"{measured}{interval} on {item.get('population')}")
    console.print(table)


@app.command()
def export(
    proxy: ProxyArgument,
    out: Annotated[Path | None, typer.Option(help="File to write; standard output otherwise.")] = None,
    form: Annotated[str, typer.Option("--format", help="python, or latex for the formula alone.")] = "python",
    plugin: Plugin = None,
) -> None:
    """Write a proxy as one Python file that needs torch alone, or its formula as LaTeX."""
    check_known("format", form, _EXPORTS)
    source = _EXPORTS[form](resolve_proxy(proxy))
    if out is None:
        sys.stdout.write(source)
    else:
        write_text(out, source)
        console.print(f"written: {out}")
