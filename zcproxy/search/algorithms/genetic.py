"""Many-objective genetic algorithms of pymoo (Blank and Deb, IEEE Access 2020), on architectures as they are written.

`nsga2`: K. Deb, A. Pratap, S. Agarwal, T. Meyarivan, IEEE Transactions on Evolutionary Computation 6(2), 2002.
`unsga3`: H. Seada, K. Deb, A Unified Evolutionary Optimization Procedure for Single, Multiple, and Many Objectives,
IEEE Transactions on Evolutionary Computation 20(3), 2016.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.algorithms.moo.unsga3 import UNSGA3
from pymoo.core.algorithm import Algorithm as PymooAlgorithm
from pymoo.core.crossover import Crossover
from pymoo.core.duplicate import DuplicateElimination, NoDuplicateElimination
from pymoo.core.mutation import Mutation
from pymoo.core.population import Population
from pymoo.core.problem import Problem
from pymoo.core.termination import NoTermination
from pymoo.util.ref_dirs import get_reference_directions

from zcproxy.contracts.task import SearchSpace
from zcproxy.search.algorithms.ask_tell import Proposer
from zcproxy.search.algorithms.niches import NichedSurvival, Niches
from zcproxy.search.goals import Candidate

UNDEFINED = 1e12
"""Violation given to pymoo where a quantity is undefined: more than any bound can be missed by."""

MATINGS = 5
"""Rounds of mating, at most, until a generation has as many new architectures as it should."""

Texts = NDArray[np.object_]

KINDS = (NSGA_II, U_NSGA_III) = ("nsga2", "unsga3")


class ArchitectureCrossover(Crossover):  # type: ignore[misc]
    """Crosses two architectures by the rule of their space, twice."""

    def __init__(self, space: SearchSpace) -> None:
        super().__init__(2, 2)
        self._space = space

    def _do(self, _: Problem, X: Texts, *args: Any, random_state: np.random.Generator, **kwargs: Any) -> Texts:  # noqa: N803
        """Return children, 2 x matings x 1, of parents of the same shape."""
        rng = _python_generator(random_state)
        children = np.empty_like(X)
        for mating in range(X.shape[1]):
            first, second = X[0, mating, 0], X[1, mating, 0]
            children[0, mating, 0] = self._space.crossover(first, second, rng)
            children[1, mating, 0] = self._space.crossover(second, first, rng)
        return children


class ArchitectureMutation(Mutation):  # type: ignore[misc]
    """Moves architectures to a neighbour."""

    def __init__(self, space: SearchSpace) -> None:
        super().__init__(prob=0.9)
        self._space = space

    def _do(self, _: Problem, X: Texts, *args: Any, random_state: np.random.Generator, **kwargs: Any) -> Texts:  # noqa: N803
        """Return mutants, architectures x 1."""
        rng = _python_generator(random_state)
        return np.array([[self._space.mutate(text, rng)] for text in X[:, 0]], dtype=object)


class KnownArchitectures(DuplicateElimination):  # type: ignore[misc]
    """Leaves out architectures that were proposed before, in any generation."""

    def __init__(self, known: set[str]) -> None:
        super().__init__()
        self._known = known

    def do(self, pop: Population, *others: Population, **kwargs: Any) -> Population:
        """Return the part of `pop` that is new, and not in the offspring found so far either."""
        seen = {text for other in others for text in _texts(other)}
        kept = []
        for index, text in enumerate(_texts(pop)):
            if text not in self._known and text not in seen:
                seen.add(text)
                kept.append(index)
        return pop[kept]


class Genetic:
    """Drives an algorithm of pymoo by ask and tell.

    Args:
        kind: one of `KINDS`.
        proposer: proposer of the space; what it knows is not proposed again.
        population: architectures of a generation.
        start: architectures of the first generation; random ones fill it up.
        objectives: how many there are.
        seed: seed of pymoo.
        niches: in which `nsga2` keeps the best; None for none.
    """

    def __init__(
        self,
        kind: str,
        proposer: Proposer,
        population: int,
        start: Sequence[str],
        objectives: int,
        seed: int,
        niches: Niches | None = None,
    ) -> None:
        first = proposer.filled(start, population)
        self._proposer, self._population = proposer, population
        self._algorithm = _kind(kind, objectives, population)(
            pop_size=population,
            sampling=_as_column(first),
            crossover=ArchitectureCrossover(proposer.space),
            mutation=ArchitectureMutation(proposer.space),
            eliminate_duplicates=KnownArchitectures(proposer.known),
            **({} if niches is None else {"survival": NichedSurvival(niches)}),
        )
        if niches is not None:
            self._algorithm.tournament_type = "comp_by_rank_and_crowding"  # by dominance, no elite would mate
        problem = Problem(n_var=1, n_obj=objectives, n_ieq_constr=1, vtype=object)
        self._algorithm.initialization.eliminate_duplicates = NoDuplicateElimination()  # drawn distinct, and known
        self._algorithm.mating.n_max_iterations = MATINGS
        self._algorithm.setup(problem, termination=NoTermination(), seed=seed)
        self._asked = Population.new()

    def ask(self) -> list[str]:
        """Return the next generation; where mating gives too few that are new, random ones fill it up."""
        offspring = self._algorithm.infill()
        self._proposer.known.update(_texts(offspring))
        asked = self._proposer.filled(_texts(offspring), self._population)
        self._asked = Population.new("X", _as_column(asked))
        return asked

    def tell(self, outcomes: Sequence[Candidate]) -> None:
        """Let the next generation survive."""
        self._asked.set("F", np.array([_finite(outcome.costs) for outcome in outcomes]))
        self._asked.set("G", np.array([[min(outcome.violation, UNDEFINED)] for outcome in outcomes]))
        for individual in self._asked:
            individual.evaluated = {"F", "G"}
        self._algorithm.advance(infills=self._asked)


def _kind(name: str, objectives: int, population: int) -> Callable[..., PymooAlgorithm]:
    """Return what makes the algorithm; U-NSGA-III spreads a population over at most as many directions."""
    if name == NSGA_II:
        return NSGA2
    if objectives == 1:
        return partial(UNSGA3, np.ones((1, 1)))
    parts = 1
    while math.comb(parts + objectives, objectives - 1) <= population:
        parts += 1
    return partial(UNSGA3, get_reference_directions("das-dennis", objectives, n_partitions=parts))


def _as_column(architectures: Sequence[str]) -> Texts:
    return np.array([[text] for text in architectures], dtype=object).reshape(-1, 1)


def _texts(population: Population | None) -> list[str]:
    return [] if population is None else [str(individual.X[0]) for individual in population]


def _finite(costs: Sequence[float]) -> list[float]:
    """Return costs that pymoo can compute with: what is undefined is told apart by its violation."""
    return [cost if math.isfinite(cost) else 0.0 for cost in costs]


def _python_generator(random_state: np.random.Generator) -> Random:
    return Random(int(random_state.integers(2**62)))
