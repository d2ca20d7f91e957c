"""The autograd graph between the output of a network and its input."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor
from torch.autograd.graph import Node, get_gradient_edge


class Graph:
    """The nodes that lead from the output of a network back to its input, read once.

    Args:
        output: output of the network.
        inputs: a leaf of the graph.

    Attributes:
        output: node of the output, None where no graph leads to it.
        inputs: node of the input.
        order: the nodes below the output, each before those that it is computed from.
        operands: for each of these nodes, those that it is computed from; one that is used twice stands there twice.
    """

    def __init__(self, output: Tensor, inputs: Tensor) -> None:
        self.output = output.grad_fn
        self.inputs = get_gradient_edge(inputs).node
        self.operands: Mapping[Node, list[Node]] = {} if self.output is None else _operands_below(self.output)
        self.order = [] if self.output is None else _sorted_below(self.output, self.operands)

    def leads(self, node: Node | None, operand: Node | None) -> bool:
        """Whether a node is computed from another one, or is it."""
        seen = set()
        stack = [node]
        while stack:
            found = stack.pop()
            if found is operand:
                return True
            if found is not None and found not in seen:
                seen.add(found)
                stack.extend(self.operands.get(found, ()))
        return False


def _operands_below(root: Node) -> dict[Node, list[Node]]:
    found: dict[Node, list[Node]] = {}
    stack = [root]
    while stack:
        node = stack.pop()
        if node not in found:
            found[node] = [child for child, _ in node.next_functions if child is not None]
            stack.extend(found[node])
    return found


def _sorted_below(root: Node, operands: Mapping[Node, list[Node]]) -> list[Node]:
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
            stack.extend((child, False) for child in operands[node] if child not in seen)
    return order[::-1]
