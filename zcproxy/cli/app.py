"""The command line. Every command is a few lines around a function that Python users call too."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.table import Table
from torch import Tensor

from zcproxy.cli import (
    benchmark as cli_benchmark,
    evolve as cli_evolve,
    network as cli_network,
    search as cli_search,
    table as cli_table,
)
from zcproxy.cli.display import RunDisplay, console, correlation_table
from zcproxy.cli.images import Images, say_images
from zcproxy.cli.options import MOST_NETWORKS, AllowCode, Device, Initialisation, Seed, Workers
from zcproxy.cli.usage import OneLineGroup
from zcproxy.cli.wording import in_options, options_of
from zcproxy.columns.store import clear, summaries
from zcproxy.contracts.sampling import Sampling
from zcproxy.errors import ConfigurationError, FormulaError, ProxyFileError, ZcproxyError, check_known
from zcproxy.export.latex import latex
from zcproxy.export.proxy_source import export_python
from zcproxy.images.own import import_images, own_batch, own_image_set
from zcproxy.models.device import check_device
from zcproxy.names.proxies import (
    resolve_proxy,
)
from zcproxy.names.scorers import resolve_scorer
from zcproxy.names.tasks import get_task
from zcproxy.proxies import DEFAULT
from zcproxy.proxy.proxy import Proxy
from zcproxy.ranking.coverage import coverage_note
from zcproxy.ranking.scoring import draw_networks, population_name, score_networks, seen_in_fitting, seen_line
from zcproxy.storage.cache_directory import default_cache
from zcproxy.storage.files import check_target, replacing, write_text
from zcproxy.text.visible import shortened
from zcproxy.user_code.border import own_failures
from zcproxy.user_code.permission import one_command
from zcproxy.user_code.references import load_model, parse_shape, random_inputs
from zcproxy.workers.interrupt import GOES_ON, advise, answering
from zcproxy.workers.pool import worker_pool

app = typer.Typer(
    cls=OneLineGroup,
    help="Evolve zero-cost proxies: formulas that rank untrained networks by the accuracy they would reach.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
proxy_app = typer.Typer(help="Look at a proxy or turn it into code.", no_args_is_help=True)
columns_app = typer.Typer(help="The store of measured columns.", no_args_is_help=True)
app.add_typer(proxy_app, name="proxy")
app.add_typer(columns_app, name="columns")
app.add_typer(cli_benchmark.app, name="benchmark")
app.add_typer(cli_network.app, name="network")
app.command("evolve")(cli_evolve.evolve_command)
app.command("table")(cli_table.table)
app.command("search")(cli_search.search_command)

_EXPORTS: dict[str, Callable[[Proxy], str]] = {
    "python": export_python,
    "latex": lambda proxy: latex(proxy.formula) + "\n",
}

LONGEST_SHOWN = 2000
"""Most characters of a name or a description that the terminal gets."""

ProxyArgument = Annotated[
    str, typer.Argument(metavar="PROXY", help="A file, a name (zc-general, synflow, ...), or a formula.")
]
Population = Annotated[str, typer.Option(help="Architectures to draw from: all or pruned.")]


@app.command()
def score(
    proxy: Annotated[
        str | None,
        typer.Argument(help=f"A file, a name (zc-general, synflow, ...), or a formula; {DEFAULT} if not given."),
    ] = None,
    task: Annotated[str | None, typer.Argument(help="Task, for example nasbench201/cifar10.")] = None,
    networks: Annotated[
        int | None, typer.Option(min=2, max=MOST_NETWORKS, help="Networks to draw; 1,000 or all if not given.")
    ] = None,
    sampling: Annotated[str, typer.Option(help="uniform, or stratified by FLOPs.")] = Sampling.UNIFORM,
    seed: Seed = 0,
    out: Annotated[Path | None, typer.Option(help="CSV file with arch, score, label, seconds.")] = None,
    population: Population = "all",
    unseen_by: Annotated[
        list[Path] | None, typer.Option(help="Run directory whose networks, and their equivalents, are left out.")
    ] = None,
    initialisation: Initialisation = 0,
    workers: Workers = 2,
    device: Device = "cpu",
    model: Annotated[str | None, typer.Option(help="Score one network instead: package.module:factory.")] = None,
    input_shape: Annotated[str | None, typer.Option("--input", help="Its input, for example 3x32x32.")] = None,
    images: Images = "",
    allow_code: AllowCode = None,
) -> None:
    """Score networks of a task and correlate with their accuracies, or score one model of your own."""
    if model is None and task is None and proxy and not _is_scorer(proxy):
        proxy, task = None, proxy
    proxy = DEFAULT if proxy is None else proxy
    if model is not None:
        chosen = resolve_proxy(proxy)
        if input_shape is None:
            raise ConfigurationError("--model needs --input, for example --input 3x32x32")
        check_device(device)
        inputs = _model_inputs(chosen, parse_shape(input_shape), images, seed).to(device)
        network = load_model(model, seed, initialisation).to(device)
        print(repr(chosen(network, inputs)))
        return
    if task is None:
        raise ConfigurationError("nothing to score: name a task (nasbench201/cifar10) or give --model and --input")
    if out is not None:
        check_target(out)
    known = get_task(task)
    scorer = resolve_scorer(proxy)
    drawn = draw_networks(
        known, networks, population=population, sampling=sampling, seed=seed, unseen_by=unseen_by or ()
    )
    advise(GOES_ON)
    name = population_name(known, len(drawn), population, sampling=sampling, seed=seed, unseen=bool(unseen_by))
    with RunDisplay() as display, worker_pool(workers) as executor:
        found = score_networks(
            [scorer],
            task,
            drawn,
            population=name,
            device=device,
            initialisation=initialisation,
            images=import_images(images),
            executor=executor,
            progress=partial(display.step, f"measuring {task}"),
        )
    if out is not None:
        columns = {"score": found.scores[scorer.name], "label": found.labels, "seconds": found.seconds}
        with replacing(out) as temporary:
            pd.DataFrame({"arch": drawn, **columns}).to_csv(temporary, index=False)
    baselines = {name: found.correlation(values) for name, values in known.baselines(drawn).items()}
    rows = {**found.correlations(), **baselines}
    console.print(correlation_table(f"{task}, {name}", rows.items(), known.noise_ceiling()))
    left_out = coverage_note(known, drawn)
    if left_out is not None:
        console.print(left_out)
    say_images(found.images)
    for proxy_name, seen in seen_in_fitting([scorer], known, drawn).items():
        console.print(seen_line(proxy_name, seen, len(drawn)), soft_wrap=True)


def _model_inputs(proxy: Proxy, shape: tuple[int, ...], images: str, seed: int) -> Tensor:
    """Return inputs for a model of one's own, and say what they are where the proxy looks at them."""
    if not proxy.needs_images:
        return random_inputs(shape, proxy.batch_size, seed)
    if not images:
        console.print("the proxy looks at images; Gaussian noise and random classes stand in for them: see --images")
        return random_inputs(shape, proxy.batch_size, seed)
    token = import_images(images)
    say_images(own_image_set(token))
    return own_batch(token, shape, 1, proxy.batch_size).inputs


