"""The command `zcproxy evolve`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import typer

from zcproxy.cli import evolve_options as options
from zcproxy.cli.cluster import Cluster, cluster_executor
from zcproxy.cli.discovery import discovered, show_discovery
from zcproxy.cli.display import RunDisplay, console, correlation_table, front_table
from zcproxy.cli.figure_options import Figure, say_figures
from zcproxy.cli.from_table import Classes, LowerIsBetter
from zcproxy.cli.images import Images, say_images
from zcproxy.cli.json_output import Json, correlation_records, print_json, records
from zcproxy.cli.logs import Log, check_logs
from zcproxy.cli.options import AllowCode, Device, Plugin, Seed, Teacher, Workers, folder_name
from zcproxy.cli.resume import check_resuming
from zcproxy.cli.terminal import results
from zcproxy.cli.watching import RunWatch
from zcproxy.correlation import Correlation
from zcproxy.discovery.few import few_labels_line
from zcproxy.errors import ConfigurationError
from zcproxy.evolve import Configuration, Limits, Result, evolve, resume
from zcproxy.evolve.directory import CONFIGURATION, RunDirectory
from zcproxy.evolve.figure import front_figure
from zcproxy.evolve.results import FRONT, front_rows
from zcproxy.evolve.start import draw_samples
from zcproxy.extras import check_extra
from zcproxy.figures import check_figures, save
from zcproxy.images.image_sets import kept_image_sets
from zcproxy.images.own import import_images, restore_images
from zcproxy.names.families import families_named, labelled_families, tasks_by_goal
from zcproxy.names.scorers import formulas_of, resolve_scorers, split_names
from zcproxy.names.tasks import DEFAULT_TASK, get_task
from zcproxy.proxy.aggregate import Scorer
from zcproxy.ranking.controls import CORRELATIONS, compare
from zcproxy.reporting.report import check_installed, write_report
from zcproxy.workers.interrupt import advise

RESUMABLE = (
    *("resume_from", "budget", "generations", "evaluations"),
    *("workers", "cluster", "compare_with", "control", "report", "log", "images", "figure", "as_json", "plugin"),
    *("teacher", "allow_code"),
)
"""Parameters that may be given with --resume."""
DEFAULTS = Configuration((DEFAULT_TASK,))
"""The defaults of a run."""
DEFAULT_BUDGET = "15m"
DEFAULT_PROBES, DEFAULT_CASES = ",".join(DEFAULTS.probes), ",".join(DEFAULTS.cases)
DEFAULT_WITHOUT, DEFAULT_MUTATION = ",".join(DEFAULTS.without), ",".join(DEFAULTS.mutation)
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
    tasks: options.Tasks = None,
    families: options.Families = "",
    networks: options.Networks = DEFAULTS.networks,
    budget: options.Budget = None,
    generations: options.Generations = None,
    evaluations: options.Evaluations = None,
    seed: Seed = DEFAULTS.seed,
    out: options.Out = None,
    resume_from: options.Resume = None,
    workers: Workers = 2,
    cluster: Cluster = "",
    device: Device = DEFAULTS.device,
    population: options.Population = DEFAULTS.population,
    maximum_size: options.MaximumSize = DEFAULTS.maximum_size,
    probes: options.Probes = DEFAULT_PROBES,
    batch_size: options.BatchSize = DEFAULTS.batch_size,
    test_networks: options.TestNetworks = DEFAULTS.test_networks,
    new_columns: options.NewColumns = DEFAULTS.new_columns,
    algorithm: options.Algorithm = DEFAULTS.algorithm,
    form: options.Form = DEFAULTS.form,
    hold_out: options.HoldOut = None,
    use_set_aside: options.UseSetAside = DEFAULTS.use_set_aside,
    targets: options.Targets = DEFAULTS.targets,
    cases: options.Cases = DEFAULT_CASES,
    invariance: options.Invariance = "",
    crossover: options.Crossover = DEFAULTS.crossover,
    mutation: options.Mutation = DEFAULT_MUTATION,
    selection: options.Selection = DEFAULTS.selection,
    survivors: options.Survivors = DEFAULTS.survivors,
    toolbox: options.Toolbox = DEFAULTS.toolbox,
    resampled: options.Resampled = DEFAULTS.resampled,
    sample_seed: options.SampleSeed = DEFAULTS.sample_seed,
    without: options.Without = DEFAULT_WITHOUT,
    start_from: options.StartFrom = "",
    compare_with: options.Compare = "",
    control: options.Control = False,
    report: options.Report = False,
    log: Log = "",
    images: Images = "",
    figure: Figure = None,
    as_json: Json = False,
    plugin: Plugin = None,
    teacher: Teacher = "",
    allow_code: AllowCode = None,
    models: options.Models = "",
    labels: options.Labels = None,
    input_shape: options.InputShape = "",
    classes: Classes = None,
    lower_is_better: LowerIsBetter = False,
) -> None:
    """Evolve a proxy on labelled networks, choose one with the validation networks, test it on unseen ones."""
    proxies = _checked(context)
    with RunDisplay() as display, cluster_executor(context) as executor:
        show = _run(context, proxies, RunWatch(context, display), executor)
    path = show()
    if report:
        console.print(f"report: {write_report(path)}", soft_wrap=True)


def _run(
    context: typer.Context, proxies: Sequence[Scorer], watch: RunWatch, executor: Executor | None
) -> Callable[[], Path]:
    """Run what the parameters ask for, and return what shows the result and returns its directory."""
    given = context.params
    is_own = given["models"] or given["labels"] or given["input_shape"]
    found = discovered(context, watch, executor) if is_own else None
    if found is not None:
        return partial(show_discovery, found, given["as_json"])
    return _evolved(given, proxies, watch, executor)


def _finished(
    result: Result, rows: Mapping[str, Mapping[str, Correlation]], path: Path, given: Mapping[str, Any]
) -> Path:
    """Show what a run found, draw the figures asked for, and return its directory."""
    _show_result(result, rows, path, given["as_json"])
    _draw(result, path, given["figure"] or [])
    return path


def _draw(result: Result, path: Path, figures: Sequence[Path]) -> None:
    """Write figures of the front."""
    if not figures:
        return
    configuration = RunDirectory(path).configuration()
    fitted = sum(len(sample.fitted) for sample in draw_samples(configuration).values())
    names = ", ".join(configuration.tasks[:3]) + (", ..." if len(configuration.tasks) > 3 else "")
    title = f"{names}: {fitted:,} labelled networks (population {configuration.population}), seed {configuration.seed}"
    for place in figures:
        save(front_figure(result, title), place)
    say_figures(figures)


def _checked(context: typer.Context) -> list[Scorer]:
    """Return the proxies to compare with.

    Raises:
        ConfigurationError: an option does not fit --resume, or a package is missing.
    """
    if context.params["resume_from"] is not None:
        check_resuming(context, RESUMABLE, "--budget, --generations and --evaluations")
    check_figures(context.params["figure"] or [])
    if context.params["control"]:
        check_extra("predictors", "--control", "sklearn")
    if context.params["report"]:
        check_installed("--report")
    check_logs(context.params["log"])
    return resolve_scorers(context.params["compare_with"])


def _evolved(
    given: Mapping[str, Any], proxies: Sequence[Scorer], watch: RunWatch, executor: Executor | None
) -> Callable[[], Path]:
    """Run what the parameters ask for, compare it, and return what shows the result."""
    path, going_on = _begun(given)
    advise(f"zcproxy evolve --resume {shlex.quote(str(path))} continues it", path / CONFIGURATION)
    limits = {name: given[name] for name in ("budget", "generations", "evaluations")}
    if given["resume_from"] is None and not any(limits.values()):
        limits["budget"] = DEFAULT_BUDGET
    where = {"workers": given["workers"], "executor": executor}
    with watch.over(path, **limits):
        result = going_on(**where, observer=watch.observer, options=watch.options)
    rows = compare(path, result, proxies, control=given["control"], **where, observer=watch.display)
    return partial(_finished, result, rows, path, given)


def _begun(given: Mapping[str, Any]) -> tuple[Path, Callable[..., Result]]:
    """Return the directory of the run that the parameters ask for, and what begins or continues it."""
    seconds = None if given["budget"] is None else parse_duration(given["budget"])
    generations, evaluations = given["generations"], given["evaluations"]
    path: Path | None = given["resume_from"]
    if path is not None:
        restore_images(given["images"], RunDirectory(path).configuration().images)
        return path, partial(resume, path, seconds=seconds, generations=generations, evaluations=evaluations)
    configuration = _configuration(given)
    name = _run_name(configuration, given["hold_out"] or [], split_names(given["families"]))
    path = given["out"] or Path("runs") / name
    return path, partial(evolve, configuration, _limits(seconds, generations, evaluations), path)


def _configuration(given: Mapping[str, Any]) -> Configuration:
    """Return the configuration from the parameters of the command: those named like its fields, and tasks."""
    learned_from = [*(given["tasks"] or []), *families_named(split_names(given["families"]))]
    goals, held_out = _goals(learned_from, given["hold_out"] or [])
    made = {item.name: given[item.name] for item in fields(Configuration) if item.name in given}
    made |= {
        "tasks": tuple(goals),
        "goals": tuple(goals.values()),
        "hold_out": held_out,
        "probes": tuple(name.strip() for name in given["probes"].split(",")),
        "cases": tuple(split_names(given["cases"])),
        "invariance": tuple(split_names(given["invariance"])),
        "mutation": tuple(split_names(given["mutation"])),
        "without": tuple(split_names(given["without"])),
        "start_from": formulas_of(given["start_from"]),
        "images": import_images(given["images"]),
    }
    return Configuration(**made)


def _limits(seconds: float | None, generations: int | None, evaluations: int | None) -> Limits:
    """Return the limits of a new run: what was given, or else the default time."""
    if seconds is None and generations is None and evaluations is None:
        return Limits(parse_duration(DEFAULT_BUDGET))
    return Limits(seconds, generations, evaluations)


def _run_name(configuration: Configuration, hold_out: Sequence[str], families: Sequence[str]) -> str:
    names = ["without", *hold_out] if hold_out else families or configuration.tasks[:1]
    return "-".join([*map(folder_name, names), str(configuration.seed)])


def _goals(learned_from: Sequence[str], hold_out: Sequence[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the tasks to train on, each with its goal, and the tasks held out."""
    held_out = tuple(tasks_by_goal(hold_out))
    names = learned_from or (labelled_families() if hold_out else [DEFAULT_TASK])
    goals = {task: goal for task, goal in tasks_by_goal(names).items() if task not in held_out}
    if not goals:
        raise ConfigurationError("all tasks are held out: name one to train on that is not")
    return goals, held_out


