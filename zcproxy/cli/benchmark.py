"""The commands `zcproxy benchmark ...`."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from zcproxy.benchmarks.catalogue import released, released_benchmark
from zcproxy.benchmarks.datasets import load_dataset
from zcproxy.benchmarks.shared.importing import Imported, check_labels, import_benchmark, present_datasets
from zcproxy.benchmarks.shared.official import Release
from zcproxy.building.build import build_benchmark
from zcproxy.building.configuration import BuildConfiguration
from zcproxy.building.job import Trained
from zcproxy.cli.cluster import Cluster, cluster_executor
from zcproxy.cli.display import RunDisplay, console
from zcproxy.cli.from_table import from_table
from zcproxy.cli.json_output import Json, print_json
from zcproxy.cli.options import LARGEST_BATCH, MOST_EPOCHS, MOST_NETWORKS, Device, Seed, Workers
from zcproxy.cli.run_file import RunOptions
from zcproxy.cli.space_options import SpaceOption
from zcproxy.contracts.sampling import Sampling
from zcproxy.errors import BenchmarkError, ZcproxyError
from zcproxy.models.device import check_device
from zcproxy.names.spaces import parse_options
from zcproxy.names.tasks import built_task
from zcproxy.reading.data_directory import VARIABLE, configured_directory
from zcproxy.text.visible import visible
from zcproxy.training.recipe import Recipe
from zcproxy.workers.interrupt import GOES_ON, advise

app = typer.Typer(no_args_is_help=True)
app.command("from-table")(from_table)

DEFAULT_RECIPE = Recipe()

Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Benchmarks; all if not given.")]


@app.command("list")
def list_command(names: Names = None, as_json: Json = False) -> None:
    """Show the known benchmarks, which of their tasks are here, and how to get the rest."""
    if as_json:
        print_json([_content(name) for name in names or released()])
        return
    for name in names or released():
        benchmark = released_benchmark(name)
        release = cast(Release, benchmark.release)
        here = present_datasets(benchmark)
        tasks = [dataset if dataset in here else f"({dataset})" for dataset in benchmark.datasets]
        lines = {
            "tasks": f"{name}/... {', '.join(tasks)}",
            "here": f"{len(here)} of {len(tasks)} tasks; in brackets those that are not",
            "labels": release.labels,
            "get": release.files,
            "then": f"zcproxy benchmark import {name} PATH",
            "size": release.size,
            "licence": release.licence,
        }
        print(f"{name}: {release.title}")
        for heading, text in lines.items():
            print(
                textwrap.fill(
                    text, 80, initial_indent=f"  {heading:<8}", subsequent_indent=" " * 10, break_on_hyphens=False
                )
            )
    directory = configured_directory()
    unreadable = os.path.isdir(directory) and not os.access(directory, os.R_OK | os.X_OK)
    remark = ", which may not be read" if unreadable else ""
    print(f"data directory: {visible(str(directory))}{remark} (set {VARIABLE} to change it)")


def _content(name: str) -> dict[str, Any]:
    """Return what is shown of a benchmark as JSON can hold it."""
    benchmark = released_benchmark(name)
    release = cast(Release, benchmark.release)
    here = present_datasets(benchmark)
    return {
        "name": name,
        "title": release.title,
        "tasks": [{"task": benchmark.task_name(each), "is_here": each in here} for each in benchmark.datasets],
        **{key: getattr(release, key) for key in ("labels", "files", "size", "licence")},
    }


@app.command("import")
def import_command(
    name: Annotated[str, typer.Argument(help="Name of the benchmark: see `zcproxy benchmark list`.")],
    path: Annotated[Path, typer.Argument(help="Official file, a folder of them, or a zip archive.")],
    trust: Annotated[
        bool, typer.Option("--trust", help="Accept files whose content is not the known one; code in them never runs.")
    ] = False,
) -> None:
    """Convert official files to tables in the data directory."""
    failed: list[Imported] = []
    imported = 0
    with RunDisplay() as display:
        for table in import_benchmark(
            released_benchmark(name),
            path,
            trust=trust,
            progress=partial(display.step, f"reading {path.name}"),
        ):
            for line in table.left_out:
                console.print(f"{name}, {table.table}: left out {line}", soft_wrap=True)
            if table.error is not None:
                failed.append(table)
                continue
            imported += 1
            origin = "official" if table.known else "trusted, not known"
            files = ", ".join(table.files)
            console.print(f"{name}, {table.table}: {table.rows:,} networks from {files} ({origin})", soft_wrap=True)
    if failed:
        rest = f" (and {len(failed) - 1} more tables)" if len(failed) > 1 else ""
        others = "; the other tables are imported" if imported else ""
        raise BenchmarkError(f"{name}, {failed[0].table}: {failed[0].error}{rest}{others}")


@app.command()
def verify(names: Names = None) -> None:
    """Check the benchmarks that are here: digests, labels, and the parameters of some networks."""
    problems = []
    for name in names or released():
        benchmark = released_benchmark(name)
        here = present_datasets(benchmark)
        if not here:
            console.print(f"{name}: not here, see `zcproxy benchmark list {name}`")
        for dataset in here:
            try:
                console.print(f"{name}/{dataset}: {check_labels(benchmark, dataset)}", soft_wrap=True)
            except ZcproxyError as error:
                problems.append(str(error))
                console.print(f"{name}/{dataset}: WRONG: {error}", soft_wrap=True)
    if problems:
        raise BenchmarkError(f"{len(problems)} of the tasks that are here failed; the first: {problems[0]}")


@app.command()
def build(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="Folder to write; one that holds a part of the same build is continued.")],
    space: Annotated[str, typer.Option(help="A name such as nasbench201 or nds_darts, or package.module:name.")],
    dataset: Annotated[str, typer.Option(help="digits, cifar10:FOLDER, cifar100:FOLDER, hf:NAME, or module:function.")],
    networks: Annotated[int, typer.Option(min=2, max=MOST_NETWORKS, help="Architectures to train.")] = 200,
    seeds: Annotated[
        int, typer.Option(min=1, max=1000, help="Trainings of each; the label is their mean accuracy.")
    ] = 3,
    space_option: SpaceOption = None,
    sampling: Annotated[str, typer.Option(help="uniform, or stratified by MACs.")] = Sampling.UNIFORM,
    epochs: Annotated[
        int, typer.Option(min=1, max=MOST_EPOCHS, help="Passes over the training images.")
    ] = DEFAULT_RECIPE.epochs,
    batch_size: Annotated[
        int, typer.Option(min=2, max=LARGEST_BATCH, help="Images of a training step.")
    ] = DEFAULT_RECIPE.batch_size,
    learning_rate: Annotated[
        float, typer.Option(help="Learning rate of the first step.")
    ] = DEFAULT_RECIPE.learning_rate,
    weight_decay: Annotated[float, typer.Option(help="L2 penalty on all parameters.")] = DEFAULT_RECIPE.weight_decay,
    augmentation: Annotated[
        str | None, typer.Option(help="none, crop or crop-flip; the dataset's own if not given.")
    ] = None,
    seed: Seed = 0,
    device: Device = "cpu",
    workers: Workers = 2,
    cluster: Cluster = "",
) -> None:
    """Train a sample of architectures and write a benchmark that every command takes like a published one."""
    check_device(device)
    options = parse_options(space_option or ())
    recipe = Recipe(
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        augmentation=augmentation or load_dataset(dataset).augmentation,
    )
    configuration = BuildConfiguration(
        space=space,
        dataset=dataset,
        networks=networks,
        seeds=seeds,
        sampling=sampling,
        seed=seed,
        space_options=options,
        recipe=recipe,
        device=device,
    )
    advise(GOES_ON)
    with RunDisplay() as display, cluster_executor(context) as executor:
        trained = build_benchmark(
            configuration, out, workers=workers, executor=executor, progress=partial(display.step, "training")
        )
    RunOptions.of(context).write(out)
    _say_built(trained, out)


def _say_built(trained: Sequence[Trained], out: Path) -> None:
    """Show what was trained, how well two labels agree, and what to do with it."""
    labels = sorted(item.label for item in trained)
    diverged = sum(training.diverged for item in trained for training in item.trainings)
    ceiling = built_task(out).noise_ceiling()
    agree = "" if ceiling is None else f"; two labels agree at about tau {ceiling:.2f}"
    console.print(
        f"{len(trained)} architectures, accuracy {labels[0]:.1f} to {labels[-1]:.1f} %, median "
        f"{labels[len(labels) // 2]:.1f} %; {diverged} trainings diverged{agree}",
        f"written: {out}",
        f"next: zcproxy evolve {out}",
        sep="\n",
        soft_wrap=True,
    )
