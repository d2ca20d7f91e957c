"""How parents are found."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from zcproxy.evolve.fitness import Fitness
from zcproxy.evolve.parents import SELECTIONS, lexicase, tournament
from zcproxy.formula.evaluate import Outcome


def score_of(*cases: float) -> Fitness:
    return Fitness(cases, cases, min(cases), sum(cases) / len(cases), Outcome.OK, b"", 3, 1.0)


def draws(name: str, scores: list[Fitness], count: int = 2000) -> Counter[int]:
    draw, rng = SELECTIONS[name](scores), Random(3)
    return Counter(draw(rng) for _ in range(count))


SPECIALISTS = [score_of(0.9, 0.0, 0.1), score_of(0.0, 0.9, 0.1), score_of(0.5, 0.5, 0.1), score_of(0.1, 0.1, 0.9)]


def test_lexicase_lets_every_specialist_breed() -> None:
    found = draws("lexicase", SPECIALISTS * 3)
    assert {index % 4 for index in found} >= {0, 1, 3}


def test_the_first_case_decides_where_nothing_else_is_about_as_good() -> None:
    scores = [score_of(0.9, 0.9), score_of(0.1, 0.1), score_of(0.12, 0.1), score_of(0.11, 0.12)]
    assert set(draws("lexicase", scores)) == {0}


def test_what_is_as_good_within_the_spread_is_drawn_too() -> None:
    scores = [score_of(0.50), score_of(0.49), score_of(0.30), score_of(0.10)]
    assert set(draws("lexicase", scores)) == {0, 1}


def test_the_better_wins_more_tournaments_and_the_worst_some() -> None:
    found = draws("tournament", [score_of(value, value) for value in (0.1, 0.2, 0.3, 0.4)])
    assert found[3] > found[2] > found[1] > found[0] > 0


@pytest.mark.parametrize("make", [tournament, lexicase])
def test_one_formula_is_its_own_rival(make: object) -> None:
    assert make([score_of(0.3)])(Random(0)) == 0  # type: ignore[operator]
