"""Primitive sets of DEAP made from the registry: kinds as types, columns and numbers as terminals."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from deap import gp

from zcproxy.errors import FormulaError, nearest_names
from zcproxy.evolve.deap.randomness import SHARED
from zcproxy.formula import Kind, Node, constant, vocabulary
from zcproxy.formula.choices import CONSTANT_PROBABILITY, Choices, number_choices, random_constant
from zcproxy.primitives import parse
from zcproxy.text.visible import shortened

DEFAULT_MAXIMUM_SIZE = 30


class KindType(type):
    """Class of the types below, which have the same hash in every process.

    DEAP's crossovers iterate over a set of types, so that its order, and with it the result of a run, would depend on
    the addresses of the classes.
    """

    kind: Kind

    def __hash__(cls) -> int:
        return ORDER[cls.__name__]


ORDER = {kind.value: place for place, kind in enumerate(Kind)}
TYPES: dict[Kind, KindType] = {kind: KindType(kind.value, (), {"kind": kind}) for kind in Kind}
"""The type of each kind: DEAP wants classes."""


class Operation(gp.Primitive):  # type: ignore[misc]
    """A primitive of the language with one of its signatures.

    Attributes:
        kind: of the result.
    """

    __slots__ = ("kind",)

    def __init__(self, name: str, arguments: Iterable[Kind], kind: Kind) -> None:
        super().__init__(name, [TYPES[each] for each in arguments], TYPES[kind])
        self.kind = kind

    def __hash__(self) -> int:
        return hash((self.name, *(each.kind for each in self.args)))


class Leaf(gp.Terminal):  # type: ignore[misc]
    """A column or another leaf of the language.

    Attributes:
        node: the formula that the leaf stands for.
    """

    __slots__ = ("node",)

    def __init__(self, node: Node) -> None:
        super().__init__(node.text, True, TYPES[node.kind])
        self.node = node

    def __hash__(self) -> int:
        return hash(self.node)


def _drawn_number() -> float:
    """Return a random number from the global generator, as DEAP's ephemeral constants are made."""
    value = random_constant(SHARED).value
    assert value is not None
    return value


Number = gp.MetaEphemeral("number", _drawn_number, TYPES[Kind.NETWORK])
"""The ephemeral constant, one class for all sets: DEAP keeps every such class for ever, under an address."""


def number_terminal(value: float) -> Any:
    """Return the terminal of a number, which `gp.mutEphemeral` may draw anew."""
    terminal = Number.__new__(Number)
    terminal.value = value
    return terminal


