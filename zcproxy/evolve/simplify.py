"""Shorter formulas that rank the same."""

from __future__ import annotations

from collections.abc import Callable

from zcproxy.evolve.fitness import Fitness
from zcproxy.formula import Node
from zcproxy.formula.canonical import canonical
from zcproxy.formula.choices import has_small_numbers
from zcproxy.formula.variation import places, replaced


def simplify(formula: Node, score: Callable[[Node], Fitness]) -> Node:
    """Return a formula that gives every network the same rank, and of which no part can be left out.

    Parts are left out one after another, the largest first: a subtree makes room for one below it of the same kind.

    Args:
        formula: the one to begin with.
        score: score of a formula; tells by its signature whether the ranks are still the same.
    """
    formula = canonical(formula)
    aim = score(formula)
    shorter: Node | None = formula
    while shorter is not None:
        formula = shorter
        shorter = next((each for each in _hoisted(formula) if _ranks_alike(score(each), aim)), None)
    return formula


def _ranks_alike(score: Fitness, aim: Fitness) -> bool:
    return score.signature == aim.signature and score.correlations == aim.correlations


def _hoisted(formula: Node) -> list[Node]:
    found = {
        canonical(replaced(formula, place.path, inner.node))
        for place in places(formula)
        for inner in places(place.node)[1:]
        if inner.node.kind is place.node.kind
    }
    shorter = [each for each in found if each.size < formula.size and not each.is_constant and has_small_numbers(each)]
    return sorted(shorter, key=lambda each: (each.size, str(each)))
