"""Evolution on some of a task's networks, without a run directory: what is repeated for every split of the labels."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from typing import NamedTuple

from zcproxy.evolve.configuration import Configuration
from zcproxy.evolve.fitness import Fitness
from zcproxy.evolve.island import merge_best
from zcproxy.evolve.materials import IslandJob, Materials, fitness_function_of, island_reports, measured
from zcproxy.evolve.start import first_state
from zcproxy.formula import Node
from zcproxy.primitives import parse


class Evolved(NamedTuple):
    """What evolution found.

    Attributes:
        hall: the best formula of each size, with its fitness.
        evaluations: formulas evaluated.
    """

    hall: dict[int, tuple[Node, Fitness]]
    evaluations: int


def evolved_by_size(
    materials: Materials, configuration: Configuration, generations: int, executor: Executor | None = None
) -> Evolved:
    """Return the best formula of each size on the networks of the materials, with its fitness there.

    Islands evolve for as many generations without exchange: labels are few, and so are generations.

    Args:
        materials: networks and columns of a task.
        configuration: how formulas evolve; the one of the materials.
        generations: of every island.
        executor: where islands evolve; None for this process.
    """
    state = first_state(configuration)
    jobs = [IslandJob(island, 0, tuple(texts), generations) for island, texts in enumerate(state.islands)]
    scorer = fitness_function_of(measured(materials))
    hall: dict[int, tuple[Node, Fitness]] = {}
    evaluations = 0
    for report in island_reports(executor, materials, jobs):
        found = [parse(text) for text in report.best]
        merge_best(hall, {formula.size: (formula, scorer(formula)) for formula in found})
        evaluations += report.evaluations
    return Evolved(hall, evaluations)


def best_up_to(hall: dict[int, tuple[Node, Fitness]], sizes: Sequence[int]) -> list[Node | None]:
    """Return the best formula of at most as many nodes, for each number of nodes; None where there is none."""
    found: list[Node | None] = []
    for size in sizes:
        within = [item for each, item in hall.items() if each <= size]
        best = max(within, key=lambda item: (item[1].merit, -item[1].size), default=None)
        found.append(None if best is None else best[0])
    return found
