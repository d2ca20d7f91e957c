"""The paths between input and output of a network, counted in its autograd graph."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch.autograd.graph import Node

from zcproxy.probing.graph import Graph
from zcproxy.probing.layer_call import LayerCall


@dataclass(frozen=True)
class Paths:
    """Paths from input to output.

    Attributes:
        log_paths: ln of their number.
        shortest: fewest layers on one.
        longest: most layers on one.
        shares: for each layer call, the share of the paths that lead through it.
        longest_shares: for each layer call, the share of the longest paths that lead through it.
        shared_by_all: operations whose result every path goes through, by their index.
    """

    log_paths: float
    shortest: float
    longest: float
    shares: list[float]
    longest_shares: list[float]
    shared_by_all: frozenset[int] = frozenset()


@dataclass(frozen=True)
class _Ways:
    """The ways between a node and one end of the network.

    Attributes:
        count: their number.
        shortest: fewest layers on one.
        longest: most layers on one.
        longest_count: the number of ways with most layers.
    """

    count: int = 1
    shortest: float = 0.0
    longest: float = 0.0
    longest_count: int = 1

    def beyond(self, layers: float) -> _Ways:
        """Return the ways that go on through some layers."""
        return _Ways(self.count, self.shortest + layers, self.longest + layers, self.longest_count)

    def beside(self, other: _Ways | None) -> _Ways:
        """Return these ways and others."""
        if other is None:
            return self
        longest = max(self.longest, other.longest)
        return _Ways(
            self.count + other.count,
            min(self.shortest, other.shortest),
            longest,
            sum(each.longest_count for each in (self, other) if each.longest == longest),
        )


def layers_at(calls: Sequence[LayerCall]) -> dict[Node, list[int]]:
    """Return the layer calls whose output a node yields, by their index."""
    found: dict[Node, list[int]] = {}
    for index, call in enumerate(calls):
        edge = call.slot("output").edge
        if edge is not None:
            found.setdefault(edge.node, []).append(index)
    return found


def count_paths(graph: Graph, calls: Sequence[LayerCall], operations: Sequence[Node | None]) -> Paths:
    """Count the paths of a graph from the output back to the input, and weight layers along them.

    Args:
        graph: the graph of a pass.
        calls: the layer calls of the pass.
        operations: the nodes of results, None where there is none.
    """
    nowhere = [0.0] * len(calls)
    layers = layers_at(calls)
    to_input = _ways_to_input(graph, layers)
    if graph.output is None or graph.output not in to_input:
        return Paths(-math.inf, math.nan, math.nan, nowhere, nowhere)
    from_output = _ways_from_output(graph, layers)
    whole = to_input[graph.output]
    shares, longest_shares = nowhere.copy(), nowhere.copy()
    for node, indices in layers.items():
        above, below = from_output.get(node), to_input.get(node)
        if above is None or below is None:
            continue
        for index in indices:
            shares[index] = above.count * below.count / whole.count
            if above.longest + below.longest == whole.longest:
                longest_shares[index] = above.longest_count * below.longest_count / whole.longest_count
    shared_by_all = frozenset(
        index
        for index, node in enumerate(operations)
        if node in to_input and node in from_output and from_output[node].count * to_input[node].count == whole.count
    )
    return Paths(math.log(whole.count), whole.shortest, whole.longest, shares, longest_shares, shared_by_all)


def _ways_to_input(graph: Graph, layers: Mapping[Node, list[int]]) -> dict[Node, _Ways]:
    """Return the ways from nodes to the input, the layers of the node itself included."""
    found: dict[Node, _Ways] = {graph.inputs: _Ways()}
    for node in reversed(graph.order):
        ways: _Ways | None = None
        for operand in graph.operands[node]:
            if operand in found:
                ways = found[operand].beside(ways)
        if ways is not None:
            found[node] = ways.beyond(len(layers.get(node, ())))
    return found


def _ways_from_output(graph: Graph, layers: Mapping[Node, list[int]]) -> dict[Node, _Ways]:
    """Return the ways from the output to nodes, without the layers of the node itself."""
    assert graph.output is not None
    found: dict[Node, _Ways] = {graph.output: _Ways()}
    for node in graph.order:
        ways = found[node].beyond(len(layers.get(node, ())))
        for operand in graph.operands[node]:
            found[operand] = ways.beside(found.get(operand))
    return found
