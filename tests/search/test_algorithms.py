"""All algorithms on a space whose best architecture is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from zcproxy.errors import ConfigurationError
from zcproxy.random import generator
from zcproxy.search.algorithms import ALGORITHMS, Proposer, make_algorithm
from zcproxy.search.algorithms.catalogue import OF_ONE_OBJECTIVE, ROBOT
from zcproxy.search.algorithms.robot import Pool, scaled_ranks
from zcproxy.search.goals import Candidate, Goals, Limit

from .conftest import Bowl

ONE, TWO = Goals((), ("distance",)), Goals((), ("distance", "sum"), (Limit("sum", 20.0),))


def values_of(space: Bowl, architecture: str) -> dict[str, float]:
    """Return the squared distance from the best point, and the sum of the coordinates."""
    numbers = [int(number) for number in space.decode(architecture).values()]
    return {"distance": float(sum((number - 3) ** 2 for number in numbers)), "sum": float(sum(numbers))}


def near_the_best(space: Bowl) -> Pool:
    """Return all points with three scores, no one of which alone tells the best."""
    points = tuple(space.enumerate())
    distances = np.array([[(int(number) - 3) ** 2 for number in space.decode(text).values()] for text in points])
    return Pool(
        points, scaled_ranks(np.column_stack([-distances[:, 0], distances[:, 1], -distances[:, 2:].sum(axis=1)]))
    )


def search(
    space: Bowl,
    name: str,
    goals: Goals,
    evaluations: int = 240,
    seed: int = 0,
    start: tuple[str, ...] = (),
    scored: tuple[str, ...] = (),
) -> list[Candidate]:
    """Return what an algorithm evaluates, in order."""
    proposer = Proposer(space, generator("test", seed), set())

    def measure(architectures: Sequence[str], names: Sequence[str]) -> dict[str, NDArray[np.float64]]:
        assert set(names) <= {"sum"}, "the distance is to be predicted"
        return {key: np.array([values_of(space, text)[key] for text in architectures]) for key in names}

    algorithm = make_algorithm(
        name,
        proposer,
        population=20,
        start=start,
        goals=goals,
        seed=seed,
        predicted=["distance"],
        hints=["sum"],
        measure=measure,
        inner_evaluations=200,
        scored=scored,
        pool=near_the_best(space) if name == ROBOT else None,
        queries=evaluations,
    )
    found: list[Candidate] = []
    while len(found) < evaluations:
        asked = algorithm.ask()
        if not asked:
            break
        outcomes = [goals.outcome(architecture, values_of(space, architecture)) for architecture in asked]
        algorithm.tell(outcomes)
        found += outcomes
    return found


@pytest.mark.parametrize("name", ALGORITHMS)
def test_the_same_seed_asks_the_same_and_nothing_twice(bowl: Bowl, name: str) -> None:
    first, second, other = (search(bowl, name, ONE, 40, seed) for seed in (0, 0, 1))
    names = [outcome.architecture for outcome in first]
    assert first == second
    assert first != other
    assert len(set(names)) == len(names)
    assert all(bowl.parse(text) == text for text in names)


@pytest.mark.parametrize("name", [name for name in ALGORITHMS if name != "random"])
def test_every_algorithm_comes_closer_than_random_search(bowl: Bowl, name: str) -> None:
    def closest(name: str) -> float:
        evaluations = 40 if name == ROBOT else 240
        found = [search(bowl, name, ONE, evaluations, seed=seed)[:evaluations] for seed in range(4)]
        return sum(min(item.costs[0] for item in each) for each in found)

    assert closest(name) < closest("random")


@pytest.mark.parametrize("name", [name for name in ALGORITHMS if name not in OF_ONE_OBJECTIVE])
def test_several_objectives_and_a_bound(bowl: Bowl, name: str) -> None:
    found = search(bowl, name, TWO)
    inside = [outcome for outcome in found if outcome.violation == 0.0]
    assert len(inside) > len(found) / 2
    assert min(outcome.costs[0] for outcome in inside) <= 4.0
    assert min(outcome.costs[1] for outcome in inside) <= 6.0


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_start_is_evaluated_first(bowl: Bowl, name: str) -> None:
    start = ("a=3 b=3 c=3 d=2", "a=0 b=0 c=0 d=0")
    assert tuple(outcome.architecture for outcome in search(bowl, name, ONE, 20, start=start)[:2]) == start


def test_linas_knows_from_what_was_scored_how_special_a_start_is(bowl: Bowl) -> None:
    rng = generator("scored")
    scored = tuple(dict.fromkeys(bowl.sample(rng) for _ in range(300)))
    start = tuple(sorted(scored, key=lambda text: -values_of(bowl, text)["sum"])[:20])

    def later(scored: tuple[str, ...]) -> float:
        found = search(bowl, "linas", ONE, 40, start=start, scored=scored)[20:]
        return float(np.mean([outcome.costs[0] for outcome in found]))

    assert later(scored) < 0.7 * later(())


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_space_that_is_used_up_ends_the_search(name: str) -> None:
    class Small(Bowl):
        choices: ClassVar = {"a": (2, 3, 4), "b": (2, 3, 4), "c": (3,), "d": (3,)}

    found = search(Small(), name, ONE)
    assert len({outcome.architecture for outcome in found}) == len(found) == 9


@pytest.mark.parametrize("name", OF_ONE_OBJECTIVE)
def test_algorithms_of_one_objective_refuse_more(bowl: Bowl, name: str) -> None:
    with pytest.raises(ConfigurationError, match="takes one objective, not distance and sum"):
        search(bowl, name, TWO)


def test_an_unknown_algorithm_is_answered_with_the_nearest(bowl: Bowl) -> None:
    with pytest.raises(ConfigurationError, match="did you mean nsga2"):
        search(bowl, "nsga", ONE)
