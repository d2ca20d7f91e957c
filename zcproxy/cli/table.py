"""The command `zcproxy table`."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import fields
from pathlib import Path
from typing import Annotated

import typer

from zcproxy.cli import ranking_options as options
from zcproxy.cli.cluster import Cluster, cluster_executor
from zcproxy.cli.display import RunDisplay, console, task_table
from zcproxy.cli.figure_options import Figure, FigureKind, say_figures
from zcproxy.cli.images import Images
from zcproxy.cli.json_output import Json, print_json, records
from zcproxy.cli.options import LARGEST_BATCH, AllowCode, Device, Plugin, Seed, SettingsOption, Teacher, Workers
from zcproxy.cli.resume import is_typed
from zcproxy.cli.run_file import RunOptions
from zcproxy.cli.terminal import PlainConsole, results
from zcproxy.cli.wording import in_options
from zcproxy.errors import ConfigurationError
from zcproxy.extras import check_extra
from zcproxy.images.own import import_images
from zcproxy.names.proxies import Settings
from zcproxy.names.scorers import ZOO, resolve_scorers, split_names
from zcproxy.names.tasks import DEFAULT_TASK, get_task
from zcproxy.ranking.coverage import coverage_note
from zcproxy.ranking.figures.kinds import draw, figures_asked
from zcproxy.ranking.files import frame, write_table
from zcproxy.ranking.latex import ALIASES, HEADINGS, Typesetting
from zcproxy.ranking.layout import legend, notes, shown_columns
from zcproxy.ranking.significance import significance_line
from zcproxy.ranking.table import Plan, TaskTable, build_table
from zcproxy.storage.claims import claimed
from zcproxy.storage.files import check_target
from zcproxy.workers.interrupt import GOES_ON, advise
from zcproxy.workers.pool import worker_pool

Tasks = Annotated[list[str] | None, typer.Argument(help=f"Tasks; {DEFAULT_TASK} if not given.")]
Proxies = Annotated[
    str,
    typer.Option(
        help="Proxies, separated by commas: files, published names, formulas, ranks(A, B), log_ranks(A, B), each "
        "possibly as NAME=...; `zoo` is all that is published."
    ),
]
Initialisations = Annotated[int, typer.Option(min=1, max=1000, help="Random initialisations of every network.")]
BatchSize = Annotated[
    int | None,
    typer.Option(min=1, max=LARGEST_BATCH, help="Samples of a minibatch; what each proxy asks for if not given."),
]
Resamples = Annotated[int, typer.Option(min=1, max=1_000_000, help="Resamples of the bootstrap behind the intervals.")]
Out = Annotated[Path | None, typer.Option(help="Folder for table.csv, table.md, table.tex, scores and figures.")]
Measures = Annotated[
    str, typer.Option(help=f"Measures in table.tex, separated by commas: {', '.join([*HEADINGS, *ALIASES])}.")
]
Caption = Annotated[str, typer.Option(help="Caption in table.tex, before the population and what its marks mean.")]
Label = Annotated[str, typer.Option(help="Label in table.tex, such as tab:proxies.")]
DEFAULTS = Plan()


def table(
    context: typer.Context,
    tasks: Tasks = None,
    proxies: Proxies = ZOO,
    networks: options.Networks = DEFAULTS.networks,
    population: options.Population = DEFAULTS.population,
    sampling: options.SamplingOption = DEFAULTS.sampling,
    unseen_by: options.UnseenBy = None,
    initialisations: Initialisations = DEFAULTS.initialisations,
    batch_size: BatchSize = DEFAULTS.batch_size,
    settings: SettingsOption = Settings.COMMON,
    resamples: Resamples = DEFAULTS.resamples,
    seed: Seed = DEFAULTS.seed,
    out: Out = None,
    workers: Workers = 2,
    cluster: Cluster = "",
    device: Device = DEFAULTS.device,
    images: Images = "",
    figure: Figure = None,
    figure_kind: FigureKind = None,
    measures: Measures = "tau",
    caption: Caption = "",
    label: Label = "",
    as_json: Json = False,
    plugin: Plugin = None,
    teacher: Teacher = "",
    allow_code: AllowCode = None,
) -> None:
    """Show how well proxies rank the networks of tasks, with intervals, beside params, FLOPs and convolutions."""
    if out is not None:
        check_extra("figures", "table --out", "matplotlib")
        check_target(out / "table.csv")
    typesetting = _typesetting(context, measures, caption, label)
    figures = figures_asked(figure or [], figure_kind or [], len(tasks or [DEFAULT_TASK]))
    if settings == Settings.AUTHORS and batch_size is not None:
        raise ConfigurationError(
            f"--batch-size {batch_size} with --settings {Settings.AUTHORS}: each proxy then has the batch size of its "
            "authors; give one of the two"
        )
    scorers = resolve_scorers(proxies, settings)
    names = [get_task(name).name for name in tasks or [DEFAULT_TASK]]
    made = {item.name: context.params[item.name] for item in fields(Plan) if item.name in context.params}
    plan = Plan(**{**made, "unseen_by": tuple(unseen_by or ()), "images": import_images(images)})
    found: list[TaskTable] = []
    advise(GOES_ON)
    held = nullcontext() if out is None else claimed(out)
    with held, RunDisplay() as display, cluster_executor(context) as given, worker_pool(workers, given) as executor:
        if out is not None:
            RunOptions.of(context).write(out)
        for name in names:
            found.append(build_table(name, scorers, plan, executor=executor, observer=display))
            if out is not None:
                write_table(out, found, new=found[-1:], typesetting=typesetting)
    if as_json:
        print_json(records(frame(found)))
    shown = results(is_taken=as_json)
    for each in found:
        _show(each, shown)
    _say_written(found, shown.width, out)
    draw(figures, found)
    say_figures(figures)


def _say_written(found: list[TaskTable], width: int, out: Path | None) -> None:
    """Say how the tables are read that a terminal of some width shows, and where their files are."""
    console.print(legend({name for each in found for name in shown_columns(each, width)}))
    if out is not None:
        console.print(f"written: {out / 'table.csv'}, table.md, table.tex, significance.csv, scores and figures")


def _typesetting(context: typer.Context, measures: str, caption: str, label: str) -> Typesetting:
    """Return how `table.tex` is set. Raises `ConfigurationError` for options that play no part."""
    if context.params["out"] is None:
        words = [f"--{name}" for name in ("measures", "caption", "label") if is_typed(context, name)]
        if words:
            raise ConfigurationError(f"{', '.join(words)} is for table.tex: give --out, the folder to write it to")
    return Typesetting(tuple(split_names(measures)), caption, label)


def _show(found: TaskTable, shown: PlainConsole) -> None:
    """Show the table of a task, and remarks on it."""
    console.print()
    shown.print(task_table(found, shown.width))
    significance = significance_line(found)
    if significance is not None:
        shown.print(significance, soft_wrap=True)
    shown.print()
    if found.images is not None and found.images.advice:
        console.print(in_options(f"Images: {found.images.advice}.", {"images": "--images"}), soft_wrap=True)
    for note in notes(found):
        console.print(in_options(note, {"images": "--images", "batch_size": "--batch-size"}))
    left_out = coverage_note(found.coverage)
    if left_out is not None:
        console.print(left_out, soft_wrap=True)
