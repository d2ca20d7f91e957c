"""The registry of primitives and leaves, and the decorator that adds to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

from zcproxy.errors import FormulaError, nearest_names
from zcproxy.formula.admission import probe_primitive
from zcproxy.formula.kinds import Kind, Signature
from zcproxy.formula.tree import Node
from zcproxy.text.visible import shortened

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Primitive:
    """One operation of the language.

    Attributes:
        name: how a formula writes it.
        functions: the implementation of each signature.
        formula: one-line mathematical definition.
        domain: where it is defined; NaN elsewhere.
        reference: paper or textbook it comes from, or an empty string.
        commutative: whether the order of its arguments does not matter.
        connected: whether it reads stages or paths, which layers have and blocks have not.
        stacks: whether it also takes several matrices along a first axis, and yields a number for each.
    """

    name: str
    functions: dict[Signature, Callable[..., Any]]
    formula: str
    domain: str
    reference: str
    commutative: bool
    connected: bool = False
    stacks: bool = False

    @cached_property
    def _by_kinds(self) -> dict[tuple[Kind, ...], Signature]:
        return {signature.arguments: signature for signature in self.functions}

    def signature(self, kinds: tuple[Kind, ...]) -> Signature | None:
        """Return the signature for these argument kinds, or None."""
        return self._by_kinds.get(kinds)


class Registry:
    """Names of the language: primitives, statistics (per probe) and descriptors."""

    def __init__(self) -> None:
        self.primitives: dict[str, Primitive] = {}
        self.leaves: dict[str, Kind] = {}
        self.leaf_meanings: dict[str, str] = {}
        self.block_leaves: set[str] = set()

    def add(self, primitive: Primitive) -> None:
        """Add a primitive, or further signatures of a known one. Raises ValueError for a repeated signature."""
        known = self.primitives.get(primitive.name)
        if known is None:
            self.primitives[primitive.name] = primitive
            return
        repeated = [str(new) for new in primitive.functions if known.signature(new.arguments) is not None]
        if repeated:
            raise ValueError(f"primitive {primitive.name} already has the signature {min(repeated)}")
        merged = {**known.functions, **primitive.functions}
        self.primitives[primitive.name] = replace(known, functions=merged)

    def add_leaf(self, text: str, kind: Kind, meaning: str, *, of_blocks: bool = False) -> None:
        """Add a statistic or a descriptor under its full text; `of_blocks`: one per block, not one per layer."""
        if text in self.leaves:
            raise ValueError(f"leaf {text} is registered twice")
        self.leaves[text] = kind
        self.leaf_meanings[text] = meaning
        if of_blocks:
            self.block_leaves.add(text)

    def remove(self, primitives: Iterable[str], leaves: Iterable[str]) -> None:
        """Take words out of the language; those that it does not have are passed over."""
        for name in primitives:
            self.primitives.pop(name, None)
        for text in leaves:
            self.leaves.pop(text, None)
            self.leaf_meanings.pop(text, None)
            self.block_leaves.discard(text)

    def get(self, name: str) -> Primitive:
        """Return a primitive. Raises `FormulaError` with the nearest names if there is none."""
        primitive = self.primitives.get(name)
        if primitive is None:
            names = [*self.primitives, *self.leaves]
            raise FormulaError(f"unknown primitive '{shortened(name, 80)}'{nearest_names(name, names)}")
        return primitive

    def leaf(self, text: str) -> Node:
        """Return the leaf written `text`. Raises `FormulaError` with the nearest names if there is none."""
        kind = self.leaves.get(text)
        if kind is None:
            raise FormulaError(
                f"unknown name '{shortened(text, 80)}'{nearest_names(text, [*self.leaves, *self.primitives])}"
            )
        return Node(text, kind)

    def apply(self, name: str, *arguments: Node) -> Node:
        """Return the node that applies a primitive. Raises `FormulaError` where the kinds do not fit."""
        primitive = self.get(name)
        signature = primitive.signature(tuple(node.kind for node in arguments))
        if signature is None:
            got = ", ".join(node.kind.value for node in arguments)
            known = "; ".join(sorted(map(str, primitive.functions)))
            raise FormulaError(f"'{name}' does not take ({got}); it takes {known}")
        return Node(name, signature.result, arguments)

    def is_connected(self, node: Node) -> bool:
        """Whether an inner node reads stages or paths of its layers."""
        return self.primitives[node.symbol].connected

    def stacks(self, node: Node) -> bool:
        """Whether an inner node takes the matrices of several layers at once."""
        return self.primitives[node.symbol].stacks

    def function(self, node: Node) -> Callable[..., Any]:
        """Return the implementation that an inner node calls."""
        kinds = tuple(child.kind for child in node.arguments)
        signature = self.primitives[node.symbol].signature(kinds)
        if signature is None:
            raise FormulaError(f"'{node.symbol}' does not take ({', '.join(kind.value for kind in kinds)})")
        return self.primitives[node.symbol].functions[signature]


REGISTRY = Registry()
"""The language: `zcproxy.primitives` fills it when it is imported."""


def vocabulary() -> Registry:
    """Return the registry of the language. Raises `FormulaError` where nothing has imported `zcproxy.primitives`."""
    if not REGISTRY.primitives:
        raise FormulaError("the language has no words yet: import zcproxy.primitives")
    return REGISTRY


def primitive(
    *accepted: Signature,
    formula: str,
    name: str | None = None,
    domain: str = "everywhere",
    reference: str = "",
    commutative: bool = False,
    connected: bool = False,
    stacks: bool = False,
    registry: Registry = REGISTRY,
) -> Callable[[Function], Function]:
    """Register a function as a primitive for the accepted signatures, after probing it on awkward inputs.

    Args:
        accepted: kinds it takes and yields; see `signatures`.
        formula: one-line mathematical definition.
        name: how formulas write it; the function's own name by default.
        domain: where it is defined. Outside it must yield NaN, never an invented constant.
        reference: where it comes from.
        commutative: whether the order of arguments does not matter.
        connected: whether it reads stages or paths: numbers of blocks are then put onto the layers that end them.
        stacks: whether the function takes one matrix, or several along a first axis, and yields a number for each.
        registry: where to add it.

    Raises:
        ValueError: the function writes into its input, changes dtype, is not deterministic, or yields the wrong shape.
    """

    def register(function: Function) -> Function:
        full_name = name or function.__name__
        for signature in accepted:
            probe_primitive(full_name, function, signature)
        functions: dict[Signature, Callable[..., Any]] = dict.fromkeys(accepted, function)
        registry.add(Primitive(full_name, functions, formula, domain, reference, commutative, connected, stacks))
        return function

    return register
