"""The command `zcproxy adapt`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from zcproxy.adapting.adapt import Adaptation, adapt
from zcproxy.adapting.candidates import resolve_candidates
from zcproxy.adapting.decision import Decision, Rule
from zcproxy.adapting.labels import read_labels
from zcproxy.cli.cluster import Cluster, cluster_executor
from zcproxy.cli.display import RunDisplay, console
from zcproxy.cli.images import Images, say_images
from zcproxy.cli.json_output import Json, print_json, records
from zcproxy.cli.options import AllowCode, Device, Plugin, Seed, Teacher, Workers
from zcproxy.cli.terminal import PlainConsole, results
from zcproxy.images.own import import_images
from zcproxy.models.device import check_device
from zcproxy.storage.files import check_target
from zcproxy.text.visible import shortened
from zcproxy.user_code.references import parse_shape
from zcproxy.workers.interrupt import GOES_ON, advise
from zcproxy.workers.pool import worker_pool

Reference = Annotated[
    str,
    typer.Argument(
        metavar="TASK",
        help="A task (nds/darts-imagenet), a space (ofa_resnet50, with --input), or package.module:name of your own.",
    ),
]
Labels = Annotated[Path, typer.Option(help="CSV file with the columns architecture and accuracy, 10 to 500 networks.")]
From = Annotated[
    str,
    typer.Option(
        "--from",
        "--candidates",
        help="Proxies to choose from, the general one first, separated by commas: names, files, formulas, folders of "
        "proxy files (runs/x/front), `zoo`.",
    ),
]
RuleOption = Annotated[str, typer.Option("--rule", help="choose one of them, or weigh several in one formula.")]
Out = Annotated[Path, typer.Option(help="Proxy file to write.")]
Initialisations = Annotated[int, typer.Option(min=1, max=1000, help="Random initialisations of every network.")]
InputShape = Annotated[
    str | None,
    typer.Option("--input", "--input-shape", help="Input of a space without a dataset, for example 3x32x32."),
]
Classes = Annotated[int, typer.Option(min=2, max=100_000, help="Classes, for such a space.")]

SHOWN = 8
"""Most candidates that the terminal shows."""
LONGEST_SHOWN = 50
"""Characters of a candidate's name there."""


def adapt_command(
    context: typer.Context,
    task: Reference,
    labels: Labels,
    candidates: From,
    out: Out = Path("adapted.json"),
    rule: RuleOption = Rule.WEIGH,
    initialisations: Initialisations = 1,
    input_shape: InputShape = None,
    classes: Classes = 10,
    seed: Seed = 0,
    workers: Workers = 2,
    cluster: Cluster = "",
    device: Device = "cpu",
    images: Images = "",
    as_json: Json = False,
    plugin: Plugin = None,
    teacher: Teacher = "",
    allow_code: AllowCode = None,
) -> None:
    """Choose among proxies, or weigh them, by a few labels of a new space, and say what to expect."""
    check_device(device)
    check_target(out)
    proxies, known = resolve_candidates(candidates), read_labels(labels)
    shape = None if input_shape is None else parse_shape(input_shape)
    advise(GOES_ON)
    with RunDisplay() as display, cluster_executor(context) as given, worker_pool(workers, given) as executor:
        found = adapt(
            task,
            known,
            proxies,
            rule=rule,
            input_shape=shape,
            classes=classes,
            initialisations=initialisations,
            seed=seed,
            device=device,
            images=import_images(images),
            executor=executor,
            step=display.step,
        )
    found.proxy.save(out)
    if as_json:
        print_json(_content(found))
    _show(found, f"{task}, {len(known)} labels", out, results(is_taken=as_json))


def _content(found: Adaptation) -> dict[str, Any]:
    """Return the decision as JSON can hold it."""
    decision = found.decision
    expected = {"expected": decision.expected, "expected_of_general": decision.general}
    return {
        "formula": str(found.proxy.formula),
        **{name: records(pd.DataFrame([asdict(each)]))[0] for name, each in expected.items()},
        "candidates": records(found.to_frame()),
    }


def _show(found: Adaptation, title: str, out: Path, shown: PlainConsole) -> None:
    """Show the candidates of which most is expected, what was decided, and what is expected of that."""
    decision, names = found.decision, [shortened(proxy.name, LONGEST_SHOWN) for proxy in found.candidates]
    shown.print(_table(decision, names, title))
    hidden = len(names) - SHOWN
    if hidden > 0:
        console.print(f"and {hidden} more in {out}", soft_wrap=True)
    terms = [(names[term.place], term.weight) for term in decision.terms]
    chosen = terms[0][0] if len(terms) == 1 else " + ".join(f"{weight:g} log({name})" for name, weight in terms)
    is_general = len(terms) == 1 and decision.terms[0].place == 0
    stays = ", the general one: the labels do not speak against it" if is_general else ""
    shown.print(f"chosen: {chosen}{stays}", soft_wrap=True)
    shown.print(str(found.proxy.formula), soft_wrap=True)
    shown.print(
        f"tau to expect on networks without labels: {decision.expected}, cross-validated with the choice",
        f"of {names[0]} alone: {decision.general}",
        sep="\n",
        soft_wrap=True,
    )
    say_images(found.images)
    console.print(f"written: {out}", f"next: zcproxy proxy show {out}", sep="\n", soft_wrap=True)


def _table(decision: Decision, names: Sequence[str], title: str) -> Table:
    """Return the first, what was decided on, and those expected furthest ahead, at most `SHOWN`."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("", "tau on the labels", f"expected ahead of {names[0]}"):
        table.add_column(name, justify="left" if name == "" else "right")
    order = np.argsort(-decision.gains, kind="stable").tolist()
    shown = list(dict.fromkeys([0, *(term.place for term in decision.terms), *order]))[:SHOWN]
    for place in sorted(shown, key=order.index):
        gain = "" if place == 0 else f"{decision.gains[place]:+.3f} ± {decision.deviations[place]:.3f}"
        table.add_row(names[place], f"{decision.taus[place]:.3f}", gain)
    return table
