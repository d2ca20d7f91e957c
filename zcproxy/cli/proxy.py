"""The commands `zcproxy proxy ...`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from zcproxy import proxies
from zcproxy.cli.json_output import Json, print_json
from zcproxy.cli.options import Plugin
from zcproxy.cli.terminal import console
from zcproxy.errors import ConfigurationError, check_known
from zcproxy.export.latex import latex
from zcproxy.export.proxy_source import export_python
from zcproxy.names.proxies import ALONE, resolve_proxy
from zcproxy.primitives.zoo import AGGREGATES, published, published_aggregate
from zcproxy.proxy.bibliography import papers_of
from zcproxy.proxy.proxy import Proxy
from zcproxy.proxy.published import Published, PublishedAggregate
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


@app.command("list")
def list_command(as_json: Json = False) -> None:
    """List the proxies that come with the package and the published ones, with their papers."""
    rows = dict.fromkeys(proxies.NAMES, "found with zcproxy")
    rows |= {name: published(name).paper for name in ALONE}
    rows |= {name: f"{published_aggregate(name).paper} (sum of ranks)" for name in AGGREGATES}
    if as_json:
        print_json([{"proxy": name, "paper": paper} for name, paper in rows.items()])
        return
    widest = max(map(len, rows))
    for name, paper in rows.items():
        print(f"{name:<{widest}}  {paper}")


@app.command()
def show(
    proxy: ProxyArgument,
    bibtex: Annotated[bool, typer.Option("--bibtex", help="Print the BibTeX of its papers and nothing else.")] = False,
    as_json: Json = False,
    plugin: Plugin = None,
) -> None:
    """Show a proxy: its formula, its probes, its paper with BibTeX, and its published and measured correlations."""
    entry = published(proxy) if proxy in ALONE else published_aggregate(proxy) if proxy in AGGREGATES else None
    entries = "" if entry is None else "\n\n".join(paper.bibtex() for paper in papers_of(entry.paper))
    if bibtex:
        if not entries:
            raise ConfigurationError(f"no BibTeX is known of '{shortened(proxy, 80)}': see zcproxy proxy show")
        print(entries)
        return
    if as_json:
        print_json(_content(proxy, entry))
        return
    table = Table(show_header=False, box=None)
    if isinstance(entry, PublishedAggregate):
        print(f"{entry.rule}({', '.join(entry.members)})")
        table.add_row("name", entry.name)
    else:
        chosen = resolve_proxy(proxy)
        print(chosen.formula)
        _add_proxy(table, chosen)
    if entry is not None:
        _add_published(table, entry)
    console.print(table)
    if entries:
        console.print("", *entries.split("\n"), sep="\n", soft_wrap=True)


def _content(proxy: str, entry: Published | PublishedAggregate | None) -> dict[str, Any]:
    """Return what is shown of a proxy as JSON can hold it."""
    if isinstance(entry, PublishedAggregate):
        found: dict[str, Any] = {"name": entry.name, "rule": entry.rule, "members": list(entry.members)}
    else:
        chosen = resolve_proxy(proxy)
        found = {
            "name": chosen.name,
            "formula": str(chosen.formula),
            "nodes": chosen.formula.size,
            "probes": list(chosen.probes),
            "measures": chosen.description,
            "correlations": [dict(item) for item in chosen.correlations],
        }
    if entry is not None:
        found |= {"paper": entry.paper, "differs": entry.note, "published": [asdict(each) for each in entry.reported]}
        found["bibtex"] = [paper.bibtex() for paper in papers_of(entry.paper)]
    return found


def _add_proxy(table: Table, chosen: Proxy) -> None:
    """Add what a formula needs, and what its file says of it."""
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


def _add_published(table: Table, entry: Published | PublishedAggregate) -> None:
    """Add the paper, how the entry differs from it, and what papers report."""
    table.add_row("paper", entry.paper)
    if entry.note:
        table.add_row("differs", entry.note)
    for item in entry.reported:
        taus = " to ".join(f"{tau:.3f}" for tau in dict.fromkeys((item.low, item.high)))
        table.add_row(item.task, f"published tau {taus} on {item.population}: {item.source}")


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
