"""Selection of parents among the formulas of an island."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

import numpy as np

from zcproxy.evolve.fitness import Fitness

TOURNAMENT = 5

Draw = Callable[[Random], int]
"""Returns the index of one parent."""


def tournament(scores: Sequence[Fitness]) -> Draw:
    """Return the draw of the best of one to `TOURNAMENT` formulas, by merit: weaker ones become parents too."""

    def draw(rng: Random) -> int:
        rivals = [rng.randrange(len(scores)) for _ in range(rng.randint(1, TOURNAMENT))]
        return max(rivals, key=lambda index: scores[index].merit)

    return draw


def lexicase(scores: Sequence[Fitness]) -> Draw:
    """Return the draw that takes the cases in random order, and of each the formulas about as good as the best.

    That is within the median absolute deviation of the case over all formulas. Formulas that are best on a few goals
    become parents as well as those that are fair on all.

    Source: La Cava et al., "Epsilon-lexicase selection for regression", GECCO 2016 (the static variant).
    """
    cases = np.array([score.cases for score in scores])
    tolerance = np.median(np.abs(cases - np.median(cases, axis=0)), axis=0)

    def draw(rng: Random) -> int:
        left = np.arange(len(scores))
        order = list(range(cases.shape[1]))
        rng.shuffle(order)
        for case in order:
            values = cases[left, case]
            left = left[values >= values.max() - tolerance[case]]
            if len(left) == 1:
                break
        return int(left[rng.randrange(len(left))])

    return draw


SELECTIONS: dict[str, Callable[[Sequence[Fitness]], Draw]] = {"tournament": tournament, "lexicase": lexicase}
