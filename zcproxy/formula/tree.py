"""Formula trees: immutable, hashable, typed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from zcproxy.formula.grammar import BINDING, FACTOR, SIGNS
from zcproxy.formula.kinds import Kind

T = TypeVar("T")

SHALLOW = 100
"""Depth up to which functions of trees may call themselves; a sum of many terms is deeper: `fold`."""


@dataclass(frozen=True, eq=False, repr=False, init=False)
class Node:
    """One node of a formula with the subtrees below it.

    Attributes:
        symbol: name of a primitive, text of a statistic (`grad(weight)@noise`), name of a descriptor, or a number.
        kind: kind of the value the subtree yields.
        arguments: the subtrees, in order; empty for a leaf.
        value: the number of a constant, otherwise None.
        size: number of nodes in the subtree.
        depth: number of nodes on the longest path to a leaf.
    """

    symbol: str
    kind: Kind
    arguments: tuple[Node, ...]
    value: float | None
    size: int
    depth: int
    _hash: int

    def __init__(self, symbol: str, kind: Kind, arguments: tuple[Node, ...] = (), value: float | None = None) -> None:
        size, depth = 1, 0
        for child in arguments:
            size += child.size
            depth = max(depth, child.depth)
        self.__dict__.update(
            symbol=symbol,
            kind=kind,
            arguments=arguments,
            value=value,
            size=size,
            depth=depth + 1,
            _hash=hash((symbol, kind, arguments)),
        )

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Node):
            return NotImplemented
        if self._hash != other._hash or self.symbol != other.symbol or self.kind is not other.kind:
            return False
        return self.arguments == other.arguments if self.depth <= SHALLOW else _are_equal(self, other)

    def __reduce__(self) -> tuple[Callable[..., Node], tuple[object, ...]]:
        """Pickle what defines the nodes, one after the other: hashes of strings differ between processes."""
        nodes = [(node.symbol, node.kind, len(node.arguments), node.value) for node in self.walk()]
        return _unpickled, (nodes,)

    def __repr__(self) -> str:
        return f"<{self.kind.value}: {self.text}>"

    def __str__(self) -> str:
        return self.text

    @cached_property
    def text(self) -> str:
        """The formula as text that `parse` reads back to an equal tree: infix arithmetic, fewest parentheses."""
        written: list[str] = []
        waiting: list[Node | str] = [self]
        while waiting:
            item = waiting.pop()
            if isinstance(item, str):
                written.append(item)
            elif item.is_leaf:
                written.append(item.symbol)
            elif "text" in item.__dict__:
                written.append(item.text)
            else:
                waiting.extend(reversed(item._pieces()))
        return "".join(written)

    def _pieces(self) -> list[Node | str]:
        """Return what the text of an inner node consists of."""
        sign = SIGNS.get(self.symbol)
        if sign is None:
            listed = [piece for child in self.arguments for piece in (", ", child)]
            return [f"{self.symbol}(", *listed[1:], ")"]
        left, right = self.arguments
        is_left_enclosed, is_right_enclosed = self.enclosed()
        pieces: list[Node | str] = ["(", left, ")"] if is_left_enclosed else [left]
        pieces.append(f" {sign} ")
        pieces += ["(", right, ")"] if is_right_enclosed else [right]
        return pieces

    def enclosed(self) -> tuple[bool, bool]:
        """Return which operands need parentheses in the text of an operation that is written between them."""
        left, right = self.arguments
        return left._binding < self._binding, right._binding <= self._binding

    @property
    def _binding(self) -> int:
        return BINDING.get(self.symbol, FACTOR) if self.arguments else FACTOR

    @property
    def is_leaf(self) -> bool:
        return not self.arguments

    @property
    def is_constant(self) -> bool:
        return self.value is not None

    @cached_property
    def is_column(self) -> bool:
        """Whether the subtree is the boundary between tensors and numbers: a sweep computes it, columns store it."""
        if not self.kind.is_number or self.is_constant:
            return False
        return self.is_leaf or any(not child.kind.is_number for child in self.arguments)

    def walk(self) -> Iterator[Node]:
        """Yield every node in prefix order."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.arguments))

    def columns(self) -> list[Node]:
        """Return the distinct column subtrees in order of first appearance."""
        found: dict[Node, None] = {}
        stack = [self]
        while stack:
            node = stack.pop()
            if node.is_column:
                found.setdefault(node)
            else:
                stack.extend(reversed(node.arguments))
        return list(found)

    def with_arguments(self, arguments: tuple[Node, ...]) -> Node:
        """Return the same node above other subtrees of the same kinds."""
        if all(new is old for new, old in zip(arguments, self.arguments, strict=True)):
            return self
        return Node(self.symbol, self.kind, arguments, self.value)


def constant(value: float) -> Node:
    """Return a numeric leaf. Raises ValueError for NaN and infinities: they are not formulas."""
    if not math.isfinite(value):
        raise ValueError(f"a constant must be finite, got {value}")
    number = float(value) + 0.0
    return Node(repr(number), Kind.NETWORK, (), number)


def fold(root: Node, children: Callable[[Node], Sequence[Node]], combine: Callable[[Node, list[T]], T]) -> T:
    """Return what `combine` makes of the root, from the bottom up and without recursion.

    Args:
        root: root of the tree.
        children: the subtrees of a node that are combined before it, in order.
        combine: the value of a node, given those of its children.
    """
    order: list[tuple[Node, int]] = []
    stack = [root]
    while stack:
        node = stack.pop()
        parts = children(node)
        order.append((node, len(parts)))
        stack.extend(parts)
    values: list[T] = []
    for node, count in reversed(order):
        start = len(values) - count
        values[start:] = [combine(node, values[start:])]
    return values[0]


def replaced(root: Node, path: Sequence[int], subtree: Node) -> Node:
    """Return `root` with the node at `path` replaced: the index of the child taken at each step."""
    above = []
    node = root
    for index in path:
        above.append(node)
        node = node.arguments[index]
    for parent, index in zip(reversed(above), reversed(path), strict=True):
        subtree = parent.with_arguments((*parent.arguments[:index], subtree, *parent.arguments[index + 1 :]))
    return subtree


def replace_at(root: Node, index: int, subtree: Node) -> Node:
    """Return `root` with the node at prefix position `index` replaced by `subtree`."""
    if not 0 <= index < root.size:
        raise IndexError(f"position {index} lies outside a tree of {root.size} nodes")
    path = []
    node = root
    while index:
        index -= 1
        for position, child in enumerate(node.arguments):
            if index < child.size:
                path.append(position)
                node = child
                break
            index -= child.size
    return replaced(root, path, subtree)


def _are_equal(first: Node, second: Node) -> bool:
    """Compare trees that are too deep for the comparison of nested tuples."""
    pairs = [(first, second)]
    while pairs:
        one, other = pairs.pop()
        if one is other:
            continue
        if (one._hash, one.symbol, one.kind, len(one.arguments)) != (
            other._hash,
            other.symbol,
            other.kind,
            len(other.arguments),
        ):
            return False
        pairs.extend(zip(one.arguments, other.arguments, strict=True))
    return True


def _unpickled(nodes: Sequence[tuple[str, Kind, int, float | None]]) -> Node:
    """Return the tree of nodes that are listed in prefix order, each with its number of arguments."""
    trees: list[Node] = []
    for symbol, kind, arity, value in reversed(nodes):
        start = len(trees) - arity
        trees[start:] = [Node(symbol, kind, tuple(reversed(trees[start:])), value)]
    return trees[0]
