"""Stages and connections of the layers of many networks: what aggregations over stages and paths run on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.integer]


@dataclass(frozen=True)
class Connections:
    """Which stage each layer of many networks is in, and which layers read what others made.

    Attributes:
        counts: networks: the number of layers of each.
        stages: layers of the first network, of the second, ...: the stage of each, counted from 0 in each network; -1
            for a layer behind global pooling.
        edges: networks: the number of edges of each.
        sources: edges of the first network, of the second, ...: place of the layer among those of its network, -1 for
            the input; from the number of layers on, junctions where several results meet that several others read.
        targets: the same; the last one is the output. Edges of a target stand together, after those of what it reads.
    """

    counts: Integers
    stages: Integers
    edges: Integers
    sources: Integers
    targets: Integers

    def take(self, networks: Integers) -> Connections:
        """Return the connections of some of the networks, in the order given."""
        layers, edges = rows_of(self.counts, networks), rows_of(self.edges, networks)
        return Connections(
            self.counts[networks],
            self.stages[layers],
            self.edges[networks],
            self.sources[edges],
            self.targets[edges],
        )


def connections_of(networks: Sequence[tuple[Sequence[int], Sequence[tuple[int, int]]]]) -> Connections:
    """Return the connections of networks, given the stages of their layers and their edges."""
    ends = [np.array(edges, np.int64).reshape(-1, 2) for _, edges in networks]
    return Connections(
        np.array([len(stages) for stages, _ in networks], np.int64),
        np.concatenate([np.array(stages, np.int64) for stages, _ in networks]),
        np.array([len(each) for each in ends], np.int64),
        np.concatenate([each[:, 0] for each in ends]),
        np.concatenate([each[:, 1] for each in ends]),
    )


def joined_connections(parts: Iterable[Connections]) -> Connections:
    """Return the connections of the networks of all parts, in their order."""
    fields = zip(*((part.counts, part.stages, part.edges, part.sources, part.targets) for part in parts), strict=True)
    return Connections(*map(np.concatenate, fields))


def rows_of(counts: Integers, networks: Integers) -> Integers:
    """Return the rows of some of the networks, in the order given, in an array that has `counts` rows for each."""
    taken = counts[networks]
    first = (np.cumsum(counts) - counts)[networks]
    rows: Integers = np.arange(taken.sum()) + np.repeat(first - np.cumsum(taken) + taken, taken)
    return rows
