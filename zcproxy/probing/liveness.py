"""Tensors that are alive between the operations of a forward pass: made already, and still to be read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import accumulate

from torch.autograd.graph import Node

from zcproxy.probing.block_end import Step
from zcproxy.probing.graph import Graph


@dataclass(frozen=True)
class Liveness:
    """What is alive at each cut of a pass, the cut `i` being just before its operation `i`.

    Tensors on no way from the input to the output do not count. The output is alive until the end.

    Attributes:
        units: for each cut, the elements of all tensors that are alive, for one sample.
        tensors: for each cut, how many tensors are alive.
        last: for each operation, the last one that reads its result, -1 where that does not count.
    """

    units: list[int]
    tensors: list[int]
    last: list[int]


def liveness(graph: Graph, passed: Collection[Node], steps: Sequence[Step], input_units: int, samples: int) -> Liveness:
    """Return what is alive between the operations of a pass: one more cut than operations.

    Args:
        graph: the graph of the pass.
        passed: its nodes on ways from the input to the output.
        steps: the operations of the pass.
        input_units: elements of one input.
        samples: number of samples in the pass.
    """
    made: dict[Node, int] = {}
    for index, step in enumerate(steps):
        if step.node is not None and step.node in passed:
            made.setdefault(step.node, index)
    units, tensors = [0] * (len(steps) + 2), [0] * (len(steps) + 2)
    sizes = {node: steps[index].shape.numel() // samples for node, index in made.items()}
    lasts = [-1] * len(steps)
    for node, last in _last_readers(graph, passed, made, len(steps)).items():
        if node in made:
            lasts[made[node]] = last
        first, size = (0, input_units) if node is graph.inputs else (made[node] + 1, sizes[node])
        for place, sign in ((first, 1), (last + 1, -1)) if last >= first else ():
            units[place] += sign * size
            tensors[place] += sign
    return Liveness(list(accumulate(units))[:-1], list(accumulate(tensors))[:-1], lasts)


def _last_readers(graph: Graph, passed: Collection[Node], made: dict[Node, int], end: int) -> dict[Node, int]:
    """Return the last operation that reads each result: `end` for the output."""
    readers: dict[Node, int] = {} if graph.output is None or graph.output not in passed else {graph.output: end}
    for node in graph.order:
        if node not in passed:
            continue
        reader = made.get(node, readers.get(node, -1))  # what is no operation of its own is read by who reads it
        for operand in graph.operands[node]:
            if operand in passed:
                readers[operand] = max(readers.get(operand, -1), reader)
    return {node: last for node, last in readers.items() if node in made or node is graph.inputs}
