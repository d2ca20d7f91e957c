"""Path algebra on many networks at once: over all paths, what numbers of the layers along them come to.

The sum over paths is computed layer after layer, never path by path. All networks advance together, and a network falls
into parts at the places that all its paths lead through, which advance together too: the number of steps is the length
of the longest such part, not the depth.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from zcproxy.formula.connections import Connections

Array = NDArray[np.floating]
Places = NDArray[np.integer]


@dataclass(frozen=True)
class _Step:
    """The places, layers or junctions, that are computed together.

    Attributes:
        places: slice of theirs in the order of computation.
        sources: what they read, in the same order, that of one after that of another.
        starts: which of these begin a part.
        first: where in `sources` each place's own begin; None where each reads one.
    """

    places: slice
    sources: Places
    starts: NDArray[np.bool_]
    first: Places | None


class RaggedPaths:
    """The paths of many networks. A network without any, whose graph is not known, has NaN for everything.

    Args:
        connections: of the networks.
    """

    def __init__(self, connections: Connections) -> None:
        found = [_ordered(*edges) for edges in _edges_of(connections)]
        levels = np.concatenate([np.array(each.levels, np.int64) for each in found])
        self._order = np.argsort(levels, kind="stable")
        rank = np.empty_like(self._order)
        rank[self._order] = np.arange(len(rank))
        offsets = np.cumsum([0, *(len(each.levels) for each in found)])
        first_layers = np.cumsum(connections.counts) - connections.counts
        self._layers = np.full(len(levels), -1)
        for network, each in enumerate(found):
            own = np.array(each.names, np.int64)
            is_layer = own < connections.counts[network]
            self._layers[offsets[network] : offsets[network + 1]][is_layer] = own[is_layer] + first_layers[network]
        self._layers = self._layers[self._order]
        self._steps = _steps(found, offsets, levels, rank)
        self._networks = len(found)
        self._known = np.flatnonzero((connections.edges > 0) & (connections.counts > 0))
        meetings = [rank[offsets[n] + np.array(found[n].meetings, np.int64)] for n in self._known]
        self._meetings = np.concatenate([np.zeros(0, np.int64), *meetings])
        self._first_meetings = np.cumsum([0, *map(len, meetings)])[:-1]

    def log_sum(self, values: Array) -> Array:
        """Return ln of the sum over paths of e^(the sum of the values along it)."""
        return self._over_paths(values, np.logaddexp, np.add, 0.0)

    def largest_sum(self, values: Array) -> Array:
        """Return the largest over paths of the sum of the values along it."""
        return self._over_paths(values, np.maximum, np.add, 0.0)

    def largest_minimum(self, values: Array) -> Array:
        """Return the largest over paths of the smallest value along it; infinity where a path has no layer."""
        return self._over_paths(values, np.maximum, np.minimum, np.inf)

    def _over_paths(self, values: Array, beside: np.ufunc, along: np.ufunc, start: float) -> Array:
        """Return what `along` makes of the values of a path and `beside` of several paths; `start` changes neither."""
        result = np.full(self._networks, np.nan)
        if not len(self._known):
            return result
        own = np.where(self._layers >= 0, values[self._layers], start)
        reached = np.empty(len(own))
        for step in self._steps:
            before = np.where(step.starts, start, reached[step.sources])
            if step.first is not None:
                before = beside.reduceat(before, step.first)
            reached[step.places] = along(before, own[step.places])
        result[self._known] = along.reduceat(reached[self._meetings], self._first_meetings)
        return result


@dataclass(frozen=True)
class _Ordered:
    """The places of one network, in the order of its edges' targets.

    Attributes:
        names: the target that each place is.
        sources: for each place, the places that it reads; -1 for the input.
        levels: the number of steps from the beginning of its part to each place.
        meetings: the places that all paths lead through; the output is the last.
    """

    names: list[int]
    sources: list[list[int]]
    levels: list[int]
    meetings: list[int]


def _edges_of(connections: Connections) -> list[tuple[list[int], list[int]]]:
    """Return sources and targets of each network."""
    ends = np.cumsum([0, *connections.edges.tolist()])
    sources, targets = connections.sources.tolist(), connections.targets.tolist()
    return [(sources[start:stop], targets[start:stop]) for start, stop in pairwise(ends.tolist())]


def _ordered(sources: list[int], targets: list[int]) -> _Ordered:
    places = {-1: -1}
    for target in targets:
        places.setdefault(target, len(places) - 1)
    count = len(places) - 1
    read: list[list[int]] = [[] for _ in range(count)]
    spans = [0] * (count + 1)
    for source, target in zip(sources, targets, strict=True):
        begin, end = places[source], places[target]
        read[end].append(begin)
        spans[begin + 1] += 1
        spans[end] -= 1
    meets = [not spanned for spanned in accumulate(spans)]
    levels: list[int] = []
    for before in read:
        levels.append(1 + max(0 if place < 0 or meets[place] else levels[place] for place in before))
    return _Ordered(list(places)[1:], read, levels, [place for place in range(count) if meets[place]])


def _steps(found: list[_Ordered], offsets: Places, levels: Places, rank: Places) -> list[_Step]:
    """Return the steps of all networks.

    Args:
        found: their places.
        offsets: the number of places of the networks before each.
        levels: the step in which each place is computed, from 1.
        rank: the number of places that are computed before each.
    """
    rows: list[list[tuple[int, int, bool]]] = [[] for _ in range(int(levels.max(initial=0)))]
    for offset, each in zip(offsets.tolist(), found, strict=False):
        meetings = frozenset(each.meetings)
        for place, read in enumerate(each.sources):
            target = int(rank[offset + place])
            for source in read:
                begins = source < 0 or source in meetings
                rows[each.levels[place] - 1].append((target, 0 if begins else int(rank[offset + source]), begins))
    steps, begin = [], 0
    for row in rows:
        targets, sources, starts = (np.array(part) for part in zip(*row, strict=True))
        first = np.flatnonzero(np.diff(targets, prepend=-1))
        steps.append(
            _Step(
                slice(begin, begin + len(first)),
                sources,
                starts,
                None if len(first) == len(targets) else first,
            )
        )
        begin += len(first)
    return steps
