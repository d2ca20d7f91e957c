"""Materials of a worker process: fitness functions and primitive sets, built once from the column store and kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zcproxy.columns.context import Context
from zcproxy.columns.sweep import sweep
from zcproxy.columns.table import ColumnTable
from zcproxy.evolve.configuration import Algorithm, Configuration
from zcproxy.evolve.deap.primitives import PrimitiveSet, primitive_set
from zcproxy.evolve.fitness import FitnessFunction
from zcproxy.evolve.invariance import Variation, conditions_of
from zcproxy.evolve.island import Epoch
from zcproxy.evolve.targets import Targets, transferred
from zcproxy.formula import Node
from zcproxy.formula.evaluate import Outcome
from zcproxy.primitives import parse
from zcproxy.random import array_generator, generator
from zcproxy.workers.cluster import is_cluster, sent_once
from zcproxy.workers.jobs import in_order

LEAST_SEEN = 12
"""Fewest networks of a task that an epoch sees."""


@dataclass(frozen=True)
class Materials:
    """Everything that an island is evolved with, by name; the columns are read from the store.

    Attributes:
        contexts: one per task.
        architectures: the training networks of each task.
        columns: texts of the columns.
        cache: the cache directory.
        configuration: configuration of the run.
        varied: the networks of each task that are measured under other conditions too.
    """

    contexts: tuple[Context, ...]
    architectures: tuple[tuple[str, ...], ...]
    columns: tuple[str, ...]
    cache: Path
    configuration: Configuration
    varied: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class IslandJob:
    """One island for one epoch.

    Attributes:
        island: number of the island.
        epoch: number of the epoch; with the island and the run's seed it seeds all randomness.
        population: texts of the formulas it starts from.
        generations: number to evolve.
    """

    island: int
    epoch: int
    population: tuple[str, ...]
    generations: int


@dataclass(frozen=True)
class IslandReport:
    """The result that an island sends back: texts, because trees are cheap to parse and large to send."""

    population: list[str]
    best: list[str]
    evaluations: int
    outcomes: Counter[Outcome]
    logbook: list[dict[str, Any]]


@dataclass(frozen=True, eq=False)
class Measured:
    """What an island is evolved with, itself: any machine can be sent it.

    Attributes:
        configuration: of the run.
        columns: texts of the columns.
        tables: values of the columns, per task.
        labels: of the networks, or what formulas are fitted to in their place, per task.
        variations: what was measured under other conditions, per task.
    """

    configuration: Configuration
    columns: tuple[str, ...]
    tables: tuple[ColumnTable, ...]
    labels: tuple[NDArray[np.float64], ...]
    variations: tuple[tuple[Variation, ...], ...]


@lru_cache(maxsize=2)
def measured(materials: Materials) -> Measured:
    """Return what materials name, read from the store."""
    columns, configuration = [parse(text) for text in materials.columns], materials.configuration
    tables = []
    labels: list[NDArray[np.float64]] = []
    for context, architectures in zip(materials.contexts, materials.architectures, strict=True):
        tables.append(sweep(context, architectures, columns, cache=materials.cache))
        labels.append(context.task.labels(architectures))
    if configuration.targets == Targets.TRANSFERRED:
        tasks = [context.name for context in materials.contexts]
        labels = transferred(tasks, tables, labels, configuration.goals or tasks)
    variations = tuple(_variations(materials, columns))
    return Measured(configuration, materials.columns, tuple(tables), tuple(labels), variations)


def _variations(materials: Materials, columns: Sequence[Node]) -> Iterator[tuple[Variation, ...]]:
    """Yield what was measured under other conditions, per task, of those of its networks that are here."""
    for context, here, varied in zip(materials.contexts, materials.architectures, materials.varied, strict=True):
        wanted = set(varied)
        places = [place for place, architecture in enumerate(here) if architecture in wanted]
        names, networks = [here[place] for place in places], np.array(places, np.intp)
        conditions = conditions_of(context, materials.configuration.invariance)
        yield tuple(Variation(sweep(each, names, columns, cache=materials.cache), networks) for each in conditions)


@lru_cache(maxsize=2)
def fitness_function_of(known: Measured, epoch: int | None = None) -> FitnessFunction:
    """Return the fitness function on the networks, or on those of them that an epoch sees."""
    tables, labels, variations = list(known.tables), list(known.labels), list(map(list, known.variations))
    configuration = known.configuration
    if epoch is not None:
        draw = array_generator("resample", configuration.seed, epoch)
        sizes = [max(LEAST_SEEN, round(configuration.resampled * len(values))) for values in labels]
        kept = [draw.permutation(len(values))[:size] for values, size in zip(labels, sizes, strict=True)]
        tables = [table.take(networks) for table, networks in zip(tables, kept, strict=True)]
        labels = [values[networks] for values, networks in zip(labels, kept, strict=True)]
        variations = [
            [each.within(networks) for each in listed] for listed, networks in zip(variations, kept, strict=True)
        ]
    return FitnessFunction(tables, labels, configuration.goals, configuration.cases, variations)


@lru_cache(maxsize=2)
def primitives_of(known: Measured) -> PrimitiveSet:
    """Return what formulas are made of."""
    configuration = known.configuration
    without, size, root = configuration.without, configuration.maximum_size, configuration.root
    return primitive_set(known.columns, without=without, maximum_size=size, root=root)


def forget_materials() -> None:
    """Free the columns, and the tasks with their networks, that are kept from one epoch to the next."""
    for kept in (measured, fitness_function_of, primitives_of):
        kept.cache_clear()


def island_reports(
    executor: Executor | None, materials: Materials, jobs: Sequence[IslandJob]
) -> Iterator[IslandReport]:
    """Yield what each island found. Processes of this machine read the store; a cluster is sent the tables, once."""
    given = sent_once(executor, measured(materials)) if is_cluster(executor) else materials
    yield from in_order(executor, run_island, [(given, job) for job in jobs], _described)


def _described(given: object, job: IslandJob) -> str:
    return f"island {job.island} in epoch {job.epoch}"


def run_island(given: Materials | Measured, job: IslandJob) -> IslandReport:
    """Evolve one island for one epoch; the job that a worker runs."""
    known = measured(given) if isinstance(given, Materials) else given
    configuration = known.configuration
    rng = generator("island", configuration.seed, job.island, job.epoch)
    scorer = fitness_function_of(known, job.epoch if configuration.resampled < 1.0 else None)
    epoch = Epoch(scorer, primitives_of(known), rng, configuration.operators, configuration.toolbox)
    if configuration.algorithm == Algorithm.RANDOM:
        result = epoch.draw(configuration.island_size * job.generations)
    else:
        population: list[Node] = [parse(text) for text in job.population]
        result = epoch.evolve(population, configuration.island_size, job.generations)
    return IslandReport(
        [str(formula) for formula in result.population],
        [str(formula) for formula, _ in result.best.values()],
        result.evaluations,
        result.outcomes,
        result.logbook,
    )
