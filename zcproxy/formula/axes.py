"""Along which axis an expression has its values: one for each layer, or one for each block of a network."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from zcproxy.formula.kinds import Kind
from zcproxy.formula.registry import vocabulary
from zcproxy.formula.tree import SHALLOW, Node, fold


@lru_cache(maxsize=100_000)
def is_per_block(node: Node) -> bool:
    """Whether an expression has one value for each block, since all that it reads below the network is of blocks.

    What reads a statistic or descriptor of layers too has one value for each layer.
    """
    if node.depth > SHALLOW:
        return fold(node, _parts_of_deep, _is_per_block_deep)
    if node.is_leaf:
        return node.symbol in vocabulary().block_leaves
    parts = _parts(node)
    return bool(parts) and all(map(is_per_block, parts))


def _is_per_block_deep(node: Node, below: list[bool]) -> bool:
    return all(below) if below else node.depth <= SHALLOW and is_per_block(node)


def _parts(node: Node) -> Sequence[Node]:
    """Return the arguments that have more than one value for each network; stages are neither layers nor blocks."""
    if node.kind.is_network_level or node.kind is Kind.STAGE:
        return ()
    return [part for part in node.arguments if not part.kind.is_network_level]


def _parts_of_deep(node: Node) -> Sequence[Node]:
    return _parts(node) if node.depth > SHALLOW else ()
