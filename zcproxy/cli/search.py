"""The command `zcproxy search`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from zcproxy.cli.display import RunDisplay, console
from zcproxy.cli.images import Images, say_images
from zcproxy.cli.options import (
    LARGEST_BATCH,
    MOST_EPOCHS,
    MOST_NETWORKS,
    MOST_WORKERS,
    AllowCode,
    Device,
    Initialisation,
    Seed,
    Workers,
)
from zcproxy.cli.resume import check_resuming, typed
from zcproxy.errors import ConfigurationError
from zcproxy.images.image_sets import kept_image_sets
from zcproxy.images.own import import_images, restore_images
from zcproxy.names.proxies import (
    resolve_proxy,
)
from zcproxy.names.scorers import split_names
from zcproxy.proxies import DEFAULT
from zcproxy.proxy.proxy import Proxy
from zcproxy.search import SearchConfiguration, SearchResult, Setting, parse_limit, resume, search
from zcproxy.search.algorithms import ALGORITHMS
from zcproxy.search.directory import EVALUATIONS, FIGURE, FRONT, SearchDirectory
from zcproxy.search.goals import MAXIMIZED, PROXY, TRAINED_ACCURACY
from zcproxy.search.quantities.latency import LARGE_SPREAD
from zcproxy.search.quantities.networks import INITIALISATION, WEIGHTS
from zcproxy.training.recipe import Recipe
from zcproxy.user_code.references import parse_shape
from zcproxy.workers.interrupt import GOES_ON, advise

RESUMABLE = ("resume_from", "evaluations", "workers", "images", "allow_code")
"""Parameters that may be given with --resume."""
SHOWN = 15
"""Most rows of the front that the terminal gets."""


def search_command(
    context: typer.Context,
    subject: Annotated[
        str | None,
        typer.Argument(
            metavar="SPACE-OR-BENCHMARK",
            help="A task (nasbench201/cifar10), a super-network (elastic_digits), a space (ofa_resnet50, with "
            "--input), or package.module:name of your own.",
        ),
    ] = None,
    proxy: Annotated[
        str | None,
        typer.Option(
            help=f"A file, a name or a formula; {DEFAULT} if neither it nor --maximize is given. It is what is made "
            "large, unless --maximize names something else: then it guides."
        ),
    ] = None,
    maximize: Annotated[list[str] | None, typer.Option(help=f"Quantity to make large: {', '.join(MAXIMIZED)}.")] = None,
    minimize: Annotated[
        list[str] | None,
        typer.Option(help="Quantity to make small: params, macs, peak_memory_mb, latency_ms, latency_ms:DEVICE, ..."),
    ] = None,
    limit: Annotated[list[str] | None, typer.Option(help="Bound, for example macs=300M or latency_ms=20.")] = None,
    algorithm: Annotated[str, typer.Option(help=f"One of {', '.join(ALGORITHMS)}.")] = "nsga2",
    evaluations: Annotated[int, typer.Option(min=4, max=MOST_NETWORKS, help="Architectures to evaluate.")] = 1000,
    population: Annotated[int, typer.Option(min=4, max=MOST_NETWORKS, help="Architectures of a generation.")] = 50,
    seed: Seed = 0,
    out: Annotated[Path | None, typer.Option(help="Directory to write; runs/search-SUBJECT-SEED if not given.")] = None,
    resume_from: Annotated[Path | None, typer.Option("--resume", help="Directory of a search to continue.")] = None,
    warm_start: Annotated[
        int,
        typer.Option(min=0, max=MOST_NETWORKS, help="Architectures of a search by the proxy, the best of which begin."),
    ] = 0,
    inner_evaluations: Annotated[
        int, typer.Option(min=1, max=MOST_NETWORKS, help="Architectures that linas predicts between two generations.")
    ] = 2000,
    start_from: Annotated[list[str] | None, typer.Option(help="Architecture to begin with.")] = None,
    table: Annotated[
        Path | None, typer.Option(help="CSV or Parquet file with `arch` and columns of numbers, each a quantity.")
    ] = None,
    weights: Annotated[str, typer.Option(help=f"What the proxy looks at: {' or '.join(WEIGHTS)}.")] = INITIALISATION,
    input_shape: Annotated[
        str | None, typer.Option("--input", help="Input of a space without a dataset, for example 3x32x32.")
    ] = None,
    classes: Annotated[int, typer.Option(min=2, max=100_000, help="Logits, for such a space.")] = 10,
    dataset: Annotated[str, typer.Option(help=f"What {TRAINED_ACCURACY} is measured on: digits, hf:NAME, ...")] = "",
    epochs: Annotated[
        int, typer.Option(min=1, max=MOST_EPOCHS, help=f"Epochs of a training for {TRAINED_ACCURACY}.")
    ] = 3,
    reuse: Annotated[
        list[Path] | None,
        typer.Option(help="Directory of a search in the same setting: what it measured is not measured again."),
    ] = None,
    shared_weights: Annotated[
        Path | None, typer.Option(help="File of trained weights of the super-network, in place of its own.")
    ] = None,
    latency_batch_size: Annotated[int, typer.Option(min=1, max=LARGEST_BATCH, help="Samples of a timed pass.")] = 1,
    latency_threads: Annotated[int, typer.Option(min=1, max=MOST_WORKERS, help="Threads of a timed pass.")] = 1,
    initialisation: Initialisation = 0,
    workers: Workers = 2,
    device: Device = "cpu",
    images: Images = "",
    allow_code: AllowCode = None,
) -> None:
    """Search architectures by a proxy, by what they cost, and by measured accuracies."""
    if resume_from is not None:
        check_resuming(context, RESUMABLE, "--evaluations")
    with RunDisplay() as display:
        if resume_from is not None:
            restore_images(images, SearchDirectory(resume_from).configuration().setting.images)
            advise(GOES_ON)
            more = evaluations if "evaluations" in typed(context) else None
            out, result = resume_from, resume(resume_from, evaluations=more, workers=workers, step=display.step)
        elif subject is None:
            raise ConfigurationError("nothing to search: name a task (nasbench201/cifar10), a space or a super-network")
        else:
            chosen = _proxy(proxy, bool(maximize))
            setting = Setting(
                subject,
                input_shape=None if input_shape is None else parse_shape(input_shape),
                classes=classes,
                shared_weights="" if shared_weights is None else str(shared_weights),
                formula="" if chosen is None else str(chosen.formula),
                proxy_batch_size=8 if chosen is None else chosen.batch_size,
                weights=weights,
                initialisation=initialisation,
                device=device,
                latency_batch_size=latency_batch_size,
                latency_threads=latency_threads,
                dataset=dataset,
                recipe=Recipe(epochs=epochs),
                images=import_images(images),
            )
            configuration = SearchConfiguration(
                setting,
                maximized=_names(maximize) or (PROXY,),
                minimized=_names(minimize),
                limits=tuple(map(parse_limit, limit or ())),
                algorithm=algorithm,
                evaluations=evaluations,
                population=min(population, evaluations),
                seed=seed,
                warm_start=warm_start,
                inner_evaluations=inner_evaluations,
                start_from=tuple(start_from or ()),
                table="" if table is None else str(table),
            )
            advise(GOES_ON)
            out = out or Path("runs") / f"search-{subject.replace('/', '-').replace(':', '-')}-{seed}"
            result = search(configuration, out, workers=workers, reuse=tuple(reuse or ()), step=display.step)
    _show(result, out)


def _proxy(text: str | None, maximizes: bool) -> Proxy | None:
    if text is None:
        return None if maximizes else resolve_proxy(DEFAULT)
    return resolve_proxy(text)


def _names(given: list[str] | None) -> tuple[str, ...]:
    return tuple(name for text in given or () for name in split_names(text))


def _show(result: SearchResult, out: Path) -> None:
    front = result.front
    table = Table(title=f"Pareto front, {len(front)} of {len(result.table):,} architectures", title_justify="left")
    for name in front.columns[:-1]:
        table.add_column(name, justify="left" if name == "arch" else "right", overflow="fold")
    for row in front.head(SHOWN).itertuples(index=False):
        table.add_row(row[0], *(f"{value:.5g}" for value in row[1:-1]))
    console.print(table)
    if len(front) > SHOWN:
        console.print(f"and {len(front) - SHOWN} more in {out / FRONT}")
    if result.undefined:
        console.print(f"{result.undefined} architectures with an undefined quantity rank worst")
    for shown in kept_image_sets(out).values():
        say_images(shown)
    if result.unsteady:
        console.print(
            f"the latency of {result.unsteady} of {len(result.table)} architectures varied by more than "
            f"{LARGE_SPREAD:.0%} between runs: close other programs, and search again into another --out",
            soft_wrap=True,
        )
    outside = max(0.0, result.total_seconds - result.measuring_seconds)
    console.print(
        f"{result.total_seconds:.0f} s, {outside:.1f} s of it outside of measuring; written: {out / EVALUATIONS}, "
        f"{out / FRONT}, {out / FIGURE}",
    )
