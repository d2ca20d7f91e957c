"""The graph of the live layers of a network: which layer reads what others made, all else contracted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from torch.autograd.graph import Node

from zcproxy.probing.graph import Graph
from zcproxy.probing.layer_call import LayerCall
from zcproxy.probing.paths import layers_at

INPUT = -1
"""Stands for the input of the network among the ends of edges."""

Edges = tuple[tuple[int, int], ...]
"""Sources and targets: the places of live layers; then junctions, where several results meet that several others read;
the output last. The edges of a target stand together, after those of all that it reads. One that is there twice is two
ways. Empty where no graph leads from the input to the output."""


def connect(graph: Graph, calls: Sequence[LayerCall], live: Sequence[bool], passed: Collection[Node]) -> Edges:
    """Return the edges between the live layers of a network.

    Args:
        graph: the graph of a pass.
        calls: the layer calls of the pass.
        live: for each call, whether it is live.
        passed: the nodes of the graph that `passed_by_signal` returns.
    """
    if graph.output is None:
        return ()
    numbers = _live_layers_at(calls, live)
    uses = Counter(operand for node in passed for operand in graph.operands[node] if operand in passed)
    edges: list[tuple[int, int]] = []
    junctions = sum(live)
    made: dict[Node, list[int]] = {graph.inputs: [INPUT]}
    for node in reversed(graph.order):
        if node not in passed or node in made:
            continue
        read = [source for operand in graph.operands[node] for source in made.get(operand, ())]
        for number in numbers.get(node, ()):
            edges += [(source, number) for source in read]
            read = [number]
        if len(read) > 1 and uses[node] > 1:
            edges += [(source, junctions) for source in read]
            read = [junctions]
            junctions += 1
        made[node] = read
    return (*edges, *((source, junctions) for source in made.get(graph.output, ())))


def passed_by_signal(graph: Graph, calls: Sequence[LayerCall], live: Sequence[bool]) -> Collection[Node]:
    """Return the nodes on ways from the input to the output that lead through no dead layer."""
    dead = {node for node, indices in layers_at(calls).items() if not all(live[index] for index in indices)}
    reached = {graph.inputs}
    for node in reversed(graph.order):
        if node not in dead and any(operand in reached for operand in graph.operands[node]):
            reached.add(node)
    used: set[Node] = set() if graph.output is None else {graph.output} & reached
    for node in graph.order:
        if node in used:
            used.update(operand for operand in graph.operands[node] if operand in reached)
    return used


def _live_layers_at(calls: Sequence[LayerCall], live: Sequence[bool]) -> dict[Node, list[int]]:
    """Return the places among the live layers of those whose output a node yields."""
    places, place = {}, 0
    for index, alive in enumerate(live):
        places[index] = place
        place += alive
    return {node: [places[i] for i in indices if live[i]] for node, indices in layers_at(calls).items()}
