"""The commands `zcproxy network ...`: what a search found, as networks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from zcproxy.benchmarks.label_table import ARCHITECTURE
from zcproxy.display import console
from zcproxy.errors import RunError
from zcproxy.search.directory import CONFIGURATION, FRONT, SearchDirectory
from zcproxy.search.export import export_network
from zcproxy.search.network_quantities import INHERITED, INITIALISATION, WEIGHTS, Bench, check_weights

app = typer.Typer(help="Look at networks that a search found.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `export` a command of its own: typer would drop its name otherwise."""


@app.command()
def export(
    search: Annotated[Path, typer.Argument(help="Directory of a search.")],
    arch: Annotated[
        str | None, typer.Option(help="Architecture; the front's best by the first objective if not given.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Python file to write; the state goes beside it.")] = Path("network.py"),
    weights: Annotated[str, typer.Option(help=f"The state: {' or '.join(WEIGHTS)}.")] = INITIALISATION,
) -> None:
    """Write an architecture as a Python file that needs torch alone, and its state."""
    check_weights(weights)
    setting = SearchDirectory(search).configuration().setting
    bench = Bench(setting.subject(), setting)
    chosen = bench.subject.space.parse(arch if arch is not None else _best(search))
    network = bench.network(chosen, inherited=weights == INHERITED)
    source, state = export_network(network, bench.subject.input_shape, f"{chosen} of {bench.subject.name}.", out)
    console.print(str(chosen), f"written: {source}, {state}", sep="\n")


def _best(search: Path) -> str:
    place = search / FRONT
    try:
        front = pd.read_csv(place)
    except (OSError, ValueError) as error:
        raise RunError(
            f"{search} has no front yet: finish the search with --resume {search}, or give --arch"
        ) from error
    if front.empty:
        raise RunError(f"the front in {place} is empty (see the limits in {search / CONFIGURATION}): give --arch")
    return str(front[ARCHITECTURE].iloc[0])
