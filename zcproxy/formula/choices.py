"""Typed random generation that never fails: a kind is only asked for where the remaining depth can reach a leaf."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from random import Random

from zcproxy.formula.grammar import SIGNS
from zcproxy.formula.kinds import Kind, Signature
from zcproxy.formula.registry import Registry, vocabulary
from zcproxy.formula.tree import Node, constant

LEAF_PROBABILITY = 0.3
CONSTANT_PROBABILITY = 0.3
OPERATION_WEIGHT = 2
"""Weight of an operation in a draw."""

ARITHMETIC_WEIGHT = 8
"""Weight of an arithmetic sign."""

STAGE_WEIGHT = 1
"""Weight of an operation on numbers per stage: each stands beside the same one on numbers per layer."""

CONSTANTS = "constants"
"""The name in `without` that excludes numbers."""

LARGEST_CONSTANT = 1e6
"""Beyond it, adding a number would round others away: a formula could make ties of what differs."""


@dataclass(frozen=True)
class Operation:
    """A primitive with one of its signatures."""

    name: str
    signature: Signature


class Choices:
    """The material of random formulas.

    Args:
        leaves: terminals; a whole column may be one.
        accept: which operations of the registry may be used.
        constants: whether numbers are leaves of kind `Network`.
    """

    def __init__(
        self,
        leaves: Iterable[Node],
        accept: Callable[[Operation], bool],
        *,
        constants: bool = True,
        registry: Registry | None = None,
    ) -> None:
        self._registry = registry or vocabulary()
        self.constants = constants
        self.leaves: dict[Kind, list[Node]] = {}
        for leaf in leaves:
            self.leaves.setdefault(leaf.kind, []).append(leaf)
        self.operations: dict[Kind, list[Operation]] = {}
        for primitive in self._registry.primitives.values():
            for signature in primitive.functions:
                weight = ARITHMETIC_WEIGHT if primitive.name in SIGNS else OPERATION_WEIGHT
                if Kind.STAGE in signature.arguments and signature.result is Kind.NETWORK:
                    weight = STAGE_WEIGHT
                operation = Operation(primitive.name, signature)
                if accept(operation):
                    self.operations.setdefault(signature.result, []).extend([operation] * weight)
        self._by_depth: dict[tuple[Kind, int], list[Operation]] = {}
        self._of_signature: dict[Signature, list[Operation]] = {}
        self._above: dict[Kind, list[Operation]] = {}
        self.least_depth = self._least_depths()
        for kind, operations in self.operations.items():
            self.operations[kind] = [item for item in operations if self._least(item) < math.inf]

    def generate(self, kind: Kind, rng: Random, depth: int) -> Node:
        """Return a random tree of a kind with at most `depth` nodes on any path.

        Raises:
            ValueError: no tree of this kind is that shallow.
        """
        if self.least_depth.get(kind, math.inf) > depth:
            raise ValueError(f"no tree of kind {kind.value} has a depth of {depth} or less")
        operations = self._within(kind, depth)
        has_leaf = self.has_leaf(kind)
        if has_leaf and (not operations or rng.random() < LEAF_PROBABILITY):
            return self.leaf(kind, rng)
        operation = rng.choice(operations)
        arguments = [self.generate(child, rng, depth - 1) for child in operation.signature.arguments]
        return Node(operation.name, operation.signature.result, tuple(arguments))

    def has_leaf(self, kind: Kind) -> bool:
        """Whether a terminal of this kind exists."""
        return bool(self.leaves.get(kind)) or (self.constants and kind is Kind.NETWORK)

    def leaf(self, kind: Kind, rng: Random) -> Node:
        """Return a random terminal of a kind that has one."""
        leaves = self.leaves.get(kind)
        if self.constants and kind is Kind.NETWORK and (not leaves or rng.random() < CONSTANT_PROBABILITY):
            return random_constant(rng)
        assert leaves is not None
        return rng.choice(leaves)

    def of_signature(self, signature: Signature) -> list[Operation]:
        """Return the operations of a signature, as often as their weights say."""
        known = self._of_signature.get(signature)
        if known is None:
            listed = self.operations.get(signature.result, ())
            known = self._of_signature[signature] = [item for item in listed if item.signature == signature]
        return known

    def above(self, kind: Kind) -> list[Operation]:
        """Return what can be put above a node of a kind, and yields the same kind, with leaves as other arguments."""
        known = self._above.get(kind)
        if known is None:
            known = self._above[kind] = [item for item in self.operations.get(kind, ()) if self._can_wrap(item, kind)]
        return known

    def _can_wrap(self, operation: Operation, kind: Kind) -> bool:
        kinds = list(operation.signature.arguments)
        if kind not in kinds:
            return False
        kinds.remove(kind)
        return all(map(self.has_leaf, kinds))

    def _within(self, kind: Kind, depth: int) -> list[Operation]:
        known = self._by_depth.get((kind, depth))
        if known is None:
            known = [item for item in self.operations.get(kind, ()) if self._least(item) <= depth]
            self._by_depth[kind, depth] = known
        return known

    def _least(self, operation: Operation) -> float:
        return 1 + max(self.least_depth.get(kind, math.inf) for kind in operation.signature.arguments)

    def _least_depths(self) -> dict[Kind, float]:
        least = {kind: 1.0 if self.has_leaf(kind) else math.inf for kind in Kind}
        changed = True
        while changed:
            changed = False
            for kind, operations in self.operations.items():
                for operation in operations:
                    depth = 1 + max(least[child] for child in operation.signature.arguments)
                    if depth < least[kind]:
                        least[kind] = depth
                        changed = True
        return least


def has_small_numbers(formula: Node) -> bool:
    """Whether no number in a formula is larger than `LARGEST_CONSTANT`."""
    return all(node.value is None or abs(node.value) <= LARGEST_CONSTANT for node in formula.walk())


def random_constant(rng: Random) -> Node:
    """Return a number of three significant digits, its magnitude log-uniform in [0.01, 10)."""
    magnitude = 10.0 ** rng.uniform(-2.0, 1.0)
    return constant(float(f"{math.copysign(magnitude, rng.random() - 0.3):.3g}"))


def number_choices(columns: Iterable[Node], without: Container[str] = ()) -> Choices:
    """Return the choices of evolution: columns as leaves, and every primitive that takes what they or others yield.

    Args:
        columns: leaves; between columns, primitives of tensors have nothing to take.
        without: names of primitives to do without; `CONSTANTS` for numbers.
    """
    return Choices(columns, lambda item: item.name not in without, constants=CONSTANTS not in without)


def tensor_choices(leaves: Iterable[Node]) -> Choices:
    """Return the choices for new layer-level expressions: statistics as leaves, every primitive that takes tensors."""
    return Choices(leaves, lambda item: not any(kind.is_number for kind in item.signature.arguments), constants=False)
