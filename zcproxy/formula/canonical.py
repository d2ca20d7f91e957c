"""Canonical form: equal formulas get equal text, and values stay as they are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np

from zcproxy.formula.grammar import SIGNS
from zcproxy.formula.kinds import Kind
from zcproxy.formula.registry import Registry, vocabulary
from zcproxy.formula.tree import SHALLOW, Node, constant, fold


@lru_cache(maxsize=200_000)
def canonical(node: Node) -> Node:
    """Return the canonical form of a formula.

    Arguments of commutative primitives are sorted by text, chains of sums and products are flattened first, constant
    subtrees become one number, and the neutral elements of arithmetic disappear.
    """
    if node.is_leaf:
        return node
    if node.depth > SHALLOW:
        return fold(node, _operands, _canonical_of_deep)
    return _combined(node, tuple(canonical(child) for child in node.arguments))


def _operands(node: Node) -> Sequence[Node]:
    """Return what is brought to canonical form before a deep node: all terms of a sum, all factors of a product."""
    if node.depth <= SHALLOW:
        return ()
    return _chain(node, node.symbol) if _is_chain(node) else node.arguments


def _canonical_of_deep(node: Node, operands: list[Node]) -> Node:
    return _combined(node, tuple(operands)) if operands else canonical(node)


def _combined(node: Node, arguments: tuple[Node, ...]) -> Node:
    """Return the canonical form of a node, given that of its arguments or of all terms of the chain that it ends."""
    registry = vocabulary()
    if len(arguments) > len(node.arguments):
        return _sorted_chain(node.symbol, arguments, registry)
    node = node.with_arguments(arguments)
    if all(child.is_constant for child in arguments) and node.kind is not Kind.RANKING:
        return _folded(node, registry)
    primitive = registry.primitives[node.symbol]
    if primitive.commutative and node.symbol in SIGNS:
        return _sorted_chain(node.symbol, arguments, registry)
    if primitive.commutative:
        return node.with_arguments(tuple(sorted(arguments, key=str)))
    if node.symbol in SIGNS and arguments[1].value == (1.0 if node.symbol == "divide" else 0.0):
        return arguments[0]
    return node


def _folded(node: Node, registry: Registry) -> Node:
    with np.errstate(all="ignore"):
        value = float(registry.function(node)(*(np.float64(child.symbol) for child in node.arguments)))
    return constant(value) if math.isfinite(value) else node


def _is_chain(node: Node) -> bool:
    primitive = vocabulary().primitives[node.symbol]
    return primitive.commutative and node.symbol in SIGNS


def _sorted_chain(symbol: str, parts: Iterable[Node], registry: Registry) -> Node:
    """Flatten a sum (or product) of sums, fold its constants, sort the terms and nest them to the left."""
    unsorted = [term for part in parts for term in _chain(part, symbol)]
    chain = sorted(unsorted, key=lambda term: (term.is_constant, str(term)))
    terms = [term for term in chain if not term.is_constant]
    numbers = [term.value for term in chain if term.value is not None]
    neutral = 0.0 if symbol == "add" else 1.0
    total = sum(numbers) if neutral == 0.0 else math.prod(numbers)
    if not math.isfinite(total):
        terms = chain
    elif total != neutral or not terms:
        terms.append(constant(total))
    result = terms[0]
    for term in terms[1:]:
        result = registry.apply(symbol, result, term)
    return result


def _chain(node: Node, symbol: str) -> list[Node]:
    """Return the terms of nested sums (or products); constants too large to fold stay one term."""
    terms = []
    stack = [node]
    while stack:
        part = stack.pop()
        if part.symbol != symbol or all(child.is_constant for child in part.arguments):
            terms.append(part)
        else:
            stack.extend(reversed(part.arguments))
    return terms
