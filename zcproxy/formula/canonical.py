"""Canonical form: equal formulas get equal text, and values stay as they are."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from zcproxy.formula.registry import Registry, vocabulary
from zcproxy.formula.tree import Node, constant


@lru_cache(maxsize=200_000)
def canonical(node: Node) -> Node:
    """Return the canonical form of a formula.

    Arguments of commutative primitives are sorted by text, chains of sums and products are flattened first, constant
    subtrees become one number, and the neutral elements of arithmetic disappear.
    """
    if node.is_leaf:
        return node
    registry = vocabulary()
    arguments = tuple(canonical(child) for child in node.arguments)
    node = node.with_arguments(arguments)
    if all(child.is_constant for child in arguments):
        return _folded(node, registry)
    primitive = registry.primitives[node.symbol]
    if primitive.commutative and primitive.infix is not None:
        return _sorted_chain(node, registry)
    if primitive.commutative:
        return node.with_arguments(tuple(sorted(arguments, key=str)))
    if primitive.infix is not None and arguments[1].value == (1.0 if primitive.infix == "/" else 0.0):
        return arguments[0]
    return node


def _folded(node: Node, registry: Registry) -> Node:
    with np.errstate(all="ignore"):
        value = float(registry.function(node)(*(np.float64(child.symbol) for child in node.arguments)))
    return constant(value) if math.isfinite(value) else node


def _sorted_chain(node: Node, registry: Registry) -> Node:
    """Flatten nested sums (or products), fold their constants, sort the terms and nest them to the left."""
    chain = sorted(_chain(node, node.symbol), key=lambda term: (term.is_constant, str(term)))
    terms = [term for term in chain if not term.is_constant]
    numbers = [term.value for term in chain if term.value is not None]
    neutral = 0.0 if registry.primitives[node.symbol].infix == "+" else 1.0
    total = sum(numbers) if neutral == 0.0 else math.prod(numbers)
    if not math.isfinite(total):
        terms = chain
    elif total != neutral:
        terms.append(constant(total))
    result = terms[0]
    for term in terms[1:]:
        result = registry.apply(node.symbol, result, term)
    return result


def _chain(node: Node, symbol: str) -> list[Node]:
    """Return the terms of nested sums (or products); constants too large to fold stay one term."""
    if node.symbol != symbol or all(child.is_constant for child in node.arguments):
        return [node]
    return [term for child in node.arguments for term in _chain(child, symbol)]
