"""The command `zcproxy table`."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from zcproxy.cli.display import RunDisplay, console, task_table
from zcproxy.cli.images import Images
from zcproxy.cli.options import LARGEST_BATCH, MOST_NETWORKS, AllowCode, Device, Seed, SettingsOption, Workers
from zcproxy.cli.wording import in_options
from zcproxy.contracts.sampling import Sampling
from zcproxy.errors import ConfigurationError
from zcproxy.extras import check_extra
from zcproxy.images.own import import_images
from zcproxy.names.proxies import Settings
from zcproxy.names.scorers import ZOO, resolve_scorers
from zcproxy.names.tasks import DEFAULT_TASK, get_task
from zcproxy.ranking.coverage import coverage_note
from zcproxy.ranking.files import write_table
from zcproxy.ranking.layout import LEGEND, notes
from zcproxy.ranking.table import Plan, build_table
from zcproxy.storage.claims import claimed
from zcproxy.storage.files import check_target
from zcproxy.workers.interrupt import GOES_ON, advise
from zcproxy.workers.pool import worker_pool


def table(
    tasks: Annotated[list[str] | None, typer.Argument(help=f"Tasks; {DEFAULT_TASK} if not given.")] = None,
    proxies: Annotated[
        str,
        typer.Option(
            help="Proxies, separated by commas: files, published names, formulas, ranks(A, B), log_ranks(A, B), each "
            "possibly as NAME=...; `zoo` is all that is published."
        ),
    ] = ZOO,
    networks: Annotated[
        int | None,
        typer.Option(min=2, max=MOST_NETWORKS, help="Networks a task; 1,000, or all of fewer, if not given."),
    ] = None,
    population: Annotated[str, typer.Option(help="Architectures to draw from: all or pruned.")] = "all",
    sampling: Annotated[str, typer.Option(help="uniform, or stratified by FLOPs.")] = Sampling.UNIFORM,
    unseen_by: Annotated[
        list[Path] | None, typer.Option(help="Run directory whose networks, and their equivalents, are left out.")
    ] = None,
    initialisations: Annotated[int, typer.Option(min=1, max=1000, help="Random initialisations of every network.")] = 1,
    batch_size: Annotated[
        int | None,
        typer.Option(min=1, max=LARGEST_BATCH, help="Samples of a minibatch; what each proxy asks for if not given."),
    ] = None,
    settings: SettingsOption = Settings.COMMON,
    resamples: Annotated[int, typer.Option(min=1, max=1_000_000, help="Of the bootstrap behind the intervals.")] = 1000,
    seed: Seed = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder for table.csv, table.md, table.tex, scores and figures.")
    ] = None,
    workers: Workers = 2,
    device: Device = "cpu",
    images: Images = "",
    allow_code: AllowCode = None,
) -> None:
    """Show how well proxies rank the networks of tasks, with intervals, beside params, FLOPs and convolutions."""
    if out is not None:
        check_extra("figures", "table --out", "matplotlib")
        check_target(out / "table.csv")
    if settings == Settings.AUTHORS and batch_size is not None:
        raise ConfigurationError(
            f"--batch-size {batch_size} with --settings {Settings.AUTHORS}: each proxy then has the batch size of its "
            "authors; give one of the two"
        )
    scorers = resolve_scorers(proxies, settings)
    names = [get_task(name).name for name in tasks or [DEFAULT_TASK]]
    plan = Plan(
        networks=networks,
        population=population,
        sampling=sampling,
        seed=seed,
        initialisations=initialisations,
        batch_size=batch_size,
        resamples=resamples,
        device=device,
        unseen_by=tuple(unseen_by or ()),
        images=import_images(images),
    )
    found = []
    advise(GOES_ON)
    held = nullcontext() if out is None else claimed(out)
    with held, RunDisplay() as display, worker_pool(workers) as executor:
        for name in names:
            found.append(build_table(name, scorers, plan, executor=executor, observer=display))
            if out is not None:
                write_table(out, found, new=found[-1:])
    for each in found:
        console.print()
        console.print(task_table(each, console.width))
        if each.images is not None and each.images.advice:
            console.print(in_options(f"Images: {each.images.advice}.", {"images": "--images"}), soft_wrap=True)
        for note in notes(each):
            console.print(note)
        left_out = coverage_note(each.coverage)
        if left_out is not None:
            console.print(left_out, soft_wrap=True)
    console.print(LEGEND)
    if out is not None:
        console.print(f"written: {out / 'table.csv'}, table.md, table.tex, scores and figures")
