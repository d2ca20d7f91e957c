"""The Pareto front of several objectives, and the volume that it dominates."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pymoo.indicators.hv import HV
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

from zcproxy.correlation.ranks import mean_ranks
from zcproxy.search.goals import Candidate

Array = NDArray[np.float64]


def pareto_front(outcomes: Sequence[Candidate]) -> list[Candidate]:
    """Return the outcomes within the bounds that no other is better than everywhere, by their costs."""
    inside = [outcome for outcome in outcomes if outcome.violation == 0.0]
    if not inside:
        return []
    front = NonDominatedSorting().do(costs_of(inside), only_non_dominated_front=True)
    return sorted((inside[index] for index in front), key=lambda outcome: outcome.key)


def costs_of(outcomes: Sequence[Candidate]) -> Array:
    """Return the costs as an array: outcomes x objectives."""
    return np.array([outcome.costs for outcome in outcomes], np.float64)


def hypervolume(costs: Array, ideal: Array, nadir: Array) -> float:
    """Return the share of the box between two corners that points dominate (Zitzler and Thiele, PPSN 1998).

    Args:
        costs: points x objectives, less is better.
        ideal: the corner of the best costs.
        nadir: the corner of the worst costs.
    """
    span = np.where(nadir > ideal, nadir - ideal, 1.0)
    scaled = (costs - ideal) / span
    inside = scaled[(scaled < 1.0).all(axis=1)]
    if len(inside) == 0:
        return 0.0
    return float(HV(ref_point=np.ones(len(ideal)))(np.maximum(inside, 0.0)))


def hypervolume_over(
    outcomes: Sequence[Candidate], *, points: int = 100, by_rank: Sequence[int] = ()
) -> tuple[NDArray[np.int64], Array]:
    """Return the hypervolume after some numbers of evaluations, within the box that all outcomes span.

    Args:
        outcomes: in the order of their evaluation.
        points: at how many numbers of evaluations.
        by_rank: places of objectives without a scale, such as scores: their ranks count, not their values.

    Returns:
        Numbers of evaluations, and the hypervolume at each; 0 where nothing is within the bounds yet.
    """
    inside = [outcome for outcome in outcomes if outcome.violation == 0.0]
    after = np.unique(np.linspace(1, len(outcomes), min(points, len(outcomes))).round().astype(np.int64))
    if not inside:
        return after, np.zeros(len(after))
    costs = costs_of(inside)
    for place in by_rank:
        costs[:, place] = mean_ranks(costs[:, place])
    ideal, nadir = costs.min(axis=0), costs.max(axis=0)
    nadir = nadir + 1e-9 * np.maximum(nadir - ideal, 1.0)  # the worst point dominates itself
    known = np.cumsum([outcome.violation == 0.0 for outcome in outcomes])[after - 1]
    return after, np.array([hypervolume(costs[:count], ideal, nadir) if count else 0.0 for count in known])


def ranked(outcomes: Sequence[Candidate]) -> list[Candidate]:
    """Return outcomes from best to worst: within the bounds by fronts, each spread out; then by violation."""
    inside = [outcome for outcome in outcomes if outcome.violation == 0.0]
    outside = sorted((outcome for outcome in outcomes if outcome.violation > 0.0), key=lambda outcome: outcome.key)
    if not inside:
        return outside
    costs = costs_of(inside)
    fronts = NonDominatedSorting().do(costs)
    order = [index for front in fronts for index in _spread(costs[front], front)]
    return [inside[index] for index in order] + outside


def most_promising(candidates: Sequence[Candidate], known: Sequence[Candidate], count: int) -> list[Candidate]:
    """Return the candidates that would add most hypervolume to what is known, each beside those before it.

    Where fewer than `count` add any, the best of the others follow, as `ranked` has them.
    """
    inside = [outcome for outcome in known if outcome.violation == 0.0]
    order = ranked(candidates)
    able = [outcome for outcome in order if outcome.violation == 0.0]
    if not able or len(able[0].costs) == 1:
        return order[:count]
    everything = costs_of([*inside, *able])
    ideal, nadir = everything.min(axis=0), everything.max(axis=0)
    points = costs_of(inside) if inside else np.empty((0, len(ideal)))
    volume = hypervolume(points, ideal, nadir)
    gains = [(-math.inf, place) for place in range(len(able))]
    chosen: list[int] = []
    while gains and len(chosen) < count:
        _, place = heapq.heappop(gains)
        fresh = volume - hypervolume(np.vstack([points, costs_of([able[place]])]), ideal, nadir)
        if gains and fresh > gains[0][0]:  # gains only shrink: the next one's old gain bounds its new one
            heapq.heappush(gains, (fresh, place))
        elif fresh < 0.0:
            chosen.append(place)
            points = np.vstack([points, costs_of([able[place]])])
            volume -= fresh
        else:
            break
    first = [able[place] for place in chosen]
    return [*first, *(outcome for outcome in order if outcome not in first)][:count]


def _spread(costs: Array, front: NDArray[np.int64]) -> list[int]:
    """Return the members of a front so that every beginning of the list is spread out: farthest point first."""
    span = np.ptp(costs, axis=0)
    scaled = (costs - costs.min(axis=0)) / np.where(span > 0, span, 1.0)
    chosen = [int(np.argmin(scaled[:, 0]))]
    nearest = np.full(len(front), math.inf)
    while len(chosen) < len(front):
        nearest = np.minimum(nearest, np.abs(scaled - scaled[chosen[-1]]).sum(axis=1))
        nearest[chosen] = -math.inf
        chosen.append(int(np.argmax(nearest)))
    return [int(front[index]) for index in chosen]
