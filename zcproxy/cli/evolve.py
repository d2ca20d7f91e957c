"""The command `zcproxy evolve`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from zcproxy.cli.display import RunDisplay, console, correlation_table
from zcproxy.cli.images import Images, say_images
from zcproxy.cli.options import (
    LARGEST_BATCH,
    LARGEST_COUNT,
    LARGEST_SEED,
    MOST_NETWORKS,
    MOST_NODES,
    AllowCode,
    Device,
    Seed,
    Workers,
)
from zcproxy.cli.resume import check_resuming
from zcproxy.correlation import Correlation
from zcproxy.errors import ConfigurationError
from zcproxy.evolve import Configuration, Limits, Result, evolve, resume
from zcproxy.evolve.cases import CASES
from zcproxy.evolve.configuration import DEFAULT_PROBES
from zcproxy.evolve.directory import CONFIGURATION, RunDirectory
from zcproxy.evolve.targets import TARGETS
from zcproxy.images.image_sets import kept_image_sets
from zcproxy.images.own import import_images, restore_images
from zcproxy.names.families import labelled_families, tasks_by_goal
from zcproxy.names.scorers import formulas_of, resolve_scorers, split_names
from zcproxy.names.tasks import DEFAULT_TASK, get_task
from zcproxy.ranking.controls import CORRELATIONS, compare
from zcproxy.workers.interrupt import advise

RESUMABLE = (
    *("resume_from", "budget", "generations", "evaluations"),
    *("workers", "compare_with", "control", "images", "allow_code"),
)
"""Parameters that may be given with --resume."""
LONGEST_DURATION = 8784 * 3600.0

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def parse_duration(text: str) -> float:
    """Return the seconds of a duration such as `90s`, `15m`, `1.5h` or `1h30m`. Raises `ConfigurationError`."""
    parts = re.findall(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)([smh])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ConfigurationError(f"cannot read the duration '{text:.80}': write for example 90s, 15m or 1h30m")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if not 0 < seconds <= LONGEST_DURATION:
        raise ConfigurationError(f"the duration '{text:.80}' is not above 0 and at most 8784h, a year")
    return seconds


def evolve_command(
    context: typer.Context,
    tasks: Annotated[
        list[str] | None,
        typer.Argument(
            help=f"Tasks such as nasbench201/cifar10, families of tasks such as nds-cells, or folders of benchmarks; "
            f"{DEFAULT_TASK} if not given, and with --hold-out all other families."
        ),
    ] = None,
    networks: Annotated[
        int | None,
        typer.Option(
            max=MOST_NETWORKS,
            help="Labelled networks a task, training and validation together; 400, or 60 % of fewer than 667.",
        ),
    ] = None,
    budget: Annotated[str | None, typer.Option(help="Wall-clock time in all: 90s, 15m, 1h30m.")] = None,
    generations: Annotated[
        int | None, typer.Option(min=1, max=LARGEST_COUNT, help="Stop after this many generations of every island.")
    ] = None,
    evaluations: Annotated[
        int | None, typer.Option(min=1, max=LARGEST_COUNT, help="Stop after this many formulas.")
    ] = None,
    seed: Seed = 0,
    out: Annotated[
        Path | None,
        typer.Option(help="Run directory to write; runs/TASK-SEED or runs/without-FAMILY-SEED if not given."),
    ] = None,
    resume_from: Annotated[Path | None, typer.Option("--resume", help="Run directory to continue.")] = None,
    workers: Workers = 2,
    device: Device = "cpu",
    population: Annotated[str, typer.Option(help="Architectures to draw from: all or pruned.")] = "all",
    max_size: Annotated[int, typer.Option(min=2, max=MOST_NODES, help="Most nodes of a formula.")] = 30,
    probes: Annotated[str, typer.Option(help="Probes to use, separated by commas.")] = ",".join(DEFAULT_PROBES),
    batch_size: Annotated[int, typer.Option(min=2, max=LARGEST_BATCH, help="Samples of a minibatch.")] = 8,
    test_networks: Annotated[
        int | None,
        typer.Option(
            min=2, max=MOST_NETWORKS, help="Unseen networks to test the chosen formula on; up to 200 if not given."
        ),
    ] = None,
    new_columns: Annotated[
        int, typer.Option(min=0, max=10_000, help="New layer-level expressions to measure on the way.")
    ] = 12,
    algorithm: Annotated[str, typer.Option(help="evolve, or random for the control without selection.")] = "evolve",
    hold_out: Annotated[
        list[str] | None,
        typer.Option(help="Family (nds, ofa_mobilenetv3, ...) or task to test the chosen formula on; not trained on."),
    ] = None,
    targets: Annotated[
        str,
        typer.Option(
            help=f"What formulas are fitted to: {' or '.join(TARGETS)} (what labels of other spaces foretell)."
        ),
    ] = TARGETS[0],
    cases: Annotated[str, typer.Option(help=f"What counts beside tau, separated by commas: {', '.join(CASES)}.")] = "",
    selection: Annotated[str, typer.Option(help="How parents are found: tournament, or lexicase over all cases.")] = (
        "tournament"
    ),
    resample: Annotated[
        float, typer.Option(help="Share of the training networks that each epoch sees, drawn anew.")
    ] = 1.0,
    sample_seed: Annotated[
        int | None,
        typer.Option(min=0, max=LARGEST_SEED, help="Seed of the sample and its split alone; --seed if not given."),
    ] = None,
    without: Annotated[
        str,
        typer.Option(help="Primitives that formulas do without, separated by commas; also `constants`, `gradients`."),
    ] = "",
    start_from: Annotated[
        str, typer.Option(help="Proxies that the populations begin with, separated by commas; `zoo`: all published.")
    ] = "",
    compare_with: Annotated[
        str, typer.Option("--compare", help="Proxies to test on the same networks, separated by commas.")
    ] = "",
    control: Annotated[
        bool,
        typer.Option(
            "--control",
            help="Then test the best of as many random formulas, and two predictors trained on the same columns, too.",
        ),
    ] = False,
    images: Images = "",
    allow_code: AllowCode = None,
) -> None:
    """Evolve a proxy on labelled networks, choose one with the validation networks, test it on unseen ones."""
    if resume_from is not None:
        check_resuming(context, RESUMABLE, "--budget, --generations and --evaluations")
    proxies = resolve_scorers(compare_with)
    seconds = None if budget is None else parse_duration(budget)
    with RunDisplay() as display:
        if resume_from is not None:
            restore_images(images, RunDirectory(resume_from).configuration().images)
            advise(f"zcproxy evolve --resume {shlex.quote(str(resume_from))} goes on", resume_from / CONFIGURATION)
            result = resume(
                resume_from,
                seconds=seconds,
                generations=generations,
                evaluations=evaluations,
                workers=workers,
                observer=display,
            )
            path = resume_from
        else:
            goals, held_out = _goals(tasks or [], hold_out or [])
            configuration = Configuration(
                tuple(goals),
                networks=networks,
                seed=seed,
                population=population,
                test_networks=test_networks,
                probes=tuple(name.strip() for name in probes.split(",")),
                batch_size=batch_size,
                device=device,
                maximum_size=max_size,
                new_columns=new_columns,
                algorithm=algorithm,
                start_from=formulas_of(start_from),
                without=tuple(split_names(without)),
                goals=tuple(goals.values()),
                targets=targets,
                cases=tuple(split_names(cases)),
                selection=selection,
                resampled=resample,
                sample_seed=sample_seed,
                hold_out=held_out,
                images=import_images(images),
            )
            if seconds is None and generations is None and evaluations is None:
                seconds = parse_duration("15m")
            path = out or Path("runs") / _run_name(configuration, hold_out or [])
            limits = Limits(seconds, generations, evaluations)
            advise(f"zcproxy evolve --resume {shlex.quote(str(path))} goes on", path / CONFIGURATION)
            result = evolve(configuration, limits, path, workers=workers, observer=display)
        rows = compare(path, result, proxies, control=control, workers=workers, observer=display)
    _show_result(result, rows, path)


def _run_name(configuration: Configuration, hold_out: Sequence[str]) -> str:
    names = ["without", *hold_out] if hold_out else configuration.tasks[:1]
    return "-".join([*(Path(name).name for name in names), str(configuration.seed)])


def _goals(tasks: Sequence[str], hold_out: Sequence[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the tasks to train on, each with its goal, and the tasks held out."""
    held_out = tuple(tasks_by_goal(hold_out))
    names = tasks or (labelled_families() if hold_out else [DEFAULT_TASK])
    goals = {task: goal for task, goal in tasks_by_goal(names).items() if task not in held_out}
    if not goals:
        raise ConfigurationError("all tasks are held out: name one to train on that is not")
    return goals, held_out


def _show_result(result: Result, rows: Mapping[str, Mapping[str, Correlation]], path: Path) -> None:
    console.print()
    console.print(f"best formula ({result.chosen.training.size} nodes):")
    print(result.chosen.formula)
    shown = kept_image_sets(path)
    for name, found in rows.items():
        title = f"{name}, {result.test[name].population}"
        console.print(correlation_table(title, found.items(), get_task(name).noise_ceiling()))
        say_images(shown.get(name))
    console.print(
        f"{result.evaluations:,} formulas in {result.generations} generations, {result.seconds:.0f} s; "
        f"written: {path / 'best.json'}, {path / 'front'} (one formula a size), {path / CORRELATIONS}",
        f"next: zcproxy proxy show {path / 'best.json'}",
        f"      zcproxy proxy export {path / 'best.json'} --out proxy.py",
        f"      zcproxy score {path / 'best.json'} --model mypackage.models:factory --input 3x32x32",
        sep="\n",
        soft_wrap=True,
    )
