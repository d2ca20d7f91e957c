"""Scores many networks of a task with proxies that share one sweep, and says how well the scores rank them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zcproxy.columns.context import Context
from zcproxy.columns.sweep import sweep, sweep_fitting
from zcproxy.columns.table import ColumnTable
from zcproxy.contracts.sampling import POOL, Sampling, check_sampling, stratified
from zcproxy.contracts.task import Task
from zcproxy.errors import BenchmarkError, ConfigurationError
from zcproxy.evolve.directory import CONFIGURATION, RunDirectory
from zcproxy.evolve.start import fitted_networks
from zcproxy.formula import Node
from zcproxy.formula.evaluate import Evaluator
from zcproxy.images.image_sets import ImageSet
from zcproxy.images.minibatch import images_of
from zcproxy.models.device import check_device
from zcproxy.names.scorers import as_scorers
from zcproxy.names.tasks import get_task
from zcproxy.names.teachers import teacher_on
from zcproxy.probing.beside import reads_teacher
from zcproxy.probing.coverage import Coverage
from zcproxy.proxy.aggregate import Aggregate, Scorer, members_of
from zcproxy.proxy.function import FunctionProxy
from zcproxy.proxy.proxy import Proxy
from zcproxy.proxy.score_file import ScoreFile
from zcproxy.random import generator
from zcproxy.ranking.own_scores import OwnScores, scores_of_file, scores_of_function
from zcproxy.ranking.scores import Scores as Scores
from zcproxy.user_code.permission import stored_in
from zcproxy.workers.progress import Progress

MOST_SCORED = 1000
"""Networks that are drawn if no number is given, or all if they are fewer."""


def draw_networks(
    task: Task,
    networks: int | None,
    *,
    population: str = "all",
    sampling: str = Sampling.UNIFORM,
    seed: int = 0,
    unseen_by: Sequence[Path] = (),
) -> tuple[str, ...]:
    """Return networks of a population: the same ones for every proxy.

    Args:
        task: where they come from.
        networks: how many to draw; None for 1,000, or all if there are fewer.
        population: `all` or `pruned`.
        sampling: `uniform`, or `stratified` by FLOPs: see `zcproxy.contracts.sampling`.
        seed: seed of the draw.
        unseen_by: run directories; networks that a run was fitted to or chosen by, and their equivalents, are left out.

    Raises:
        BenchmarkError: fewer networks are left than asked for.
        ConfigurationError: there is no such sampling, or a run names code that only its files name.
    """
    check_sampling(sampling)
    known = task.architectures(population)
    seen: set[str] = set()
    for path in unseen_by:
        configuration = RunDirectory(path).configuration()
        with stored_in(path / CONFIGURATION):
            for name in configuration.tested:
                get_task(name)  # a run that names code is refused whole
            seen |= fitted_networks(configuration, task.space.name)
    left = [
        architecture for architecture in known if not seen or task.space.equivalence_class(architecture) not in seen
    ]
    networks = min(MOST_SCORED, len(left)) if networks is None else networks
    if networks > len(left):
        raise BenchmarkError(
            f"{task.name}: {networks} networks asked for, the population '{population}' has {len(left)}"
            + (" that the runs have not seen" if unseen_by else "")
        )
    shuffled = list(left)
    generator("score", task.space.name, population, seed).shuffle(shuffled)
    if sampling == Sampling.UNIFORM:
        return tuple(shuffled[:networks])
    pool = shuffled[: POOL * networks]
    return tuple(stratified(pool, task.baselines(pool)["flops"].tolist(), networks))


def population_name(
    task: Task, drawn: int, population: str, *, sampling: str = Sampling.UNIFORM, seed: int = 0, unseen: bool = False
) -> str:
    """Return in words which networks of a task were drawn, as it belongs to every number measured on them."""
    known = len(task.architectures(population))
    if drawn == known:
        return f"{population} {known:,}"
    name = f"{drawn:,} of {population} {known:,}" + (", stratified by FLOPs" if sampling == Sampling.STRATIFIED else "")
    return name + (", unseen by the run" if unseen else "") + f", seed {seed}"


def score_networks(
    scorers: Sequence[Scorer | str | Callable[..., Any]],
    task_name: str,
    architectures: Sequence[str],
    *,
    population: str,
    batch_size: int | None = None,
    device: str = "cpu",
    initialisation: int = 0,
    images: str = "",
    executor: Executor | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> Scores:
    """Score networks of a task; scorers share one sweep, which measures only the columns that are not known yet.

    Args:
        scorers: proxies, aggregates, texts such as `zoo,mine=package.module:function`, and functions
            `(model, inputs, targets) -> float` at the top of a module; of different names.
        task_name: where the networks come from.
        architectures: canonical texts.
        population: in words, see `population_name`.
        batch_size: samples of a minibatch for all scorers; None for what each asks for, with a sweep for each setting.
        device: `cpu` or `cuda`.
        initialisation: index of the random initialisation and inputs.
        images: token of the user's images, see `zcproxy.images.own`; empty for what is at hand.
        executor: where networks are measured, see `zcproxy.workers.pool.worker_pool`.
        cache: the cache directory; the default one if None.
        progress: called after each chunk of networks.

    Raises:
        BenchmarkError: the task is unknown or an architecture has no label.
        ConfigurationError: two scorers have the same name, the device is not available, or a scorer reads a teacher
            and there is none, or it takes other inputs.

    Example:
        >>> import zcproxy
        >>> networks = zcproxy.get_task("digits201").architectures("all")[:12]
        >>> found = zcproxy.score(["naswot,size=sum(log(params))"], "digits201", networks, population="12 of all 500")
        >>> list(found.to_frame())
        ['arch', 'label', 'naswot', 'size', 'seconds']
        >>> -1 <= found.correlations()["size"].tau <= 1
        True
        >>> axes = found.plot(name="size")
    """
    check_device(device)
    scorers = as_scorers(scorers)
    repeated = [name for name, count in Counter(scorer.name for scorer in scorers).items() if count > 1]
    if repeated:
        raise ConfigurationError(f"two proxies are called '{repeated[0]}': give each a name of its own")
    task = get_task(task_name)
    labels = task.labels(architectures)
    teacher = teacher_on(task, [proxy.name for proxy in _proxies(scorers) if reads_teacher(proxy.formula)])
    shown = images_shown(scorers, task_name, images)
    token = "" if shown is None else shown.token

    def context(setting: Setting) -> Context:
        return Context(task, setting.batch_size, initialisation, device, token, setting.rule)

    measuring = partial(sweep, executor=executor, cache=cache, progress=progress)
    seconds, coverage, found, left_out = _of_formulas(scorers, architectures, batch_size, context, measuring)
    calling = partial(scores_of_function, executor=executor, progress=progress)
    own = _of_own(scorers, task, architectures, batch_size, context, calling)
    scores = {}
    for scorer in scorers:
        values = [found[proxy.formula, setting_of(proxy, batch_size)] for proxy in members_of(scorer)]
        values += [own[scorer.name].values] if scorer.name in own else []
        scores[scorer.name] = scorer.scores(values) if isinstance(scorer, Aggregate) else values[0]
    seconds = sum((each.seconds for each in own.values()), start=seconds)
    remarks = [*left_out, *(each.remark for each in own.values() if each.remark)]
    remarks += [f"Teacher: {teacher}."] if teacher else []
    return Scores(task_name, population, tuple(architectures), scores, labels, seconds, shown, coverage, tuple(remarks))


def _of_own(
    scorers: Sequence[Scorer],
    task: Task,
    architectures: Sequence[str],
    batch_size: int | None,
    context: Callable[[Setting], Context],
    call: Callable[..., OwnScores],
) -> dict[str, OwnScores]:
    """Return the scores of functions and files, by name."""
    found = {}
    for scorer in scorers:
        if isinstance(scorer, FunctionProxy):
            found[scorer.name] = call(scorer, context(setting_of(scorer, batch_size)), architectures)
        elif isinstance(scorer, ScoreFile):
            found[scorer.name] = scores_of_file(scorer, task.space, architectures)
    return found


def _of_formulas(
    scorers: Sequence[Scorer],
    architectures: Sequence[str],
    batch_size: int | None,
    context: Callable[[Setting], Context],
    measure: Callable[..., ColumnTable],
) -> tuple[NDArray[np.float64], tuple[Coverage, ...], dict[tuple[Node, Setting], NDArray[np.float64]], list[str]]:
    """Return seconds per network, the coverage, and the values of all formulas by setting; then what was left out.

    A network that does not fit in the memory of the device has NaN.
    """
    found: dict[tuple[Node, Setting], NDArray[np.float64]] = {}
    seconds = np.zeros(len(architectures))
    coverage: tuple[Coverage, ...] = ()
    left_out = []
    for setting, columns in columns_by_setting(scorers, batch_size).items():
        measuring = partial(measure, context(setting), columns=columns)
        table, places, reasons = sweep_fitting(measuring, architectures)
        if reasons:
            left_out.append(
                f"{len(reasons):,} of {len(architectures):,} networks are too large for {context(setting).device} and "
                f"rank last; of the first: {next(iter(reasons.values()))}."
            )
        seconds[places] += table.seconds
        coverage = table.coverage
        evaluator = Evaluator(table.counts, table.values, table.blocks, table.connections)
        for proxy in _proxies(scorers):
            if setting == setting_of(proxy, batch_size):
                values = np.full(len(architectures), np.nan)
                values[places] = evaluator(proxy.formula)
                found[proxy.formula, setting] = values
    return seconds, coverage, found, left_out


def images_shown(scorers: Sequence[Scorer], task_name: str, images: str = "") -> ImageSet | None:
    """Return what images scorers look at on a task, of the user or at hand; None if at none."""
    are_functions = any(isinstance(scorer, FunctionProxy) for scorer in scorers)
    if not are_functions and not any(proxy.needs_images for proxy in _proxies(scorers)):
        return None
    return images_of(get_task(task_name), images)


class Setting(NamedTuple):
    """Settings that a sweep measures networks with.

    Attributes:
        batch_size: samples of the minibatch.
        rule: by which weights are drawn, see `zcproxy.models.initialisation`.
    """

    batch_size: int
    rule: str


def setting_of(proxy: Proxy | FunctionProxy, batch_size: int | None = None) -> Setting:
    """Return what a proxy is measured with; a batch size that is given goes before its own."""
    return Setting(batch_size or proxy.batch_size, proxy.rule)


def columns_by_setting(scorers: Sequence[Scorer], batch_size: int | None = None) -> dict[Setting, list[Node]]:
    """Return the columns that scorers need, by what they are measured with.

    Args:
        scorers: proxies and aggregates.
        batch_size: for all of them; None for what each proxy asks for.
    """
    found: dict[Setting, dict[Node, None]] = {}
    for proxy in _proxies(scorers):
        found.setdefault(setting_of(proxy, batch_size), {}).update(dict.fromkeys(proxy.formula.columns()))
    return {setting: list(columns) for setting, columns in found.items()}


def _proxies(scorers: Sequence[Scorer]) -> list[Proxy]:
    return [proxy for scorer in scorers for proxy in members_of(scorer)]
