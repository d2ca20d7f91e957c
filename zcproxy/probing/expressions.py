"""Evaluates column expressions on the tensors that a probe recorded, sharing common subexpressions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import cache
from typing import Any

import torch
from torch import Tensor

from zcproxy.errors import ModelError
from zcproxy.formula import Kind, Node, is_per_block, vocabulary
from zcproxy.probing.derivatives import BLOCK_JACOBIAN, INFORMATION, MOTION
from zcproxy.probing.losses import SAME_CLASS
from zcproxy.probing.placement import SmallProblems, device_of, fetched, gathered, handed_over
from zcproxy.probing.probes import PROBES
from zcproxy.probing.statistic import Statistic, statistic_of

LayerTensors = dict[str, Tensor]
"""Recorded tensors of one layer, or of one block, by the text of their leaf."""

Leaves = dict[str, set[str]]
"""Statistics by the name of their probe; `weight` alone belongs to the probe `""`."""


class ColumnEvaluator:
    """Evaluates columns layer by layer, those of blocks alone block by block; small matrices of all layers at once.

    Args:
        columns: expressions whose value is a number and that read tensors.
    """

    def __init__(self, columns: Iterable[Node]) -> None:
        self._functions: dict[Node, Callable[..., Any]] = {}
        self._columns = list(columns)
        self._device = torch.device("cpu")
        for column in self._columns:
            for node in column.walk():
                if node.arguments and node not in self._functions:
                    self._functions[node] = vocabulary().function(node)

    def evaluate(self, layers: Sequence[LayerTensors], blocks: Sequence[LayerTensors] = ()) -> dict[Node, Tensor]:
        """Return the value of every column: float, one number per layer or per block, or a scalar for a network column.

        Args:
            layers: for each layer, the recorded tensors.
            blocks: for each block, the recorded tensors; what reads nothing else is evaluated on them.
        """
        self._device = device_of(layers)
        with SmallProblems() if self._is_elsewhere else nullcontext():
            return self._evaluated(layers, blocks)

    @property
    def _is_elsewhere(self) -> bool:
        return self._device.type != "cpu"

    def _evaluated(self, layers: Sequence[LayerTensors], blocks: Sequence[LayerTensors]) -> dict[Node, Tensor]:
        nodes = self._stacked_nodes()
        of_blocks = {node for node in nodes if is_per_block(node)}
        known = self._on_each([node for node in nodes if node not in of_blocks], layers)
        known.update(self._on_each([node for node in nodes if node in of_blocks], blocks))
        result = {}
        for column in self._columns:
            if column.kind is Kind.LAYER:
                result[column] = numbers(known[column])
            else:
                summed = {
                    node: self._functions[node](JOINS[node.arguments[0].kind](known[node.arguments[0]]))
                    for node in column.walk()
                    if joins_layers(node)
                }
                rest = _steps([column], summed)
                of_network = layers[0]  # its statistics are the same in all
                result[column] = self._known(rest, of_network, summed)[column]
        return result

    def _stacked_nodes(self) -> list[Node]:
        """Return what has a value for each layer or block."""
        nodes: dict[Node, None] = {}
        for column in self._columns:
            if column.kind is Kind.LAYER:
                nodes[column] = None
            else:
                nodes.update({node.arguments[0]: None for node in column.walk() if joins_layers(node)})
        return list(nodes)

    def _on_each(self, nodes: Sequence[Node], places: Sequence[LayerTensors]) -> dict[Node, list[Tensor]]:
        """Return the values of nodes on the tensors of each layer, or of each block."""
        waiting = dict.fromkeys(node for node in nodes if node.arguments and vocabulary().stacks(node))
        roots = [*(node.arguments[0] for node in waiting), *(node for node in nodes if node not in waiting)]
        given = self._fetched(roots, places)
        steps = _steps(roots, given[0] if given else ())
        found: list[dict[Node, Tensor]] = []
        stacks = Stacks()
        for tensors, of_device in zip(places, given, strict=True):
            known = self._known(steps, tensors, of_device)
            values = {node: known[node] for node in nodes if node in known}
            for node in waiting:
                if node in known:
                    continue
                matrix = known[node.arguments[0]]
                if len(matrix) > LARGEST_STACKED:
                    values[node] = self._applied(node, [matrix])
                else:
                    stacks.add(node, matrix, values)
            found.append(values)
        stacks.evaluate(self._applied)
        return {node: [values[node] for values in found] for node in nodes}

    def _fetched(self, nodes: Sequence[Node], places: Sequence[LayerTensors]) -> list[dict[Node, Tensor]]:
        """Return for each layer or block what its device computes and the CPU goes on from; nothing on the CPU."""
        if not self._is_elsewhere:
            return [{} for _ in places]
        wanted = list(dict.fromkeys(handed_over(self._device, nodes)))
        steps = _steps(wanted)
        computed: list[Tensor] = []
        for tensors in places:
            known = self._known(steps, tensors)
            computed += [known[node] for node in wanted]
        values = iter(fetched(computed))
        return [{node: next(values) for node in wanted} for _ in places]

    def _known(
        self, steps: Sequence[Node], tensors: LayerTensors, given: Mapping[Node, Tensor] | None = None
    ) -> dict[Node, Tensor]:
        """Return the values that are given and those of the steps, each computed from what comes before it."""
        known = dict(given or {})
        for node in steps:
            if node.is_leaf:
                known[node] = tensors[node.symbol]
            else:
                known[node] = self._applied(node, [known[argument] for argument in node.arguments])
        return known

    def _applied(self, node: Node, arguments: list[Tensor]) -> Tensor:
        if self._is_elsewhere:
            arguments = gathered(self._device, node, arguments)
        try:
            return applied(self._functions[node], node.kind, *arguments)
        except ModelError as error:
            raise ModelError(f"'{node.symbol}' cannot be computed: {error}") from error


def _steps(roots: Iterable[Node], given: Collection[Node] = ()) -> list[Node]:
    """Return all that roots are computed from and they themselves, each once and after its arguments."""
    steps: dict[Node, None] = {}
    for root in roots:
        order, stack = [], [root]
        while stack:
            node = stack.pop()
            if node not in steps and node not in given:
                order.append(node)
                stack.extend(node.arguments)
        for node in reversed(order):
            steps[node] = None
    return list(steps)


class Stacks:
    """Small matrices that wait for those of other layers, to be evaluated together."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, torch.Size, torch.dtype], list[tuple[Node, Tensor, dict[Node, Tensor]]]] = {}

    def add(self, node: Node, matrix: Tensor, values: dict[Node, Tensor]) -> None:
        """Note a matrix that a node takes, and where the node's value belongs."""
        self._waiting.setdefault((node.symbol, matrix.shape, matrix.dtype), []).append((node, matrix, values))

    def evaluate(self, apply: Callable[[Node, list[Tensor]], Tensor]) -> None:
        """Put the value of every node where it belongs."""
        for group in self._waiting.values():
            result = apply(group[0][0], [torch.stack([matrix for _, matrix, _ in group])])
            for (node, _, values), value in zip(group, result.unbind(), strict=True):
                values[node] = value


