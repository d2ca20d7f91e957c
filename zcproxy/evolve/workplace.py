"""What a worker process needs to evolve: scorers and choices, built once from the column store and kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from zcproxy.benchmarks import get_task
from zcproxy.evolve.fitness import Score, Scorer
from zcproxy.evolve.island import Epoch
from zcproxy.formula import Node, parse
from zcproxy.formula.choices import Choices, number_choices
from zcproxy.formula.evaluate import Outcome
from zcproxy.random import generator
from zcproxy.sweep.runner import sweep
from zcproxy.sweep.store import Context


@dataclass(frozen=True)
class Workplace:
    """Names everything an island is evolved with; the columns are read from the store.

    Attributes:
        contexts: one a task.
        architectures: the training networks of each task.
        columns: texts of the columns.
        cache: the cache directory.
        maximum_size: most nodes of a formula.
        seed: of the run.
    """

    contexts: tuple[Context, ...]
    architectures: tuple[tuple[str, ...], ...]
    columns: tuple[str, ...]
    cache: Path
    maximum_size: int
    seed: int


@dataclass(frozen=True)
class IslandJob:
    """One island for one epoch.

    Attributes:
        island: number of the island.
        epoch: number of the epoch; with the island and the run's seed it seeds all randomness.
        population: texts of the formulas it starts from.
        size: formulas of a population.
        generations: to evolve.
        algorithm: `evolve`, or `random` to draw as many formulas instead.
    """

    island: int
    epoch: int
    population: tuple[str, ...]
    size: int
    generations: int
    algorithm: str


@dataclass(frozen=True)
class IslandReport:
    """What an island sends back: texts, because trees are cheap to parse and large to send."""

    population: list[str]
    best: dict[int, tuple[str, Score]]
    evaluations: int
    outcomes: Counter[Outcome]


@lru_cache(maxsize=2)
def scorer_of(workplace: Workplace) -> Scorer:
    """Return the scorer on the training networks."""
    columns = [parse(text) for text in workplace.columns]
    tables = []
    labels = []
    for context, architectures in zip(workplace.contexts, workplace.architectures, strict=True):
        tables.append(sweep(context, architectures, columns, cache=workplace.cache))
        labels.append(get_task(context.task).labels(architectures))
    return Scorer(tables, labels)


@lru_cache(maxsize=2)
def choices_of(workplace: Workplace) -> Choices:
    """Return what formulas are made of."""
    return number_choices([parse(text) for text in workplace.columns])


def run_island(workplace: Workplace, job: IslandJob) -> IslandReport:
    """Evolve one island for one epoch; the job that a worker runs."""
    rng = generator("island", workplace.seed, job.island, job.epoch)
    epoch = Epoch(scorer_of(workplace), choices_of(workplace), workplace.maximum_size, rng)
    if job.algorithm == "random":
        result = epoch.draw(job.size * job.generations)
    else:
        population: list[Node] = [parse(text) for text in job.population]
        result = epoch.evolve(population, job.size, job.generations)
    return IslandReport(
        [str(formula) for formula in result.population],
        {size: (str(formula), score) for size, (formula, score) in result.best.items()},
        result.evaluations,
        result.outcomes,
    )
