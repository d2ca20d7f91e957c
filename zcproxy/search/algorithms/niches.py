"""Niches: the best architecture in each bin of a cost is kept, whatever dominates it.

The elites of J.-B. Mouret, J. Clune: Illuminating Search Spaces by Mapping Elites (arXiv 1504.04909), with one feature:
a cost that is an objective.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymoo.core.population import Population
from pymoo.operators.survival.rank_and_crowding import RankAndCrowding

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Niches:
    """Bins of equal width between the lowest and the highest value of a cost.

    Attributes:
        cost: place of the cost among the objectives, of which the first is not it and says what is best.
        count: how many bins there are.
    """

    cost: int
    count: int

    def bins(self, costs: Array, low: float, high: float) -> NDArray[np.int64]:
        """Return the bin of each point, given points x objectives and the range of the cost."""
        width = (high - low) / self.count or 1.0
        place = np.floor((costs[:, self.cost] - low) / width).astype(np.int64)
        return np.clip(place, 0, self.count - 1)

    def best(self, costs: Array) -> list[int]:
        """Return the place of the best point of each bin that has one, from the lowest cost to the highest.

        Args:
            costs: points x objectives, less is better; finite.
        """
        if not len(costs):
            return []
        across = costs[:, self.cost]
        bins = self.bins(costs, float(across.min()), float(across.max()))
        order = np.lexsort((across, costs[:, 0], bins))
        return [
            int(place)
            for before, place in zip([-1, *order], order, strict=False)
            if before < 0 or bins[before] != bins[place]
        ]


class NichedSurvival(RankAndCrowding):  # type: ignore[misc]
    """Survival of NSGA-II in which the best of each niche go first, and mate as the first front does.

    The others follow by front and crowding distance.
    """

    def __init__(self, niches: Niches) -> None:
        super().__init__()
        self._niches = niches

    def _do(self, problem: Any, pop: Population, *args: Any, n_survive: int | None = None, **kwargs: Any) -> Population:
        """Return the survivors, with their `rank` and `crowding`."""
        super()._do(problem, pop, *args, n_survive=len(pop), **kwargs)
        elites = self._niches.best(pop.get("F").astype(float))
        for place in elites:
            pop[place].set("rank", 0)
        order = np.lexsort((-pop.get("crowding").astype(float), pop.get("rank").astype(int)))
        places = [*elites, *(int(place) for place in order if place not in set(elites))]
        return pop[places[:n_survive]]
