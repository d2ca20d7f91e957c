"""The hall of fame between two epochs, for those who watch a run."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from zcproxy.evolve.fitness import Fitness, FitnessFunction
from zcproxy.formula import Node


@dataclass(frozen=True)
class Standing:
    """The best formula of its size so far.

    Attributes:
        size: nodes.
        formula: its text.
        merit: what selection goes by, on the training networks.
        training_tau: Kendall's tau there, mean over tasks.
        validation_tau: on the validation networks, which selection does not see; NaN where there are none.
        cost: passes over a minibatch.
    """

    size: int
    formula: str
    merit: float
    training_tau: float
    validation_tau: float
    cost: float


Standings = Callable[[], Sequence[Standing]]
"""Returns the hall of fame, smallest first: validation networks are looked at when it is called."""


def standings(hall: Mapping[int, tuple[Node, Fitness]], validation: FitnessFunction | None) -> list[Standing]:
    """Return the hall of fame, smallest first.

    Args:
        hall: the best formula of each size, with its fitness on the training networks.
        validation: the fitness on the validation networks; None where there are none.
    """
    return [
        Standing(
            size,
            str(formula),
            fitness.merit,
            fmean(fitness.correlations),
            math.nan if validation is None else fmean(validation(formula).correlations),
            fitness.cost,
        )
        for size, (formula, fitness) in sorted(hall.items())
    ]


def best_of(found: Sequence[Standing]) -> Standing:
    """Return the one that selection prefers, the smaller one in a tie."""
    return max(found, key=lambda item: (item.merit, -item.size))