def _is_scorer(text: str) -> bool:
    try:
        resolve_scorer(text)
    except (FormulaError, ProxyFileError):
        return False
    return True


@proxy_app.command()
def show(proxy: ProxyArgument) -> None:
    """Show a proxy: formula, probes, what was measured of it."""
    chosen = resolve_proxy(proxy)
    print(chosen.formula)
    table = Table(show_header=False, box=None)
    table.add_row("name", shortened(chosen.name, LONGEST_SHOWN))
    table.add_row("nodes", str(chosen.formula.size))
    if chosen.description:
        table.add_row("measures", shortened(" ".join(chosen.description.split()), LONGEST_SHOWN))
    table.add_row("probes", ", ".join(chosen.probes) or "none: sizes and paths alone")
    for item in chosen.correlations:
        tau, low, high = (item.get(name) for name in ("tau", "tau_low", "tau_high"))
        measured = "undefined" if tau is None else f"tau {tau:.3f}"
        interval = f" [{low:.3f}, {high:.3f}]" if low is not None and high is not None else ""
        table.add_row(str(item.get("task")), f"{measured}{interval} on {item.get('population')}")
    console.print(table)


@proxy_app.command()
def export(
    proxy: ProxyArgument,
    out: Annotated[Path | None, typer.Option(help="File to write; standard output otherwise.")] = None,
    form: Annotated[str, typer.Option("--format", help="python, or latex for the formula alone.")] = "python",
) -> None:
    """Write a proxy as one Python file that needs torch alone, or its formula as LaTeX."""
    check_known("format", form, _EXPORTS)
    source = _EXPORTS[form](resolve_proxy(proxy))
    if out is None:
        sys.stdout.write(source)
    else:
        write_text(out, source)
        console.print(f"written: {out}")


@columns_app.command()
def info() -> None:
    """Show what has been measured and how much room it takes."""
    root = default_cache()
    table = Table(title=f"columns in {root}", title_justify="left")
    for name in ("task", "batch", "initialisation", "device", "networks", "columns", "MB"):
        table.add_column(name)
    for item in summaries(root):
        settings = item.settings
        if settings is None:
            table.add_row("of another version, or damaged", *[""] * 5, f"{item.bytes / 1e6:.1f}")
            continue
        shared = [settings[name] for name in ("task", "batch_size", "initialisation", "device")]
        table.add_row(*map(str, [*shared, item.networks, item.columns]), f"{item.bytes / 1e6:.1f}")
    console.print(table)


@columns_app.command("clear")
def clear_command() -> None:
    """Delete all measured columns; they are measured again when asked for."""
    freed = clear(default_cache())
    console.print(f"freed {freed / 1e6:.1f} MB")


def main() -> None:
    """Run the command line: errors a user can meet are one line and an exit code, not a traceback."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without all of Unicode loses no result
    try:
        with answering(), one_command(), own_failures():
            app()
    except ZcproxyError as error:
        text = in_options(str(error), options_of(typer.main.get_command(app)))
        console.print(f"zcproxy: {text}", style="red", soft_wrap=True)
        raise SystemExit(error.exit_code) from None
