"""The paths between input and output of a network, counted in its autograd graph."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor
from torch.autograd.graph import Node, get_gradient_edge

from zcproxy.probing.layer_call import LayerCall


@dataclass(frozen=True)
class Paths:
    """Paths from input to output.

    Attributes:
        log_paths: ln of their number.
        shortest: fewest layers on one.
        longest: most layers on one.
        shares: for each layer call, the share of the paths that lead through it.
        shared_by_all: operations whose result every path goes through, by their index.
    """

    log_paths: float
    shortest: float
    longest: float
    shares: list[float]
    shared_by_all: frozenset[int] = frozenset()


def count_paths(output: Tensor, inputs: Tensor, calls: Sequence[LayerCall], operations: Sequence[Node | None]) -> Paths:
    """Count paths of the autograd graph from the output back to the input, and weight layers along them.

    Args:
        output: output of the network.
        inputs: a leaf of the graph.
        calls: the layer calls of the pass.
        operations: the nodes of results, None where there is none.
    """
    nothing = Paths(-math.inf, math.nan, math.nan, [0.0] * len(calls))
    if output.grad_fn is None:
        return nothing
    target = get_gradient_edge(inputs).node
    order = _topological_order(output.grad_fn)
    layers_of: dict[object, list[int]] = {}
    for index, call in enumerate(calls):
        edge = call.slot("output").edge
        if edge is not None:
            layers_of.setdefault(edge.node, []).append(index)
    from_output: dict[object, int] = {output.grad_fn: 1}
    for node in order:
        for child, _ in node.next_functions:
            if child is not None:
                from_output[child] = from_output.get(child, 0) + from_output[node]
    to_input: dict[object, tuple[int, float, float]] = {target: (1, 0.0, 0.0)}
    for node in reversed(order):
        below = [to_input[child] for child, _ in node.next_functions if child in to_input]
        if below:
            own = float(len(layers_of.get(node, ())))
            count = sum(item[0] for item in below)
            to_input[node] = (count, own + min(item[1] for item in below), own + max(item[2] for item in below))
    if output.grad_fn not in to_input:
        return nothing
    total, shortest, longest = to_input[output.grad_fn]
    shares = [0.0] * len(calls)
    for place, indices in layers_of.items():
        for index in indices if place in to_input and place in from_output else ():
            shares[index] = from_output[place] * to_input[place][0] / total
    shared_by_all = frozenset(
        index
        for index, node in enumerate(operations)
        if node in to_input and node in from_output and from_output[node] * to_input[node][0] == total
    )
    return Paths(math.log(total), shortest, longest, shares, shared_by_all)


def _topological_order(root: Node) -> list[Node]:
    """Return the nodes reachable from `root`, each before those it leads to."""
    order = []
    seen = set()
    stack: list[tuple[Node, bool]] = [(root, False)]
    while stack:
        node, finished = stack.pop()
        if finished:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((child, False) for child, _ in node.next_functions if child is not None and child not in seen)
    return order[::-1]
