"""Niches: the best of each bin of a cost survives, and is measured."""

from __future__ import annotations

import numpy as np
import pytest
from pymoo.core.population import Population
from pymoo.core.problem import Problem

from zcproxy.errors import ConfigurationError
from zcproxy.random import generator
from zcproxy.search.algorithms import Proposer, make_algorithm
from zcproxy.search.algorithms.catalogue import check_niches
from zcproxy.search.algorithms.niches import NichedSurvival, Niches
from zcproxy.search.goals import Goals

from .conftest import Bowl

GOALS = Goals(("accuracy",), ("macs",))


def test_the_best_of_each_bin_survives_though_others_dominate_it() -> None:
    costs = np.array([[-9.0, 0.0], [-8.0, 1.0], [-7.0, 2.0], [-5.0, 6.0], [-1.0, 7.0], [-6.0, 10.0], [-2.0, 9.0]])
    niches = Niches(cost=1, count=3)
    assert niches.best(costs) == [0, 3, 5]
    population = Population.new("F", costs, "G", np.full((7, 1), -1.0))
    for individual in population:
        individual.evaluated = {"F", "G"}
    kept = NichedSurvival(niches).do(Problem(n_var=1, n_obj=2, n_ieq_constr=1), population, n_survive=4)
    assert kept.get("F").tolist() == costs[[0, 3, 5, 1]].tolist()
    assert niches.best(costs[:0]) == []
    assert niches.best(np.array([[-1.0, 4.0], [-2.0, 4.0]])) == [1]


@pytest.mark.parametrize("name", ["nsga2", "linas"])
def test_more_bins_of_the_cost_are_searched(bowl: Bowl, name: str) -> None:
    """The cheapest point is also the best: without niches nothing keeps what is expensive."""

    def expensive(niches: int) -> int:
        proposer = Proposer(bowl, generator("niches", 0), set())

        def measure(architectures: object, names: object) -> dict[str, np.ndarray]:
            texts = [str(text) for text in architectures]  # type: ignore[attr-defined]
            return {"macs": np.array([values(text)["macs"] for text in texts])}

        algorithm = make_algorithm(
            name,
            proposer,
            population=20,
            start=(),
            goals=GOALS,
            seed=0,
            predicted=["accuracy"],
            hints=[],
            measure=measure,  # type: ignore[arg-type]
            inner_evaluations=200,
            niches=niches,
        )
        found = []
        for _ in range(5):
            asked = algorithm.ask()
            algorithm.tell([GOALS.outcome(text, values(text)) for text in asked])
            found += asked
        return sum(values(text)["macs"] > 16.0 for text in found[20:])  # of 28; the mean of random points is 14

    def values(text: str) -> dict[str, float]:
        total = float(sum(int(number) for number in bowl.decode(text).values()))
        return {"accuracy": -total, "macs": total}

    assert expensive(8) > 2 * expensive(0)


@pytest.mark.parametrize(
    ("name", "niches", "goals", "message"),
    [
        ("unsga3", 4, GOALS, "algorithm=unsga3 keeps no `niches`: choose nsga2 or linas"),
        ("nsga2", 4, Goals(("accuracy",)), "`niches` are bins of a cost"),
        ("linas", 21, GOALS, "niches=21 is out of range: give 2 to the population, 20"),
    ],
)
def test_niches_that_cannot_be(name: str, niches: int, goals: Goals, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        check_niches(name, niches, 20, goals)
