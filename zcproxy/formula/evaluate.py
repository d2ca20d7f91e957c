"""Evaluates formulas on columns: arithmetic on numbers, vectorised over networks, without torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zcproxy.formula.axes import is_per_block
from zcproxy.formula.connections import Connections
from zcproxy.formula.kinds import Kind
from zcproxy.formula.layers import Blocks, RaggedBlocks, RaggedLayers
from zcproxy.formula.registry import vocabulary
from zcproxy.formula.tree import SHALLOW, Node, fold

Array = NDArray[np.float64]


LARGEST = 1e30
"""Beyond this, evolution refuses a score: it says nothing but its rank, and overflows in single precision."""


class Outcome(Enum):
    """The outcome of evaluating a formula on a set of networks; the value is the message."""

    OK = "finite for every network with a live layer"
    UNDEFINED = "not finite, or beyond 1e30, for some networks"
    CONSTANT = "the same value for every network"


class Evaluator:
    """Evaluates formulas on one set of networks and remembers the values of their subtrees.

    Args:
        counts: networks: live layers of each.
        columns: values of the columns, see `zcproxy.columns.table.ColumnTable`.
        blocks: where the blocks of the networks are; None where no column has one number per block.
        connections: stages and paths of the networks; None where they are not known, and all that reads them is NaN.
        remembered: bytes of layer-level values to keep, and as many of network-level ones.
    """

    def __init__(
        self,
        counts: NDArray[np.integer],
        columns: Mapping[Node, NDArray[np.floating]],
        blocks: Blocks | None = None,
        connections: Connections | None = None,
        *,
        remembered: int = 2**27,
    ) -> None:
        self._layers = RaggedLayers(counts, connections)
        self._blocks: RaggedBlocks | None = None
        if blocks is not None and any(map(is_per_block, columns)):
            self._blocks = RaggedBlocks(blocks, counts)
        self._columns = {column: np.asarray(value, dtype=np.float64) for column, value in columns.items()}
        self._per_layer: dict[Node, Array] = {}
        self._per_network: dict[Node, Array] = {}
        self._most_per_layer = remembered // (8 * max(1, self._layers.layers))
        self._most_per_network = remembered // (8 * max(1, self._layers.networks))

    def __call__(self, formula: Node) -> Array:
        """Return one number per network: NaN where the formula is undefined or not finite.

        Raises:
            KeyError: a column of the formula is not in the table.
        """
        with np.errstate(all="ignore"):
            values = self._value(formula)
        values = np.broadcast_to(values, (self._layers.networks,))
        return np.where(np.isfinite(values), values, np.nan)

    def outcome(self, values: Array, part: slice = slice(None)) -> Outcome:
        """Return the outcome of an evaluation on a part of the networks; those without a live layer do not count."""
        live = values[part][self._layers.count[part] > 0]
        if not (np.abs(live) <= LARGEST).all():  # NaN is not, either
            return Outcome.UNDEFINED
        return Outcome.CONSTANT if live.size == 0 or (live == live[0]).all() else Outcome.OK

    def _value(self, node: Node) -> Any:
        if node.value is not None:
            return np.float64(node.value)
        known = self._per_network if node.kind is Kind.NETWORK else self._per_layer
        value = known.get(node)
        if value is None:
            if node.is_column:
                value = self._columns[node]
            elif node.depth > SHALLOW:
                return fold(node, self._operands, self._value_of_deep)
            else:
                value = self._apply(node, [self._value(child) for child in node.arguments])
            self._remember(known, node, value)
        return value

    def _operands(self, node: Node) -> Sequence[Node]:
        """Return what is evaluated before a deep node that is not known yet."""
        return () if node.depth <= SHALLOW or node.is_column or node in self._known(node) else node.arguments

    def _value_of_deep(self, node: Node, operands: list[Any]) -> Any:
        if not operands:
            return self._value(node)
        value = self._apply(node, operands)
        self._remember(self._known(node), node, value)
        return value

    def _known(self, node: Node) -> dict[Node, Array]:
        return self._per_network if node.kind is Kind.NETWORK else self._per_layer

    def _remember(self, known: dict[Node, Array], node: Node, value: Array) -> None:
        if len(known) >= (self._most_per_layer if known is self._per_layer else self._most_per_network):
            known.clear()
        known[node] = value

    def _apply(self, node: Node, arguments: list[Any]) -> Any:
        function = vocabulary().function(node)
        kinds = [child.kind for child in node.arguments]
        layers = self._layers
        if node.kind is Kind.RANKING:
            return function(*[np.broadcast_to(argument, (layers.networks,)) for argument in arguments])
        if Kind.STAGE in kinds:
            layers = layers.stages
        elif Kind.LAYER not in kinds:
            return function(*arguments)
        elif self._blocks is not None:
            layers = self._on_one_axis(self._blocks, node, arguments)
        if node.kind is Kind.NETWORK or (node.kind is Kind.STAGE and Kind.LAYER in kinds):
            return function(*arguments, layers)
        arguments = [
            argument if kind is not Kind.NETWORK or np.ndim(argument) == 0 else layers.broadcast(argument)
            for argument, kind in zip(arguments, kinds, strict=True)
        ]
        return function(*arguments)

    def _on_one_axis(self, blocks: RaggedBlocks, node: Node, arguments: list[Any]) -> RaggedLayers:
        """Return what a node is evaluated on, blocks or layers, after putting the arguments that differ onto layers."""
        places = [index for index, child in enumerate(node.arguments) if child.kind is Kind.LAYER]
        per_block = [index for index in places if is_per_block(node.arguments[index])]
        if per_block == places and not vocabulary().is_connected(node):
            return blocks
        for index in per_block:
            arguments[index] = blocks.onto_layers(arguments[index])
        return self._layers
