"""A proxy for a task of which few networks have labels: evolved, cross-validated, and recorded."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zcproxy.adapting.agreement import null_variance
from zcproxy.columns.context import Context
from zcproxy.columns.sweep import sweep
from zcproxy.contracts.task import Task
from zcproxy.correlation import PairwiseTau, kendall_tau
from zcproxy.discovery.choice import Choice, choose_contender
from zcproxy.discovery.contenders import Contenders, general_proxies, largest_size
from zcproxy.discovery.discovery import Discovery
from zcproxy.discovery.splits import FOLDS, Split, Watch, go_on, judge, splits_of
from zcproxy.errors import BenchmarkError
from zcproxy.evolve.configuration import DEFAULT_PROBES, Configuration, Limits
from zcproxy.evolve.fitness import cost_of
from zcproxy.evolve.observer import Observer, Silent
from zcproxy.evolve.run import evolve
from zcproxy.evolve.start import first_columns
from zcproxy.formula import Node
from zcproxy.formula.evaluate import Evaluator
from zcproxy.images.minibatch import images_of
from zcproxy.models.device import check_device
from zcproxy.names.tasks import get_task
from zcproxy.proxy.proxy import Proxy
from zcproxy.storage.cache_directory import default_cache
from zcproxy.workers.pool import worker_pool

FEWEST = 16
"""Networks with a label that a split needs on both sides."""

FEW = 200
"""Up to so many labels the choice is cross-validated; with more, a part is kept for the test: see `zcproxy.evolve`."""

FILE, NAME = "discovered.json", "discovered"
"""The file of the proxy in the run directory, and its name."""

TOO_FEW = 100
"""Fewer labels than these leave much to chance where one formula is chosen among thousands."""


def few_labels_line(labels: int) -> str:
    """Return what to know of a formula that was chosen by the labels that it was fitted to; empty for enough labels."""
    if labels >= TOO_FEW:
        return ""
    chance = 1.96 * math.sqrt(null_variance(labels))
    return (
        f"{labels} labels are few: by chance alone tau on them is off by up to {chance:.2f}, and the best of thousands "
        "of formulas by more. zcproxy evolve --models and zcproxy.discover choose by networks left out"
    )


@dataclass(frozen=True)
class Effort:
    """How hard formulas are looked for, for each split and for the whole.

    Attributes:
        generations: of every island.
        islands: groups of formulas that evolve apart.
        island_size: formulas of an island.
        maximum_size: most nodes of a formula; fewer where labels are few, see `contenders.largest_size`.
        probes: what columns may use.
        seed: of the splits and of evolution.
    """

    generations: int = 10
    islands: int = 2
    island_size: int = 60
    maximum_size: int = 30
    probes: tuple[str, ...] = DEFAULT_PROBES
    seed: int = 0


def discover_on(
    task_name: str,
    out: Path,
    effort: Effort | None = None,
    *,
    workers: int = 1,
    executor: Executor | None = None,
    device: str = "cpu",
    cache: Path | None = None,
    observer: Observer | None = None,
    left_out: Mapping[str, str] | None = None,
    watch: Watch = go_on,
    options: str = "",
) -> Discovery:
    """Return a proxy for a task by all of its labels.

    Formulas evolve from the general proxies, on all labels and for each of nine splits on two thirds of them. What is
    chosen is what orders the networks left out best, less a price for each node: a general proxy unchanged, a weighed
    sum of two, or an evolved formula of some size.

    Args:
        task_name: see `zcproxy.get_task`.
        out: the run directory.
        effort: how hard formulas are looked for.
        workers: processes; the result does not depend on it.
        executor: where jobs run in place of `workers` processes: that of a Dask client, for example.
        device: `cpu` or `cuda`.
        cache: the cache directory; the default one if None.
        observer: called with the progress.
        left_out: why networks take no part, for the result.
        watch: called after each split; the last split is that for which it returns True, from the third on.
        options: of the command, for `run.toml` in the run directory; nothing for no such file.

    Raises:
        BenchmarkError: there is no such task, or it has fewer than `FEWEST` labels.
        ConfigurationError: the device is not available.
        RunError: `out` belongs to another run.
    """
    check_device(device)
    effort, observer, cache = effort or Effort(), observer or Silent(), cache or default_cache()
    task = get_task(task_name)
    architectures = tuple(task.architectures("all"))
    if len(architectures) < FEWEST:
        raise BenchmarkError(f"{len(architectures)} networks have labels, {FEWEST} are needed to fit and choose")
    configuration = few_configuration(task_name, len(architectures), effort, device)
    with worker_pool(workers, executor) as jobs:
        contenders = _measured(configuration, architectures, effort, cache, jobs, observer)
        choice = choose_by_splits(contenders, effort.seed, observer, watch)
    limits = Limits(generations=effort.generations)
    result = evolve(
        configuration,
        limits,
        out,
        workers=workers,
        executor=executor,
        cache=cache,
        observer=observer,
        options=options,
    )
    hall = {item.training.size: (item.formula, item.training) for item in result.hall}
    formulas = contenders.of_hall(hall, np.arange(len(architectures)))
    formula = formulas[choice.name]
    proxy = _recorded(Proxy(formula, NAME, configuration.batch_size), configuration, choice, len(architectures))
    proxy.save(out / FILE)
    rows = tuple(_rows(contenders, formulas, choice))
    return Discovery(proxy, task_name, len(architectures), choice, result, out, left_out or {}, rows)


def few_configuration(task: str, labels: int, effort: Effort, device: str = "cpu") -> Configuration:
    """Return how formulas evolve on so many labels: from the general proxies, on all labels, without a test."""
    general = general_proxies()
    largest = largest_size(labels, effort.maximum_size)
    return Configuration(
        (task,),
        networks=labels,
        seed=effort.seed,
        validation_share=0.0,
        test_networks=0,
        probes=effort.probes,
        batch_size=general[0].batch_size,
        device=device,
        maximum_size=largest,
        islands=effort.islands,
        island_size=effort.island_size,
        epoch_generations=effort.generations,
        new_columns=0,
        start_from=tuple(str(proxy.formula) for proxy in general if proxy.formula.size <= largest),
    )


def context_of(task: Task, configuration: Configuration) -> Context:
    """Return what the columns of the networks are measured in."""
    return Context(task, configuration.batch_size, 0, configuration.device, images_of(task).token)


def needed_columns(configuration: Configuration) -> list[Node]:
    """Return the columns that formulas evolve from, and those of the general proxies."""
    general = [column for proxy in general_proxies() for column in proxy.formula.columns()]
    return list(dict.fromkeys([*first_columns(configuration), *general]))


def _measured(
    configuration: Configuration,
    architectures: tuple[str, ...],
    effort: Effort,
    cache: Path,
    executor: Executor | None,
    observer: Observer,
) -> Contenders:
    """Measure all columns of the networks."""
    (name,) = configuration.tasks
    task = get_task(name)
    context = context_of(task, configuration)
    columns = first_columns(configuration)
    table = sweep(
        context,
        architectures,
        needed_columns(configuration),
        executor=executor,
        cache=cache,
        progress=lambda done, total: observer.step(f"measuring {name}", done, total),
    )
    evaluator = Evaluator(table.counts, table.values, table.blocks, table.connections)
    labels, texts = task.labels(architectures), tuple(map(str, columns))
    return Contenders(
        context, architectures, labels, texts, configuration, effort.generations, evaluator, cache, executor
    )


def _rows(contenders: Contenders, formulas: Mapping[str, Node], choice: Choice) -> Iterator[dict[str, Any]]:
    """Yield what is to be known of each contender, made on all labels."""
    tau = PairwiseTau(contenders.labels, credit_ties=False)
    for name, scores in contenders.scores(dict(formulas)).items():
        yield {
            "contender": name,
            "size": formulas[name].size,
            "training_tau": tau(scores),
            "validation_tau": choice.taus[name],
            "cost": cost_of(formulas[name]),
            "chosen": name == choice.name,
            "formula": str(formulas[name]),
        }


def choose_by_splits(contenders: Contenders, seed: int, observer: Observer, watch: Watch = go_on) -> Choice:
    """Make the contenders for every split, and choose by what each left out.

    Args:
        contenders: on all labelled networks.
        seed: of the splits.
        observer: called with the progress.
        watch: see `discover_on`.

    Raises:
        BenchmarkError: fewer than two splits have different labels on both sides.
    """
    labels = contenders.labels
    splits = [
        (seen, unseen)
        for seen, unseen in splits_of(len(labels), seed)
        if len(np.unique(labels[seen])) > 1 and len(np.unique(labels[unseen])) > 1
    ]
    if len(splits) < 2:
        raise BenchmarkError(f"the {len(labels)} labels are too much alike to be split: give networks that differ")
    scores = []
    largest = contenders.names[-1]
    for done, (seen, unseen) in enumerate(splits):
        observer.step("evolving on splits of the labels", done, len(splits))
        formulas, evaluations = contenders.made(seen)
        scores.append(contenders.scores(formulas))
        kept, left_out = (kendall_tau(scores[-1][largest][places], labels[places]) for places in (seen, unseen))
        best = formulas[largest]
        if watch(Split(done + 1, len(splits), str(best), best.size, kept, left_out, evaluations)) and done + 1 >= FOLDS:
            break
    observer.step("evolving on splits of the labels", len(splits), len(splits))
    judged = judge(contenders.names, scores, labels, [unseen for _, unseen in splits[: len(scores)]])
    return choose_contender(judged, contenders.sizes)


def _recorded(proxy: Proxy, configuration: Configuration, choice: Choice, labels: int) -> Proxy:
    """Return the proxy with what it was chosen by, and the tau to be expected among its correlations."""
    expected = choice.expected
    record: dict[str, Any] = {
        "labels": labels,
        "chosen": choice.name,
        "taus_on_networks_left_out": choice.taus,
        "expected": asdict(expected),
        "expected_of_general": asdict(choice.general),
    }
    correlation = {
        "task": configuration.tasks[0],
        "population": f"networks without labels, as {labels} labels let expect",
        "networks": labels,
        "tau": expected.tau,
        "tau_low": expected.low,
        "tau_high": expected.high,
    }
    provenance = {"configuration": configuration.as_dict(), NAME: record}
    return Proxy(proxy.formula, proxy.name, proxy.batch_size, provenance, (correlation,))
