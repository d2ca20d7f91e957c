"""How parents and survivors are found."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from scipy.stats import spearmanr

from zcproxy.columns.table import ColumnTable
from zcproxy.evolve import Individual, primitive_set, tree_of
from zcproxy.evolve.deap.individual import WORST_VALUE, finite_objectives
from zcproxy.evolve.deap.randomness import lent_to
from zcproxy.evolve.deap.selection import SELECTIONS, SURVIVORS, distinct
from zcproxy.evolve.fitness import Fitness, FitnessFunction
from zcproxy.formula.evaluate import Outcome
from zcproxy.primitives import parse

PRIMITIVES = primitive_set(["total_params", "total_macs", "depth"])


def scored(*cases: float, size: int = 3, cost: float = 1.0, signature: bytes = b"", text: str = "depth") -> Individual:
    individual = tree_of(text, PRIMITIVES)
    mean = sum(cases) / len(cases)
    individual.score = Fitness(cases, cases, min(cases), mean, Outcome.OK, signature, size, cost)
    individual.fitness.values = individual.score.objectives
    return individual


def draws(name: str, individuals: list[Individual], count: int = 2000) -> Counter[int]:
    places = {id(each): place for place, each in enumerate(individuals)}
    with lent_to(Random(3)):
        return Counter(places[id(each)] for each in SELECTIONS[name](individuals, count))


SPECIALISTS = [scored(0.9, 0.0, 0.1), scored(0.0, 0.9, 0.1), scored(0.5, 0.5, 0.1), scored(0.1, 0.1, 0.9)]


@pytest.mark.parametrize("name", ["lexicase", "epsilon-lexicase"])
def test_lexicase_lets_every_specialist_have_children(name: str) -> None:
    assert set(draws(name, SPECIALISTS)) >= {0, 1, 3}


def test_the_first_case_decides_where_nothing_else_is_as_good() -> None:
    found = [scored(0.9, 0.9), scored(0.1, 0.1), scored(0.12, 0.1), scored(0.11, 0.12)]
    assert set(draws("lexicase", found)) == set(draws("epsilon-lexicase", found)) == {0}


def test_what_is_as_good_within_the_spread_is_drawn_too() -> None:
    found = [scored(0.50), scored(0.49), scored(0.30), scored(0.10)]
    assert set(draws("epsilon-lexicase", found)) == {0, 1}
    assert set(draws("lexicase", found)) == {0}


def test_the_better_wins_more_tournaments_and_the_worst_some() -> None:
    found = draws("tournament", [scored(value, value) for value in (0.1, 0.2, 0.3, 0.4)])
    assert found[3] > found[2] > found[1] > found[0] > 0


def test_of_two_as_good_the_smaller_wins_more_double_tournaments() -> None:
    found = [scored(0.4), scored(0.4, text="total_params * depth + total_macs")]
    assert draws("double-tournament", found)[0] > 1.3 * draws("double-tournament", found)[1] > 0


@pytest.mark.parametrize("name", SELECTIONS)
def test_one_formula_is_its_own_rival(name: str) -> None:
    assert draws(name, [scored(0.3)], 3) == {0: 3}


@pytest.mark.parametrize("name", SURVIVORS)
def test_the_best_survive(name: str) -> None:
    rng = Random(0)
    best = scored(0.9, size=1, cost=0.0)
    others = [scored(rng.uniform(0.0, 0.5), size=rng.randint(2, 30), cost=rng.randint(1, 4)) for _ in range(60)]
    with lent_to(Random(1)):
        found = SURVIVORS[name]([*others, best], 20)
    assert len(found) == len(set(map(id, found))) == 20
    assert any(each is best for each in found)


@pytest.mark.parametrize("name", SURVIVORS)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_few_all_survive(name: str, count: int) -> None:
    found = [scored(0.1 * place, size=place + 1) for place in range(count)]
    with lent_to(Random(1)):
        assert sorted(map(id, SURVIVORS[name](found, 10))) == sorted(map(id, found))


def test_of_those_that_rank_alike_the_cheapest_and_then_the_smallest_stays() -> None:
    found = [
        scored(0.5, size=9, cost=1.0, signature=b"a"),
        scored(0.5, size=4, cost=2.0, signature=b"a"),
        scored(0.5, size=7, cost=1.0, signature=b"a"),
        scored(0.5, size=8, cost=9.0, signature=b"b"),
    ]
    assert list(map(id, distinct(found))) == [id(found[2]), id(found[3])]


def test_an_objective_that_is_no_number_is_the_worst() -> None:
    nan, infinity = float("nan"), float("inf")
    assert finite_objectives((nan, 0.5, nan, infinity)) == (-WORST_VALUE, 0.5, WORST_VALUE, WORST_VALUE)
    undefined, poor = scored(0.4), scored(0.0)
    undefined.fitness.values = finite_objectives((nan, nan, 3.0, 1.0))
    assert poor.fitness > undefined.fitness and poor.fitness.dominates(undefined.fitness)


def ranking(order: list[int], tau: float, text: str) -> Individual:
    """Return an individual whose formula ranks networks in an order."""
    places = np.array(order, np.float32) - (len(order) - 1) / 2
    individual = scored(tau, text=text, signature=text.encode())
    assert individual.score is not None
    individual.score = replace(individual.score, places=places / np.linalg.norm(places))
    return individual


def test_of_formulas_that_rank_alike_the_better_stays_and_smaller_ones() -> None:
    order = list(range(100))
    nearly = [1, 0, *order[2:]]  # Spearman .99999
    best = ranking(order, 0.8, "total_params * depth")
    larger = ranking(nearly, 0.7, "total_params * depth + total_macs")
    smaller = ranking(nearly, 0.6, "depth")
    other = ranking(order[::-1], 0.1, "total_params * depth + total_macs * depth")
    assert SURVIVORS["novel"]([larger, smaller, other, best], 4) == [best, smaller, other]


def test_the_product_of_places_is_the_mean_spearman_correlation_over_tasks() -> None:
    rng = np.random.default_rng(0)
    size, macs = parse("total_params"), parse("total_macs")
    tables = [
        ColumnTable(np.ones(count, np.intp), {size: rng.normal(size=count), macs: rng.normal(size=count)})
        for count in (15, 40)
    ]
    fitness = FitnessFunction(tables, [rng.normal(size=len(table.counts)) for table in tables])
    expected = np.mean([spearmanr(table.values[size], table.values[macs]).statistic for table in tables])
    assert fitness(size).places @ fitness(macs).places == pytest.approx(expected, abs=1e-6)
    assert fitness(size).places @ fitness(size).places == pytest.approx(1.0, abs=1e-6)