LARGEST_STACKED = 128
"""Most rows of a matrix that waits for others: larger ones of a deep network would fill gigabytes."""


def applied(function: Callable[..., Tensor], kind: Kind, *arguments: Tensor) -> Tensor:
    """Return what a primitive yields, or NaN: two tensors of different shapes have no common value.

    A tensor of the double-precision probe lifts the other one to its precision.
    """
    if len(arguments) == 2:
        first, second = arguments
        if first.shape != second.shape:
            return _undefined(kind, first)
        if first.dtype != second.dtype:
            return function(first.double(), second.double())
    return function(*arguments)


def numbers(values: Sequence[Tensor]) -> Tensor:
    """Return the numbers of all layers or blocks along one axis, which may be empty."""
    return torch.stack(list(values)) if values else torch.empty(0)


def stacked(tensors: Sequence[Tensor]) -> Tensor:
    """Return the tensors of all layers or blocks along a new first axis, NaN for other sizes or none at all."""
    if not tensors:
        return torch.full((1, 1, 1), torch.nan)
    if any(tensor.shape != tensors[0].shape for tensor in tensors):
        return torch.full_like(tensors[0], torch.nan)[None]
    return torch.stack(list(tensors))


def concatenated(patterns: Sequence[Tensor]) -> Tensor:
    """Return the patterns of all layers or blocks along the first axis.

    NaN if their numbers of samples differ or there are none.
    """
    if not patterns:
        return torch.full((1, 1), torch.nan)
    if any(pattern.shape[1] != patterns[0].shape[1] for pattern in patterns):
        return torch.full_like(patterns[0][:1], torch.nan)
    return torch.cat(list(patterns))


JOINS: dict[Kind, Callable[[Sequence[Tensor]], Tensor]] = {
    Kind.ACTIVATIONS: stacked,
    Kind.SAMPLE_MATRIX: stacked,
    Kind.PATTERNS: concatenated,
}
"""Functions that join the values of all layers to one argument, by the kind of the argument."""


def joins_layers(node: Node) -> bool:
    """Whether a node takes what is not a number from all layers at once."""
    kinds = [child.kind for child in node.arguments]
    return node.kind.is_network_level and any(not kind.is_number and not kind.is_network_level for kind in kinds)


def _undefined(kind: Kind, like: Tensor) -> Tensor:
    """Return NaN in the shape that a kind has."""
    if kind is Kind.LAYER:
        return torch.full_like(like.flatten()[0], torch.nan)
    if kind in (Kind.SAMPLE_MATRIX, Kind.CHANNEL_MATRIX):
        return torch.full_like(like[:, :1].flatten()[:1].expand(len(like), len(like)), torch.nan)
    return torch.full_like(like, torch.nan)


def leaves_of(columns: Iterable[Node]) -> Leaves:
    """Return the statistics that columns read."""
    found: Leaves = {}
    for column in columns:
        for node in column.walk():
            if node.is_leaf and not node.kind.is_number:
                found.setdefault(statistic_of(node.symbol).probe, set()).add(node.symbol)
    return found


def needs_gradients(formula: Node) -> bool:
    """Whether a formula needs a backward pass, and not forward passes alone."""
    return any(
        item.is_gradient or item.name in (BLOCK_JACOBIAN, INFORMATION, MOTION) for item in statistics_of(formula)
    )


def statistics_of(formula: Node) -> Iterator[Statistic]:
    """Yield what the leaves of a formula name, numbers left out."""
    return (statistic_of(node.symbol) for node in formula.walk() if node.is_leaf and not node.is_constant)


def probes_of(formula: Node) -> frozenset[str]:
    """Return the names of the probes that a formula needs."""
    return frozenset(item.probe for item in statistics_of(formula) if item.probe)


@cache
def looks_at_images(formula: Node) -> bool:
    """Whether a probe of a formula looks at the pixels of the inputs rather than at their shape."""
    return any(PROBES[name].needs_images for name in probes_of(formula))


@cache
def compares_classes(formula: Node) -> bool:
    """Whether a formula reads which samples have the same class."""
    return any(item.name == SAME_CLASS for item in statistics_of(formula))
