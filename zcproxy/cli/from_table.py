"""The command `zcproxy benchmark from-table`."""

from __future__ import annotations

import shlex
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from zcproxy.building.from_table import ACCURACY, ARCHITECTURE, TableSource, benchmark_from_table
from zcproxy.cli.display import RunDisplay, console
from zcproxy.cli.space_options import SpaceOption
from zcproxy.names.spaces import parse_options
from zcproxy.user_code.references import parse_shape

Model = Annotated[
    str,
    typer.Option(
        "--model",
        "--models",
        help="package.module:name of a function that builds the untrained network of an architecture's text, or of a "
        "mapping of modules or functions.",
    ),
]
Space = Annotated[
    str,
    typer.Option(help="Space of the networks in place of a model: a name such as autoformer, or package.module:name."),
]
InputShape = Annotated[
    str, typer.Option("--input", "--input-shape", help="Shape of one sample of the networks' input, such as 3x32x32.")
]
Classes = Annotated[
    int | None,
    typer.Option(
        min=2, max=100_000, help="Logits of the networks; those of the first if not given. A space needs them."
    ),
]
Data = Annotated[
    str,
    typer.Option(
        help="package.module:name of samples for probes that look at them: (inputs, classes), a dataset, a loader, or "
        "a function that returns one; Gaussian noise if not given."
    ),
]
LowerIsBetter = Annotated[
    bool, typer.Option("--lower-is-better", help="The numbers are losses or errors: the lower, the better.")
]


def from_table(
    table: Annotated[Path, typer.Argument(metavar="TABLE.csv", help="CSV file with a row for each trained network.")],
    input_shape: InputShape,
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    model: Model = "",
    space: Space = "",
    space_option: SpaceOption = None,
    classes: Classes = None,
    data: Data = "",
    architecture: Annotated[str, typer.Option(help="The column of architectures.")] = ARCHITECTURE,
    accuracy: Annotated[str, typer.Option(help="The column of accuracies, per cent or shares.")] = ACCURACY,
    lower_is_better: LowerIsBetter = False,
) -> None:
    """Make a benchmark, which every command takes, of networks that you trained and a table of their accuracies."""
    source = TableSource(
        table,
        model,
        parse_shape(input_shape),
        classes,
        data,
        architecture,
        accuracy,
        lower_is_better,
        space,
        parse_options(space_option or ()),
    )
    with RunDisplay() as display:
        labels, checked = benchmark_from_table(source, out, progress=partial(display.step, "building the networks"))
    ordered = sorted(labels.values())
    params = [cost.params for cost in checked.costs.values()]
    code = model or space
    allow = f" --allow-code {code}" if ":" in code else ""
    unit = "" if lower_is_better else " %"
    console.print(
        f"{len(labels)} networks, {source.accuracy} {ordered[0]:.4g} to {ordered[-1]:.4g}{unit}, median "
        f"{ordered[len(ordered) // 2]:.4g}{unit}; {min(params):,} to {max(params):,} parameters",
        f"written: {out}",
        f"next: zcproxy evolve {shlex.quote(str(out))}{allow}",
        f"      zcproxy table {shlex.quote(str(out))}{allow}",
        sep="\n",
        soft_wrap=True,
    )
