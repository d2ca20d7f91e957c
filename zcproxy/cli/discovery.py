"""`zcproxy evolve --models ... --labels ...`: networks of the user."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import asdict
from pathlib import Path

import typer

from zcproxy.building.from_table import TableSource, benchmark_from_table
from zcproxy.cli.display import console
from zcproxy.cli.json_output import print_json, records
from zcproxy.cli.options import folder_name
from zcproxy.cli.resume import typed
from zcproxy.cli.terminal import results
from zcproxy.cli.watching import RunWatch
from zcproxy.discovery.discovery import Discovery
from zcproxy.discovery.few import FEW, FEWEST, FILE, Effort, discover_on
from zcproxy.errors import ConfigurationError
from zcproxy.names.scorers import split_names
from zcproxy.user_code.references import parse_shape

TAKEN = (
    *("models", "labels", "input_shape", "classes", "lower_is_better"),
    *("out", "generations", "seed", "maximum_size", "probes", "workers", "cluster", "device"),
    *("report", "log", "as_json", "plugin", "allow_code"),
)
"""Parameters of `evolve` that few labels of own networks take."""


def discovered(context: typer.Context, watch: RunWatch, executor: Executor | None = None) -> Discovery | None:
    """Return what was discovered by a few labels; None where there are enough of them for an ordinary run.

    The networks and their labels become the folder of a benchmark beside the run directory. For an ordinary run it is
    entered as the task of the command's parameters.

    Args:
        context: of the command.
        watch: of the run.
        executor: where jobs run; None for processes of this machine.

    Raises:
        ConfigurationError: an option is missing, or one is given that plays no part.
    """
    given = context.params
    missing = [name for name in ("models", "labels", "input_shape") if not given[name]]
    if missing:
        raise ConfigurationError(f"your own networks need `models`, `labels` and `input_shape`: give `{missing[0]}`")
    if given["tasks"] or given["families"] or given["resume_from"]:
        raise ConfigurationError(
            "`models` are the networks to learn from: leave out tasks, `families` and `resume_from`"
        )
    source = TableSource(
        given["labels"],
        given["models"],
        parse_shape(given["input_shape"]),
        given["classes"],
        lower_is_better=given["lower_is_better"],
    )
    out = given["out"] or Path("runs") / f"{folder_name(given['models'])}-{given['seed']}"
    folder = out.with_name(f"{out.name}.networks")
    labels, checked = benchmark_from_table(
        source,
        folder,
        least=FEWEST,
        progress=lambda done, total: watch.display.step("building the networks", done, total),
    )
    console.print(f"{len(labels)} networks, a benchmark that every command takes: {folder}", soft_wrap=True)
    if len(labels) > FEW:
        given["tasks"], given["out"] = [str(folder)], out
        return None
    unwanted = [text for name, text in typed(context).items() if name not in TAKEN]
    if unwanted:
        raise ConfigurationError(
            f"{len(labels)} labels are few, so that the choice is cross-validated: {', '.join(unwanted)} plays no part"
        )
    defaults = Effort()
    effort = Effort(
        given["generations"] or defaults.generations,
        maximum_size=given["maximum_size"],
        probes=checked.probes([name.strip() for name in split_names(given["probes"])]),
        seed=given["seed"],
    )
    with watch.over(out, generations=effort.generations):
        return discover_on(
            str(folder.resolve()),
            out,
            effort,
            workers=given["workers"],
            executor=executor,
            device=given["device"],
            observer=watch.observer,
            left_out=checked.failed,
            watch=watch.split,
            options=watch.options,
        )


def show_discovery(found: Discovery, as_json: bool = False) -> Path:
    """Show the formula and what to expect of it; return the run directory."""
    place, shown = found.path / FILE, results(is_taken=as_json)
    if as_json:
        print_json(
            {
                "formula": str(found.proxy.formula),
                "labels": found.labels,
                "chosen": found.choice.name,
                "expected": asdict(found.expected),
                "contenders": records(found.to_frame()),
                "left_out": dict(found.left_out),
            }
        )
    console.print()
    for line in str(found).splitlines():
        shown.print(line, soft_wrap=True)
    console.print(
        f"written: {place}, {found.path / 'front'} (one formula per size)",
        f"next: zcproxy proxy export {place} --out proxy.py",
        f"      zcproxy score {place} --model mypackage.models:factory --input 3x32x32",
        sep="\n",
        soft_wrap=True,
    )
    return found.path