class PrimitiveSet(gp.PrimitiveSetTyped):  # type: ignore[misc]
    """The operations, columns and numbers that formulas are made of, as DEAP's operators take them.

    `primitives` and `terminals` list for each type what yields it. DEAP's operators draw uniformly from these lists, so
    the four arithmetic operations, and numbers among the columns, stand in them as often as their weights say.
    `context` is empty: nothing is ever compiled or read by evaluating code.

    Args:
        choices: what formulas are made of.
        maximum_size: most nodes of a formula.
        root: kind of a formula: `Network`, or `Ranking` for a set of formulas whose ranks are joined.

    Attributes:
        choices: typed generation that never fails. `gp.generate` raises IndexError for a kind without a leaf.
        maximum_size: most nodes of a formula.
        root: kind of a formula.
    """

    def __init__(self, choices: Choices, maximum_size: int = DEFAULT_MAXIMUM_SIZE, root: Kind = Kind.NETWORK) -> None:
        super().__init__("zcproxy", [], TYPES[root])
        self.choices = choices
        self.root = root
        self.maximum_size = maximum_size
        self._leaves: dict[Node, Leaf] = {}
        self._operations: dict[tuple[str, tuple[Kind, ...]], Operation] = {}
        for type_ in TYPES.values():
            self.primitives[type_], self.terminals[type_] = [], []
        for leaf in (leaf for leaves in choices.leaves.values() for leaf in leaves):
            self._leaves[leaf] = Leaf(leaf)
            self._add_terminal(self._leaves[leaf])
        if choices.constants:
            columns = len(self.terminals[TYPES[Kind.NETWORK]])
            share = CONSTANT_PROBABILITY / (1 - CONSTANT_PROBABILITY)
            for _ in range(max(1, round(share * columns))):
                self._add_terminal(Number)
        for kind, operations in choices.operations.items():
            for item in operations:
                key = (item.name, item.signature.arguments)
                known = self._operations.setdefault(key, Operation(item.name, item.signature.arguments, kind))
                self._add(known)
                self.prims_count += 1

    def _add_terminal(self, terminal: Any) -> None:
        self._add(terminal)
        self.terms_count += 1

    def tree(self, formula: Node) -> list[Any]:
        """Return the nodes of a formula in prefix order, the content of a `gp.PrimitiveTree`.

        Raises:
            FormulaError: the set lacks one of its primitives or columns, with the nearest names.
        """
        found: list[Any] = []
        waiting = [formula]
        while waiting:
            node = waiting.pop()
            if node.value is not None:
                found.append(number_terminal(node.value))
            elif (leaf := self._leaves.get(node)) is not None:
                found.append(leaf)
            else:
                found.append(self._operation(node))
                waiting.extend(reversed(node.arguments))
        if not self.choices.constants and any(type(item) is Number for item in found):
            raise FormulaError(f"the primitive set has no numbers, which '{shortened(str(formula), 80)}' has")
        return found

    def _operation(self, node: Node) -> Operation:
        operation = self._operations.get((node.symbol, tuple([child.kind for child in node.arguments])))
        if operation is not None:
            return operation
        what, name, known = "primitive", node.symbol, self.names()
        if node.is_column:
            what, name, known = "column", node.text, set(map(str, self._leaves))
        elif node.is_leaf:
            what = "leaf"
        elif node.symbol in self.names():
            vocabulary().apply(node.symbol, *node.arguments)
        raise FormulaError(f"the primitive set has no {what} '{shortened(name, 80)}'{nearest_names(name, known)}")

    def names(self) -> set[str]:
        """Return the names of all operations and the texts of all leaves."""
        return {*(name for name, _ in self._operations), *map(str, self._leaves)}


def formula_of(tree: Sequence[Any]) -> Node:
    """Return the formula of a tree whose nodes are of a `PrimitiveSet`; nothing is evaluated.

    Raises:
        FormulaError: the nodes make no tree, are of another set, or the kinds do not fit.
    """
    stack: list[Node] = []
    for item in reversed(tree):
        if type(item) is Leaf:
            stack.append(item.node)
        elif type(item) is Operation:
            if len(stack) < item.arity:
                raise FormulaError(f"a tree that is incomplete: '{item.name}' lacks an argument")
            arguments = tuple(stack[: -item.arity - 1 : -1])
            del stack[-item.arity :]
            stack.append(Node(item.name, item.kind, arguments))
        else:
            stack.append(constant(_value_of(item)))
    if len(stack) != 1:
        raise FormulaError(f"a tree that consists of {len(stack)} parts, not of one")
    return stack[0]


def check_tree(tree: Sequence[Any], primitives: PrimitiveSet, kind: Kind | None = None) -> Node:
    """Return the formula of a tree that code of a user made.

    Raises:
        FormulaError: it is of another kind, has what the set lacks, or arguments of the wrong kind.
    """
    formula = formula_of(tree)
    kind = kind or primitives.root
    if formula.kind is not kind:
        raise FormulaError(f"a tree of kind {formula.kind.value}, not {kind.value}")
    primitives.tree(formula)
    return formula


def primitive_set(
    columns: Iterable[Node | str],
    *,
    without: Collection[str] = (),
    maximum_size: int = DEFAULT_MAXIMUM_SIZE,
    root: Kind = Kind.NETWORK,
) -> PrimitiveSet:
    """Return the primitive set of formulas on columns, for DEAP's operators.

    Args:
        columns: the terminals, as trees or texts: columns, or statistics and descriptors for expressions of a layer.
        without: names of primitives to do without; `constants` for numbers.
        maximum_size: most nodes of a formula.
        root: kind of a formula: `Network`, or `Ranking` for sets of formulas.
    """
    leaves = [parse(column) if isinstance(column, str) else column for column in columns]
    return PrimitiveSet(number_choices(leaves, without), maximum_size, root)


def _value_of(item: Any) -> float:
    """Return the number of a terminal that may be of a user's own ephemeral constant."""
    value = getattr(item, "value", None)
    if isinstance(item, gp.Terminal) and isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    name = str(getattr(item, "name", item))
    raise FormulaError(f"'{shortened(name, 80)}' is no part of the language")
