"""The commands `zcproxy network ...`: what a search found, as networks."""

from __future__ import annotations

import hashlib
from io import BytesIO
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from zcproxy.benchmarks.shared.label_table import ARCHITECTURE
from zcproxy.cli.display import console
from zcproxy.cli.options import AllowCode, Plugin
from zcproxy.errors import ConfigurationError, RunError, check_known
from zcproxy.export.network_source import export_network
from zcproxy.export.onnx_file import check_onnx, export_onnx
from zcproxy.search.directory import CONFIGURATION, FRONT, RESULTS, SearchDirectory
from zcproxy.search.quantities.networks import NetworkMeasurer, Weights, check_weights
from zcproxy.search.results import DIGEST
from zcproxy.storage.files import cannot_read, check_target, open_regular
from zcproxy.storage.records import read_record_file
from zcproxy.user_code.permission import stored_in

ONNX = "onnx"
SUFFIXES = {"python": ".py", ONNX: ".onnx"}
"""Forms of a network that is written, and the suffix of the file."""

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `export` a command of its own: typer would drop its name otherwise."""


@app.command()
def export(
    search: Annotated[Path, typer.Argument(help="Directory of a search.")],
    arch: Annotated[
        str | None, typer.Option(help="Architecture; the front's best by the first objective if not given.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="File to write, network.py or network.onnx if not given; a state goes beside Python."),
    ] = None,
    form: Annotated[
        str, typer.Option("--format", help="python, or onnx (extra onnx): checked in onnxruntime to 1e-4.")
    ] = "python",
    weights: Annotated[str, typer.Option(help=f"The state: {' or '.join(Weights)}.")] = Weights.INITIALISATION,
    plugin: Plugin = None,
    allow_code: AllowCode = None,
) -> None:
    """Write an architecture as a Python file that needs torch alone and its state, or as an ONNX file."""
    check_weights(weights)
    check_known("format", form, SUFFIXES)
    out = _checked(out or Path(f"network{SUFFIXES[form]}"), form)
    setting = SearchDirectory(search).configuration().setting
    with stored_in(search / CONFIGURATION):
        bench = NetworkMeasurer(setting.subject(), setting)
    chosen = bench.space.parse(arch if arch is not None else _best(search))
    network = bench.exported(chosen, inherited=weights == Weights.INHERITED)
    if form == ONNX:
        difference = export_onnx(network, bench.subject.input_shape, out)
        written = f"{out} (onnxruntime gives the network's logits to {difference:.1g})"
    else:
        source, state = export_network(network, bench.subject.input_shape, f"{chosen} of {bench.subject.name}.", out)
        written = f"{source}, {state}"
    trained = (
        "as the search trained them" if weights == Weights.INHERITED else "untrained: train the network before use"
    )
    if setting.quantisation.is_on:
        trained += "; rounded to their bits, inputs of layers are not"
    console.print(str(chosen), f"written: {written}", f"weights: {trained}", sep="\n", soft_wrap=True)


def _checked(out: Path, form: str) -> Path:
    """Return the path that is written, refused before any work if nothing can be written there in such a form."""
    check_target(out, regular=True)
    meant = next((name for name, suffix in SUFFIXES.items() if out.suffix == suffix), form)
    if meant != form:
        raise ConfigurationError(
            f"--out {out} ends as --format {meant} does, and --format is {form}: change one of the two"
        )
    if form == ONNX:
        check_onnx()
    elif out.suffix == ".pt":
        raise ConfigurationError(f"--out {out} is the name of the state: name the Python file, for example network.py")
    return out


def _best(search: Path) -> str:
    """Return the first architecture of the front, byte for byte as the search wrote it."""
    place = search / FRONT
    again = f"finish the search with --resume {search}, or give --arch"
    try:
        written = read_record_file(search / RESULTS).get(DIGEST)
        with open_regular(place) as stream:
            content = stream.read()
    except FileNotFoundError as error:
        raise RunError(f"{search} has no front yet: {again}") from error
    except OSError as error:
        raise cannot_read(place, error) from error
    if hashlib.sha256(content).hexdigest() != written:
        raise RunError(f"{place} is not as the search wrote it, it was damaged or edited: {again}")
    front = pd.read_csv(BytesIO(content), dtype=str)
    if front.empty:
        raise RunError(f"the front in {place} is empty (see the limits in {search / CONFIGURATION}): give --arch")
    return str(front[ARCHITECTURE].iloc[0])
