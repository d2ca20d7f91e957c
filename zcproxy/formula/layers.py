"""The layer structure that numbers per layer live on: how many layers each network has, and sums over them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from zcproxy.formula.connections import Connections, connections_of, rows_of
from zcproxy.formula.ragged_paths import RaggedPaths

Array = NDArray[np.floating]
A = TypeVar("A")


class Layers(Protocol[A]):
    """Reductions of numbers per layer to numbers per network, and the way back.

    A network without a layer yields NaN everywhere but in `count`.
    """

    count: A
    """networks: the number of layers of each network."""

    def sum(self, values: A) -> A: ...
    def minimum(self, values: A) -> A: ...
    def maximum(self, values: A) -> A: ...
    def first(self, values: A) -> A: ...
    def last(self, values: A) -> A: ...
    def median(self, values: A) -> A: ...
    def relative_depth(self, values: A) -> A:
        """Return the position of each layer in [0, 1], with the dtype of `values`."""
        ...

    def at_depth(self, values: A, depth: A) -> A:
        """Return the value of the layer nearest to a relative depth in [0, 1], the deeper one of two."""
        ...

    def broadcast(self, values: A) -> A:
        """Return one number per layer from one number per network."""
        ...

    def in_body(self, values: A) -> A:
        """Return the numbers of the layers before global pooling."""
        ...

    @property
    def body(self) -> Layers[A]:
        """The layers before global pooling."""
        ...

    @property
    def within_stages(self) -> Layers[A]:
        """The same layers, stage by stage: reductions yield one number per stage."""
        ...

    @property
    def stages(self) -> Layers[A]:
        """The stages, in the place of layers."""
        ...

    @property
    def paths(self) -> OverPaths[A]:
        """The paths from input to output."""
        ...


class OverPaths(Protocol[A]):
    """Reductions over all paths of numbers per layer to numbers per network, see `RaggedPaths`."""

    def log_sum(self, values: A) -> A: ...
    def largest_sum(self, values: A) -> A: ...
    def largest_minimum(self, values: A) -> A: ...


@dataclass(frozen=True)
class Blocks:
    """The blocks of many networks.

    Attributes:
        counts: networks: the number of blocks of each.
        layers: blocks of the first network, of the second, ...: the place of the layer that ends it among those of its
            network, -1 where none does.
    """

    counts: NDArray[np.integer]
    layers: NDArray[np.integer]

    def take(self, networks: NDArray[np.integer]) -> Blocks:
        """Return the blocks of some of the networks, in the order given."""
        return Blocks(self.counts[networks], self.layers[rows_of(self.counts, networks)])


class RaggedLayers:
    """Many networks at once: layer values are one flat array, network after network.

    Args:
        counts: networks: the number of layers of each.
        connections: stages of these layers and paths through them; None where nothing is known, so that what is asked
            of them is NaN.
    """

    def __init__(self, counts: NDArray[np.integer], connections: Connections | None = None) -> None:
        self._given = connections
        self.networks = len(counts)
        self.layers = int(counts.sum())
        self.count: Array = counts.astype(np.float64)
        self._filled = counts > 0
        ends = np.cumsum(counts)
        self._last = ends[self._filled] - 1
        self._first = (ends - counts)[self._filled]
        self._owner = np.repeat(np.arange(self.networks), counts)
        places = np.arange(self.layers) - np.repeat(ends - counts, counts)
        self._relative_depth: Array = places / np.maximum(np.repeat(counts, counts) - 1, 1)

    def _scatter(self, values: Array) -> Array:
        if self._filled.all():
            return values
        result = np.full(self.networks, np.nan, dtype=values.dtype)
        result[self._filled] = values
        return result

    def _reduce(self, operation: np.ufunc, values: Array) -> Array:
        if self.layers == 0:
            return np.full(self.networks, np.nan)
        return self._scatter(operation.reduceat(values, self._first))

    def sum(self, values: Array) -> Array:
        return self._reduce(np.add, values)

    def minimum(self, values: Array) -> Array:
        return self._reduce(np.minimum, values)

    def maximum(self, values: Array) -> Array:
        return self._reduce(np.maximum, values)

    def first(self, values: Array) -> Array:
        return self._scatter(values[self._first])

    def last(self, values: Array) -> Array:
        return self._scatter(values[self._last])

    def median(self, values: Array) -> Array:
        ordered = values[np.lexsort((values, self._owner))]
        counts = self._last - self._first + 1
        middle = (ordered[self._first + (counts - 1) // 2] + ordered[self._first + counts // 2]) / 2
        undefined = np.isnan(ordered[self._last])
        return self._scatter(np.where(undefined, np.nan, middle))

    def relative_depth(self, values: Array) -> Array:
        return self._relative_depth.astype(values.dtype)

    def at_depth(self, values: Array, depth: Array) -> Array:
        inside = np.broadcast_to((depth >= 0.0) & (depth <= 1.0), (self.networks,))[self._filled]
        exact = np.where(inside, np.broadcast_to(depth, (self.networks,))[self._filled], 0.0)
        places = np.floor(exact * (self._last - self._first) + 0.5).astype(np.int64)
        return self._scatter(np.where(inside, values[self._first + places], np.nan))

    def broadcast(self, values: Array) -> Array:
        return values[self._owner]

    def in_body(self, values: Array) -> Array:
        return values[self._body_rows]

    @cached_property
    def _connections(self) -> Connections:
        counts = self.count.astype(np.int64)
        return self._given or connections_of([([-1] * count, ()) for count in counts.tolist()])

    @cached_property
    def _body_rows(self) -> NDArray[np.integer]:
        return np.flatnonzero(self._connections.stages >= 0)

    @cached_property
    def body(self) -> RaggedLayers:
        return RaggedLayers(np.bincount(self._owner[self._body_rows], minlength=self.networks))

    @cached_property
    def _stage_starts(self) -> NDArray[np.integer]:
        """The rows of the body that begin a stage."""
        stages, owner = self._connections.stages[self._body_rows], self._owner[self._body_rows]
        return np.flatnonzero((np.diff(stages, prepend=-1) != 0) | (np.diff(owner, prepend=-1) != 0))

    @cached_property
    def within_stages(self) -> RaggedLayers:
        return RaggedLayers(np.diff(self._stage_starts, append=len(self._body_rows)))

    @cached_property
    def stages(self) -> RaggedLayers:
        owners = self._owner[self._body_rows[self._stage_starts]]
        return RaggedLayers(np.bincount(owners, minlength=self.networks))

    @cached_property
    def paths(self) -> RaggedPaths:
        return RaggedPaths(self._connections)


class RaggedBlocks(RaggedLayers):
    """The blocks of many networks at once, in the place of layers.

    Args:
        blocks: where they are.
        counts: networks: the number of layers of each.
    """

    def __init__(self, blocks: Blocks, counts: NDArray[np.integer]) -> None:
        super().__init__(blocks.counts)
        self._all_layers = int(counts.sum())
        self._ended = np.flatnonzero(blocks.layers >= 0)
        self._ends = (np.repeat(np.cumsum(counts) - counts, blocks.counts) + blocks.layers)[self._ended]

    def onto_layers(self, values: Array) -> Array:
        """Return one number per layer from one per block: that of the block that it ends, NaN where it ends none."""
        result = np.full(self._all_layers, np.nan)
        result[self._ends] = values[self._ended]
        return result
