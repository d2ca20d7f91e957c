"""Crossovers and mutations by name: those of `deap.gp`, and ours where each says why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any

from deap import gp

from zcproxy.evolve.deap.individual import Individual, tree_of
from zcproxy.evolve.deap.primitives import KindType, PrimitiveSet, formula_of
from zcproxy.evolve.deap.randomness import SHARED
from zcproxy.formula import MAXIMUM_DEPTH, Node
from zcproxy.formula.canonical import canonical
from zcproxy.formula.text import has_readable_text
from zcproxy.formula.variation import crossover, mutate

OURS = "ours"
LEAF_SHARE = 0.1
"""Crossover points that are leaves (Koza 1992)."""

Mate = Callable[[Individual, Individual], Sequence[Individual]]
Mutate = Callable[[Individual], Sequence[Individual]]
Grow = Callable[..., Sequence[Any]]


def grown(pset: PrimitiveSet, least: int, most: int, type_: KindType | None = None) -> list[Any]:
    """Return the nodes of a random tree, as `gp.genGrow` does, for every type that has a tree.

    Ours, because `gp.generate` raises IndexError where a type has no leaf.

    Args:
        pset: what the tree is made of.
        least: nodes on the longest path that the tree may have; drawn between this and `most`.
        most: see above; a type that needs more has what it needs.
        type_: of the root; that of a formula if None.
    """
    kind = type_.kind if type_ else pset.root
    depth = max(int(pset.choices.least_depth[kind]), SHARED.randint(least, most))
    return pset.tree(pset.choices.generate(kind, SHARED, depth))


def mate_ours(first: Individual, second: Individual, pset: PrimitiveSet) -> tuple[Individual, Individual]:
    """Give the first a subtree of the second, of the same kind; every place is as likely, the root included.

    Ours, because DEAP's crossovers never take the root, and draw a kind before a place: a formula has few places that
    are numbers of a network, and those would be changed as often as all that are numbers of a layer.
    """
    return _within_limits(crossover(first.formula, second.formula, SHARED), first, pset), second


def mutate_ours(individual: Individual, pset: PrimitiveSet) -> tuple[Individual]:
    """Make one of the changes of `zcproxy.formula.variation.MUTATIONS`.

    Ours, because DEAP has no mutation that scales a constant, puts a leaf in the place of a subtree, or hoists a
    descendant from further below than its argument.
    """
    return (_within_limits(mutate(individual.formula, pset.choices, SHARED), individual, pset),)


def _within_limits(child: Node, parent: Individual, pset: PrimitiveSet) -> Individual:
    """Return the child, or the parent if it is too large, without the copies that `gp.staticLimit` makes beforehand."""
    formula = canonical(child)
    return tree_of(formula, pset) if formula.size <= pset.maximum_size and has_readable_text(formula) else parent


def _insertable(pset: PrimitiveSet) -> Any:
    """Return what `gp.mutInsert` may draw from: it raises IndexError for what lacks leaves as its other arguments."""
    primitives = {
        type_: [
            item
            for item in listed
            if all(pset.terminals[other] or other is type_ for other in item.args)
            and (pset.terminals[type_] or item.args.count(type_) < 2)
        ]
        for type_, listed in pset.primitives.items()
    }
    return SimpleNamespace(primitives=primitives, terminals=pset.terminals)


CROSSOVERS: dict[str, Callable[[PrimitiveSet], Mate]] = {
    "onepoint": lambda pset: _limited(gp.cxOnePoint, pset),
    "leaf-biased": lambda pset: _limited(partial(gp.cxOnePointLeafBiased, termpb=LEAF_SHARE), pset),
    OURS: lambda pset: partial(mate_ours, pset=pset),
}
"""Name -> what makes the crossover of a primitive set."""

MUTATIONS: dict[str, Callable[[PrimitiveSet, Grow], Mutate]] = {
    "mutUniform": lambda pset, grow: _limited(partial(gp.mutUniform, expr=grow, pset=pset), pset),
    "mutNodeReplacement": lambda pset, grow: _limited(partial(gp.mutNodeReplacement, pset=pset), pset),
    "mutInsert": lambda pset, grow: _limited(partial(gp.mutInsert, pset=_insertable(pset)), pset),
    "mutShrink": lambda pset, grow: _limited(gp.mutShrink, pset),
    "mutEphemeral": lambda pset, grow: _limited(partial(gp.mutEphemeral, mode="one"), pset),
    OURS: lambda pset, grow: partial(mutate_ours, pset=pset),
}
"""Name -> what makes the mutation of a primitive set and of a function that grows trees of a type."""


def one_of(mutations: Sequence[Mutate]) -> Mutate:
    """Return the mutation that makes one of several, each as likely."""

    def mutation(individual: Individual) -> Sequence[Individual]:
        return SHARED.choice(mutations)(individual)

    return mutations[0] if len(mutations) == 1 else mutation


def size_of(tree: Sequence[Any]) -> int:
    """Return the nodes of a tree's canonical formula; `len` counts a column as one."""
    return _canonical(tree).size


def limits(primitives: PrimitiveSet) -> list[Callable[[Any], Any]]:
    """Return decorators for `toolbox.decorate`: a child that is larger than the run allows becomes one of its parents.

    They are `gp.staticLimit` on the size and, where formulas may be large, on the nesting of the text.
    """
    return [
        gp.staticLimit(size_of, primitives.maximum_size),
        gp.staticLimit(lambda tree: not has_readable_text(_canonical(tree)), False),
    ][: 2 if primitives.maximum_size > MAXIMUM_DEPTH else 1]


def _limited(function: Callable[..., Any], primitives: PrimitiveSet) -> Callable[..., Any]:
    for limit in limits(primitives):
        function = limit(function)
    return function


def _canonical(tree: Sequence[Any]) -> Node:
    return canonical(tree.formula if isinstance(tree, Individual) else formula_of(tree))