def _show_result(result: Result, rows: Mapping[str, Mapping[str, Correlation]], path: Path, as_json: bool) -> Path:
    """Show what was found, and return the run directory."""
    console.print()
    console.print(f"best formula ({result.chosen.training.size} nodes):")
    if as_json:
        tests = [each for known in rows.values() for each in correlation_records(known.items())]
        front = records(pd.DataFrame(front_rows(result)))
        print_json({"formula": str(result.chosen.formula), "tests": tests, "front": front})
    else:
        print(result.chosen.formula)
    shown, images = results(is_taken=as_json), kept_image_sets(path)
    shown.print(front_table(front_rows(result)))
    for name, found in rows.items():
        title = f"{name}, {result.test[name].population}"
        shown.print(correlation_table(title, found.items(), get_task(name).noise_ceiling()))
        say_images(images.get(name))
    configuration = RunDirectory(path).configuration()
    warning = few_labels_line(sum(len(sample.fitted) for sample in draw_samples(configuration).values()))
    if warning:
        console.print(warning, soft_wrap=True)
    console.print(
        f"{result.evaluations:,} formulas in {result.generations} generations, {result.seconds:.0f} s; "
        f"written: {path / 'best.json'}, {path / 'front'} (one formula per size), {path / FRONT}, "
        f"{path / CORRELATIONS}",
        f"next: zcproxy proxy show {path / 'best.json'}",
        f"      zcproxy proxy export {path / 'best.json'} --out proxy.py",
        f"      zcproxy score {path / 'best.json'} --model mypackage.models:factory --input 3x32x32",
        sep="\n",
        soft_wrap=True,
    )
    return path
