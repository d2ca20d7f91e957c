"""The algorithms by name."""

from __future__ import annotations

from collections.abc import Sequence

from zcproxy.errors import ConfigurationError, check_known
from zcproxy.random import derive_seed
from zcproxy.search.algorithms.ask_tell import Algorithm, Proposer
from zcproxy.search.algorithms.genetic import KINDS, NSGA_II, Genetic
from zcproxy.search.algorithms.linas import Linas, Measure
from zcproxy.search.algorithms.local_search import LocalSearch
from zcproxy.search.algorithms.niches import Niches
from zcproxy.search.algorithms.random_search import RandomSearch
from zcproxy.search.algorithms.regularised_evolution import RegularisedEvolution
from zcproxy.search.algorithms.robot import Pool, Robot
from zcproxy.search.goals import Goals

_CLIMBING = {"local": LocalSearch, "regularised-evolution": RegularisedEvolution}
LINAS, ROBOT = "linas", "robot"
OF_ONE_OBJECTIVE = (*_CLIMBING, ROBOT)
WITH_NICHES = (NSGA_II, LINAS)
ALGORITHMS = ("random", *OF_ONE_OBJECTIVE, *KINDS, LINAS)


def check_algorithm(name: str, goals: Goals) -> None:
    """Raise `ConfigurationError` if there is no such algorithm, or it does not suit the goals."""
    check_known("algorithm", name, ALGORITHMS)
    if name in OF_ONE_OBJECTIVE and len(goals.objectives) > 1:
        raise ConfigurationError(
            f"{name} takes one objective, not {' and '.join(goals.objectives)}: bound the others with `limits`, or "
            f"choose {', '.join([*KINDS, LINAS])}"
        )


def check_niches(name: str, niches: int, population: int, goals: Goals) -> None:
    """Raise `ConfigurationError` if an algorithm has no niches, or the goals have no cost to divide into them."""
    if not niches:
        return
    if name not in WITH_NICHES:
        raise ConfigurationError(f"algorithm={name} keeps no `niches`: choose {' or '.join(WITH_NICHES)}")
    if not goals.minimized or not goals.maximized:
        raise ConfigurationError(
            "`niches` are bins of a cost: give `minimized` one, and `maximized` what is best in each"
        )
    if not 2 <= niches <= population:
        raise ConfigurationError(f"niches={niches} is out of range: give 2 to the population, {population}")


def make_algorithm(
    name: str,
    proposer: Proposer,
    *,
    population: int,
    start: Sequence[str],
    goals: Goals,
    seed: int,
    predicted: Sequence[str],
    hints: Sequence[str],
    measure: Measure,
    inner_evaluations: int = 2000,
    scored: Sequence[str] = (),
    niches: int = 0,
    pool: Pool | None = None,
    queries: int = 0,
) -> Algorithm:
    """Return an algorithm that has asked nothing yet.

    Args:
        name: one of `ALGORITHMS`.
        proposer: proposer of the space; what it knows is not proposed.
        population: architectures of a generation, or of a question.
        start: architectures to begin with.
        goals: what is searched for.
        seed: seed of everything random besides the proposer.
        predicted: quantities that `linas` predicts.
        hints: quantities that its predictors see.
        measure: measures hints and what is not predicted.
        inner_evaluations: architectures that an inner search of `linas` predicts.
        scored: architectures whose hints `linas` may look at from the beginning.
        niches: bins of the first minimised quantity, see `check_niches`; 0 for none.
        pool: what `robot` ranks.
        queries: architectures that `robot` asks for in all.

    Raises:
        ConfigurationError: see `check_algorithm`.
    """
    check_algorithm(name, goals)
    proposer.known.update(start)
    first = list(start)[:population]
    kept = Niches(len(goals.maximized), niches) if niches else None
    if name in KINDS:
        return Genetic(name, proposer, population, first, len(goals.objectives), derive_seed(name, seed) % 2**32, kept)
    if name == LINAS:
        return Linas(
            proposer, population, first, goals, predicted, hints, measure, inner_evaluations, scored, seed, kept
        )
    if pool is not None:
        return Robot(pool, queries, start, seed)
    if name == "random":
        return RandomSearch(proposer, population, first)
    return _CLIMBING[name](proposer, population, first)
