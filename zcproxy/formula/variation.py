"""Crossover and mutation that keep kinds. All randomness is the generator passed in; parents are never changed."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import accumulate
from random import Random
from typing import NamedTuple

from zcproxy.formula.choices import Choices, has_small_numbers, random_constant
from zcproxy.formula.kinds import Kind, Signature
from zcproxy.formula.tree import Node, constant, replaced as replaced

Path = tuple[int, ...]
NEW_SUBTREE_DEPTH = 3

MEMBER_SHARE = 0.2
"""Mutations of a set of formulas that add one or leave one out."""


class Place(NamedTuple):
    """A node and the way to it from the root: the index of the child taken at each step."""

    node: Node
    path: Path


def places(root: Node, *, whole_columns: bool = True) -> list[Place]:
    """Return all nodes with their paths in prefix order; `whole_columns` does not look inside columns."""
    found = []
    stack = [Place(root, ())]
    while stack:
        place = stack.pop()
        found.append(place)
        node, path = place
        if not (whole_columns and node.is_column):
            last = len(node.arguments) - 1
            stack.extend([Place(node.arguments[index], (*path, index)) for index in range(last, -1, -1)])
    return found


def crossover(first: Node, second: Node, rng: Random) -> Node:
    """Return `first` with one subtree replaced by a subtree of the same kind from `second`."""
    donors: dict[Kind, list[Node]] = {}
    for place in places(second):
        donors.setdefault(place.node.kind, []).append(place.node)
    targets = [place for place in places(first) if place.node.kind in donors]
    if not targets:
        return first
    target = rng.choice(targets)
    return replaced(first, target.path, rng.choice(donors[target.node.kind]))


def mutate(formula: Node, choices: Choices, rng: Random, *, whole_columns: bool = True) -> Node:
    """Return a formula of the same kind with one random change: see `MUTATIONS`; or a set with another member."""
    if formula.kind is Kind.RANKING and rng.random() < MEMBER_SHARE:
        return change_members(formula, choices, rng)
    place = rng.choice(places(formula, whole_columns=whole_columns))
    change = rng.choices(_CHANGES, cum_weights=_UP_TO)[0]
    return replaced(formula, place.path, change(place.node, choices, rng))


def replace_subtree(node: Node, choices: Choices, rng: Random) -> Node:
    """Grow something new."""
    depth = max(NEW_SUBTREE_DEPTH, int(choices.least_depth[node.kind])) if _reachable(node, choices) else 0
    return choices.generate(node.kind, rng, depth) if depth else node


def replace_leaf(node: Node, choices: Choices, rng: Random) -> Node:
    """Put a leaf (a column, a number) in the place."""
    return choices.leaf(node.kind, rng) if choices.has_leaf(node.kind) else node


def replace_operation(node: Node, choices: Choices, rng: Random) -> Node:
    """Put another primitive of the same signature above the same arguments."""
    signature = Signature(tuple(child.kind for child in node.arguments), node.kind)
    same = choices.of_signature(signature)
    return Node(rng.choice(same).name, node.kind, node.arguments) if same else node


def insert_operation(node: Node, choices: Choices, rng: Random) -> Node:
    """Put a primitive above the node, with leaves as its other arguments."""
    fitting = choices.above(node.kind)
    if not fitting:
        return node
    operation = rng.choice(fitting)
    slots = [index for index, kind in enumerate(operation.signature.arguments) if kind is node.kind]
    own = rng.choice(slots)
    arguments = tuple(
        node if index == own else choices.leaf(kind, rng) for index, kind in enumerate(operation.signature.arguments)
    )
    return Node(operation.name, node.kind, arguments)


def hoist(node: Node, choices: Choices, rng: Random) -> Node:
    """Put a descendant of the same kind in the place: the formula shrinks."""
    inner = [place.node for place in places(node)[1:] if place.node.kind is node.kind]
    return rng.choice(inner) if inner else node


def perturb_constant(node: Node, choices: Choices, rng: Random) -> Node:
    """Scale one of the numbers below the node by a log-normal factor, sometimes with another sign."""
    numbers = [place for place in places(node) if place.node.value is not None]
    if not numbers:
        return node
    place = rng.choice(numbers)
    value = place.node.value or 0.0
    factor = math.exp(rng.gauss(0.0, 0.5)) * (-1.0 if rng.random() < 0.1 else 1.0)
    changed = constant(float(f"{value * factor:.3g}")) if value else random_constant(rng)
    return replaced(node, place.path, changed) if has_small_numbers(changed) else node


def change_members(formula: Node, choices: Choices, rng: Random) -> Node:
    """Add a new formula to a set, or leave one out."""
    members = list(formula.arguments)
    place = rng.randrange(len(members) + 1)
    if place < len(members):
        del members[place]
    else:
        members.append(choices.generate(Kind.NETWORK, rng, NEW_SUBTREE_DEPTH))
    kinds = tuple(member.kind for member in members)
    fitting = {item.name: item for item in choices.operations[Kind.RANKING] if item.signature.arguments == kinds}
    return Node(formula.symbol, formula.kind, tuple(members)) if formula.symbol in fitting else formula


MUTATIONS: dict[Callable[[Node, Choices, Random], Node], float] = {
    replace_subtree: 2.0,
    replace_leaf: 3.0,
    replace_operation: 2.0,
    insert_operation: 3.0,
    hoist: 2.0,
    perturb_constant: 1.5,
}
"""The changes a mutation may make, with their weights."""

_CHANGES = list(MUTATIONS)
_UP_TO = list(accumulate(MUTATIONS.values()))


def _reachable(node: Node, choices: Choices) -> bool:
    return choices.least_depth.get(node.kind, math.inf) < math.inf
