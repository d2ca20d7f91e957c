"""The command `zcproxy score`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from torch import Tensor

from zcproxy.cli import ranking_options as options
from zcproxy.cli.cluster import Cluster, cluster_executor
from zcproxy.cli.display import RunDisplay, console, correlation_table
from zcproxy.cli.figure_options import Figure, say_figures
from zcproxy.cli.images import Images, say_images
from zcproxy.cli.json_output import Json, correlation_records, print_json
from zcproxy.cli.options import AllowCode, Device, Initialisation, Plugin, Seed, SettingsOption, Teacher, Workers
from zcproxy.cli.terminal import results
from zcproxy.cli.wording import in_options
from zcproxy.contracts.sampling import Sampling
from zcproxy.contracts.task import Task
from zcproxy.errors import ConfigurationError, FormulaError, ProxyFileError, check_known
from zcproxy.figures import check_figures, save
from zcproxy.images.own import import_images, own_batch, own_image_set
from zcproxy.models.device import check_device
from zcproxy.names.proxies import Settings, resolve_proxy
from zcproxy.names.scorers import resolve_scorer
from zcproxy.names.tasks import get_task
from zcproxy.proxies import DEFAULT
from zcproxy.proxy.aggregate import Scorer
from zcproxy.proxy.proxy import Proxy
from zcproxy.ranking.coverage import coverage_note
from zcproxy.ranking.figures.headings import with_seed
from zcproxy.ranking.figures.scatter import one_scatter
from zcproxy.ranking.scoring import Scores, draw_networks, population_name, score_networks
from zcproxy.ranking.seen import seen_in_fitting, seen_line
from zcproxy.ranking.undefined import reasons
from zcproxy.storage.files import check_target, is_standard_output, replacing
from zcproxy.user_code.references import is_reference, load_model, parse_shape, random_inputs
from zcproxy.workers.interrupt import GOES_ON, advise
from zcproxy.workers.pool import worker_pool

Model = Annotated[
    list[str] | None,
    typer.Option(help="Score a network instead: package.module:factory; may be given again.", metavar="MODULE:NAME"),
]
InputShape = Annotated[str | None, typer.Option("--input", "--input-shape", help="Its input, for example 3x32x32.")]


def score(
    context: typer.Context,
    proxy: Annotated[
        str | None,
        typer.Argument(help=f"A file, a name (zc-general, synflow, ...), or a formula; {DEFAULT} if not given."),
    ] = None,
    task: Annotated[str | None, typer.Argument(help="Task, for example nasbench201/cifar10.")] = None,
    networks: options.Networks = None,
    sampling: options.SamplingOption = Sampling.UNIFORM,
    seed: Seed = 0,
    out: Annotated[Path | None, typer.Option(help="CSV file with arch, score, label, seconds.")] = None,
    population: options.Population = "all",
    unseen_by: options.UnseenBy = None,
    initialisation: Initialisation = 0,
    settings: SettingsOption = Settings.COMMON,
    workers: Workers = 2,
    cluster: Cluster = "",
    device: Device = "cpu",
    model: Model = None,
    input_shape: InputShape = None,
    images: Images = "",
    figure: Figure = None,
    as_json: Json = False,
    plugin: Plugin = None,
    teacher: Teacher = "",
    allow_code: AllowCode = None,
) -> None:
    """Score networks of a task and correlate with their accuracies, or score models of your own."""
    if not model and task is None and proxy and not _is_scorer(proxy):
        proxy, task = None, proxy
    proxy = DEFAULT if proxy is None else proxy
    check_known("settings", settings, Settings)
    if model:
        _check_weights_are_own(settings)
        chosen = resolve_proxy(proxy, settings)
        scored = {each: _score_model(chosen, each, input_shape, seed, initialisation, device, images) for each in model}
        return _show_scores(proxy, scored, as_json)
    if task is None:
        raise ConfigurationError("nothing to score: name a task (nasbench201/cifar10) or give --model and --input")
    if out is not None:
        check_target(out)
    check_figures(figure or [])
    known, scorer = get_task(task), resolve_scorer(proxy, settings)
    drawn = draw_networks(
        known, networks, population=population, sampling=sampling, seed=seed, unseen_by=unseen_by or ()
    )
    advise(GOES_ON)
    name = population_name(known, len(drawn), population, sampling=sampling, seed=seed, unseen=bool(unseen_by))
    with RunDisplay() as display, cluster_executor(context) as given, worker_pool(workers, given) as executor:
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
    _show(scorer, known, found, out, as_json)
    _draw(scorer, found, seed, figure or [])


def _show_scores(proxy: str, scores: Mapping[str, float], as_json: bool) -> None:
    """Print the score of one model, or a line with the name and the score of each, the highest first."""
    if as_json:
        found = [
            {"model": name, "proxy": proxy, "score": value if math.isfinite(value) else None}
            for name, value in scores.items()
        ]
        print_json(found if len(found) > 1 else {name: each for name, each in found[0].items() if name != "model"})
    elif len(scores) == 1:
        print(*map(repr, scores.values()))
    else:
        for name, value in sorted(scores.items(), key=lambda item: -math.inf if math.isnan(item[1]) else item[1])[::-1]:
            print(name, repr(value))


def _check_weights_are_own(settings: str) -> None:
    """Raise `ConfigurationError` for settings that draw the weights of models."""
    if settings == Settings.AUTHORS:
        raise ConfigurationError(f"--settings {settings} with --model: it draws weights, and a model has its own")


def _score_model(
    chosen: Proxy, model: str, input_shape: str | None, seed: int, initialisation: int, device: str, images: str
) -> float:
    """Return the score of one model."""
    if input_shape is None:
        raise ConfigurationError("--model needs --input, for example --input 3x32x32")
    check_device(device)
    inputs = _model_inputs(chosen, parse_shape(input_shape), images, seed).to(device)
    network = load_model(model, seed, initialisation).to(device)
    return chosen(network, inputs)


def _show(scorer: Scorer, task: Task, found: Scores, out: Path | None, as_json: bool) -> None:
    """Show how well the scores rank the networks, with remarks on them, and write them."""
    if out is not None:
        columns = {"score": found.scores[scorer.name], "label": found.labels, "seconds": found.seconds}
        with replacing(out) as temporary:
            pd.DataFrame({"arch": found.architectures, **columns}).to_csv(temporary, index=False)
    baselines = {name: found.correlation(values) for name, values in task.baselines(found.architectures).items()}
    rows = {**found.correlations(), **baselines}
    if as_json:
        print_json(correlation_records(rows.items()))
    shown = results(is_taken=as_json or (out is not None and is_standard_output(out)))
    shown.print(correlation_table(f"{task.name}, {found.population}", rows.items(), task.noise_ceiling()))
    left_out = coverage_note(found.coverage)
    if left_out is not None:
        console.print(left_out, soft_wrap=True)
    say_images(found.images)
    for reason in reasons([scorer], task, None, "" if found.images is None else found.images.token):
        console.print(in_options(reason, {"images": "--images", "batch_size": "--batch-size"}), soft_wrap=True)
    for remark in found.remarks:
        console.print(remark, soft_wrap=True)
    for name, seen in seen_in_fitting([scorer], task, found.architectures).items():
        console.print(seen_line(name, seen, len(found.architectures)), soft_wrap=True)


def _draw(scorer: Scorer, found: Scores, seed: int, figures: Sequence[Path]) -> None:
    """Write figures of the scores against the accuracies."""
    values = found.scores[scorer.name]
    if not figures:
        return
    measured = found.correlation(values)
    title = with_seed(f"{found.task}: {found.population}", seed)
    said = f"{scorer.name}: Kendall's tau-b {measured.tau:.3f} [{measured.tau_low:.2f}, {measured.tau_high:.2f}]"
    for path in figures:
        save(one_scatter(values, found.labels, title, said), path)
    say_figures(figures)


def _model_inputs(proxy: Proxy, shape: tuple[int, ...], images: str, seed: int) -> Tensor:
    """Return inputs for a model of your own, and say what they are where the proxy looks at them."""
    if not proxy.needs_images:
        return random_inputs(shape, proxy.batch_size, seed)
    if not images:
        console.print("the proxy looks at images; Gaussian noise and random classes stand in for them: see --images")
        return random_inputs(shape, proxy.batch_size, seed)
    token = import_images(images)
    say_images(own_image_set(token))
    return own_batch(token, shape, 1, proxy.batch_size).inputs


def _is_scorer(text: str) -> bool:
    """Whether a text names what ranks networks; a reference alone is that of a task."""
    if is_reference(text):
        return False
    try:
        resolve_scorer(text)
    except (FormulaError, ProxyFileError):
        return False
    return True
