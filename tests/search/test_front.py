"""Pareto fronts and hypervolumes against direct computations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from zcproxy.search.front import hypervolume, hypervolume_over, most_promising, pareto_front, ranked
from zcproxy.search.goals import Candidate

Points = list[tuple[int, int, int]]
POINTS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 2)), min_size=1, max_size=25)


def outcomes_of(points: Points) -> list[Candidate]:
    """Return outcomes with two costs and a violation each."""
    return [Candidate(str(index), (float(a), float(b)), float(v), ()) for index, (a, b, v) in enumerate(points)]


def dominates(one: Candidate, other: Candidate) -> bool:
    return all(a <= b for a, b in zip(one.costs, other.costs, strict=True)) and one.costs != other.costs


@given(POINTS)
def test_the_front_is_what_nothing_within_the_bounds_dominates(points: Points) -> None:
    outcomes = outcomes_of(points)
    inside = [outcome for outcome in outcomes if outcome.violation == 0.0]
    expected = {item.architecture for item in inside if not any(dominates(other, item) for other in inside)}
    assert {outcome.architecture for outcome in pareto_front(outcomes)} == expected


@given(POINTS)
def test_ranking_keeps_all_and_puts_no_outcome_before_one_that_dominates_it(points: Points) -> None:
    order = ranked(outcomes_of(points))
    assert sorted(int(outcome.architecture) for outcome in order) == list(range(len(points)))
    for place, outcome in enumerate(order):
        for later in order[place + 1 :]:
            assert later.violation >= outcome.violation or outcome.violation == 0.0 == later.violation
            if outcome.violation == later.violation == 0.0:
                assert not dominates(later, outcome)


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=20))
def test_hypervolume_is_the_share_of_cells_that_are_dominated(points: list[tuple[int, int]]) -> None:
    covered = {(x, y) for x in range(10) for y in range(10) if any(a <= x and b <= y for a, b in points)}
    found = hypervolume(np.array(points, float), np.zeros(2), np.full(2, 10.0))
    assert found == pytest.approx(len(covered) / 100, abs=1e-9)


@given(POINTS)
def test_hypervolume_never_shrinks(points: Points) -> None:
    after, volumes = hypervolume_over(outcomes_of(points))
    assert after[-1] == len(points)
    assert (np.diff(volumes) >= -1e-12).all()
    assert ((volumes >= 0) & (volumes <= 1 + 1e-9)).all()


@given(POINTS, POINTS, st.integers(1, 6))
def test_the_most_promising_add_most_hypervolume_one_after_another(
    points: Points, measured: Points, count: int
) -> None:
    candidates, known = outcomes_of(points), outcomes_of(measured)
    found = most_promising(candidates, known, count)
    assert len({outcome.architecture for outcome in found}) == len(found) == min(count, len(candidates))
    inside = [outcome for outcome in known if outcome.violation == 0.0]
    able = [outcome for outcome in candidates if outcome.violation == 0.0]
    if not able:
        assert found == ranked(candidates)[:count]
        return
    everything = np.array([outcome.costs for outcome in [*inside, *able]])
    corners = everything.min(axis=0), everything.max(axis=0)
    for place, chosen in enumerate(found):
        before = np.array([outcome.costs for outcome in [*inside, *found[:place]]]).reshape(-1, 2)
        volumes = {item.architecture: hypervolume(np.vstack([before, item.costs]), *corners) for item in able}
        most = max(volumes.values())
        if most > hypervolume(before, *corners) + 1e-9:
            assert volumes[chosen.architecture] == pytest.approx(most)
