"""The command `zcproxy search`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import typer
from rich.table import Table

from zcproxy.cli import search_options as options
from zcproxy.cli.cluster import Cluster, cluster_executor
from zcproxy.cli.display import RunDisplay, console
from zcproxy.cli.figure_options import Figure, say_figures
from zcproxy.cli.images import Images, say_images
from zcproxy.cli.json_output import Json, print_json, records
from zcproxy.cli.options import AllowCode, Device, Initialisation, Plugin, Seed, Teacher, Workers, folder_name
from zcproxy.cli.resume import check_resuming
from zcproxy.cli.run_file import RunOptions
from zcproxy.cli.search_options import DEFAULTS
from zcproxy.cli.space_options import SpaceOption
from zcproxy.cli.terminal import PlainConsole, results
from zcproxy.errors import ConfigurationError
from zcproxy.figures import check_figures, save
from zcproxy.images.image_sets import kept_image_sets
from zcproxy.images.own import import_images, restore_images
from zcproxy.names.proxies import resolve_proxy
from zcproxy.names.scorers import split_names
from zcproxy.proxies import DEFAULT
from zcproxy.proxy.proxy import Proxy
from zcproxy.search import (
    Quantisation,
    SearchConfiguration,
    SearchResult,
    Setting,
    combined,
    parse_limit,
    resume,
    search,
)
from zcproxy.search.algorithms.catalogue import ROBOT
from zcproxy.search.algorithms.robot import QUERIES
from zcproxy.search.directory import EVALUATIONS, FIGURE, FRONT, SearchDirectory
from zcproxy.search.figure import front_figure
from zcproxy.search.goals import ACCURACY, PROXY
from zcproxy.search.quantising.quantisation import parse_widths
from zcproxy.search.quantities.latency import LARGE_SPREAD
from zcproxy.search.results import title_of
from zcproxy.training.recipe import Recipe
from zcproxy.user_code.references import parse_shape
from zcproxy.workers.interrupt import GOES_ON, advise

RESUMABLE = (
    "resume_from",
    "evaluations",
    "workers",
    "cluster",
    "images",
    "figure",
    "as_json",
    "plugin",
    "teacher",
    "allow_code",
)
"""Parameters that may be given with --resume."""
SHOWN = 15
"""Most rows of the front that the terminal shows."""


def search_command(
    context: typer.Context,
    subject: options.Subject = None,
    proxy: options.Proxy = None,
    proxies: options.Proxies = "",
    maximize: options.Maximize = None,
    minimize: options.Minimize = None,
    limit: options.LimitOption = None,
    algorithm: options.Algorithm = DEFAULTS.algorithm,
    evaluations: options.Evaluations = None,
    population: options.Population = DEFAULTS.population,
    seed: Seed = DEFAULTS.seed,
    out: options.Out = None,
    resume_from: options.Resume = None,
    warm_start: options.WarmStart = DEFAULTS.warm_start,
    inner_evaluations: options.InnerEvaluations = DEFAULTS.inner_evaluations,
    niches: options.Niches = DEFAULTS.niches,
    candidates: options.Candidates = DEFAULTS.candidates,
    start_from: options.StartFrom = None,
    table: options.Table = None,
    weights: options.Weights = DEFAULTS.setting.weights,
    input_shape: options.InputShape = None,
    classes: options.Classes = DEFAULTS.setting.classes,
    space_option: SpaceOption = None,
    dataset: options.Dataset = DEFAULTS.setting.dataset,
    epochs: options.Epochs = 3,
    reuse: options.Reuse = None,
    shared_weights: options.SharedWeights = None,
    quantize: options.Quantize = "",
    quantize_per: options.QuantizePer = DEFAULTS.setting.quantisation.quantize_per,
    activation_bits: options.ActivationBits = DEFAULTS.setting.quantisation.activation_bits,
    symmetric_weights: options.SymmetricWeights = DEFAULTS.setting.quantisation.symmetric_weights,
    calibration_samples: options.CalibrationSamples = DEFAULTS.setting.quantisation.calibration_samples,
    latency_batch_size: options.LatencyBatchSize = DEFAULTS.setting.latency_batch_size,
    latency_threads: options.LatencyThreads = DEFAULTS.setting.latency_threads,
    initialisation: Initialisation = DEFAULTS.setting.initialisation,
    workers: Workers = 2,
    cluster: Cluster = "",
    device: Device = DEFAULTS.setting.device,
    images: Images = "",
    figure: Figure = None,
    as_json: Json = False,
    plugin: Plugin = None,
    teacher: Teacher = "",
    allow_code: AllowCode = None,
) -> None:
    """Search architectures by a proxy, by what they cost, and by measured accuracies."""
    if resume_from is not None:
        check_resuming(context, RESUMABLE, "--evaluations")
    check_figures(figure or [])
    with RunDisplay() as display, cluster_executor(context) as executor:
        out, going_on = _begun(context.params)
        advise(GOES_ON)
        written = RunOptions.of(context).of_run(resume_from, evaluations=evaluations)
        text = "" if written is None else written.text()
        result = going_on(workers=workers, executor=executor, step=display.step, options=text)
    if as_json:
        print_json(records(result.front))
    _show(result, out, results(is_taken=as_json), figure or [])


def _begun(given: dict[str, Any]) -> tuple[Path, Callable[..., SearchResult]]:
    """Return the directory, and what searches into it: a search that begins, or one that goes on."""
    resumed, subject = given["resume_from"], given["subject"]
    if resumed is not None:
        restore_images(given["images"], SearchDirectory(resumed).configuration().setting.images)
        return resumed, partial(resume, resumed, evaluations=given["evaluations"])
    if subject is None:
        raise ConfigurationError("nothing to search: name a task (nasbench201/cifar10), a space or a super-network")
    _fill_in(given)
    configuration = _configuration(subject, given)
    out = given["out"] or Path("runs") / f"search-{folder_name(subject)}-{given['seed']}"
    return out, partial(search, configuration, out, reuse=tuple(given["reuse"] or ()))


def _fill_in(given: dict[str, Any]) -> None:
    """Put the number of evaluations where none is given: it depends on the algorithm."""
    if given["evaluations"] is None:
        given["evaluations"] = QUERIES if given["algorithm"] == ROBOT else DEFAULTS.evaluations


def _draw(result: SearchResult, out: Path, figures: Sequence[Path]) -> None:
    """Write figures of the front."""
    if not figures:
        return
    title = title_of(result, SearchDirectory(out).configuration())
    for path in figures:
        save(front_figure(result.table, result.front, result.goals.objectives, title), path)
    say_figures(figures)


def _configuration(subject: str, given: Mapping[str, Any]) -> SearchConfiguration:
    """Return the configuration from the parameters of the command: those named like its fields, and goals."""
    combines = given["algorithm"] == ROBOT
    proxy = _proxy(given["proxy"], bool(given["maximize"]) or combines)
    made = {item.name: given[item.name] for item in fields(Setting) if item.name in given}
    made |= {
        "input_shape": None if given["input_shape"] is None else parse_shape(given["input_shape"]),
        "shared_weights": str(given["shared_weights"] or ""),
        "space_option": tuple(given["space_option"] or ()),
        "recipe": Recipe(epochs=given["epochs"]),
        "images": import_images(given["images"]),
        "proxies": combined(given["proxies"]),
        "quantisation": _quantisation(given),
    }
    if proxy is not None:
        made |= {"formula": str(proxy.formula), "proxy_batch_size": proxy.batch_size}
    setting = Setting(subject, **made)
    chosen = {item.name: given[item.name] for item in fields(SearchConfiguration) if item.name in given}
    chosen |= {
        "maximized": _names(given["maximize"]) or (ACCURACY if combines else PROXY,),
        "minimized": _names(given["minimize"]),
        "limits": tuple(map(parse_limit, given["limit"] or ())),
        "population": min(given["population"], given["evaluations"]),
        "start_from": tuple(given["start_from"] or ()),
        "table": str(given["table"] or ""),
    }
    return SearchConfiguration(setting, **chosen)


def _quantisation(given: Mapping[str, Any]) -> Quantisation:
    chosen = {item.name: given[item.name] for item in fields(Quantisation)}
    return Quantisation(**{**chosen, "quantize": parse_widths(given["quantize"])})


def _proxy(text: str | None, maximizes: bool) -> Proxy | None:
    if text is None:
        return None if maximizes else resolve_proxy(DEFAULT)
    return resolve_proxy(text)


def _names(given: list[str] | None) -> tuple[str, ...]:
    return tuple(name for text in given or () for name in split_names(text))


def _show(result: SearchResult, out: Path, shown: PlainConsole, figures: Sequence[Path]) -> None:
    """Print the front and where it is written, and draw it."""
    front = result.front
    table = Table(title=f"Pareto front, {len(front)} of {len(result.table):,} architectures", title_justify="left")
    for name in front.columns[:-1]:
        table.add_column(name, justify="left" if name == "arch" else "right", overflow="fold")
    for row in front.head(SHOWN).itertuples(index=False):
        table.add_row(row[0], *(f"{value:.5g}" for value in row[1:-1]))
    shown.print(table)
    if len(front) > SHOWN:
        console.print(f"and {len(front) - SHOWN} more in {out / FRONT}")
    if result.undefined:
        console.print(f"{result.undefined} architectures with an undefined quantity rank worst")
    for images in kept_image_sets(out).values():
        say_images(images)
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
    _draw(result, out, figures)
