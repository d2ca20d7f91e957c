"""The toolbox of an island: the operators by their names in DEAP, any of which a user may replace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deap import base, tools

from zcproxy.evolve.deap.individual import Individual
from zcproxy.evolve.deap.operators import CROSSOVERS, MUTATIONS, OURS, grown, one_of
from zcproxy.evolve.deap.primitives import PrimitiveSet
from zcproxy.evolve.deap.selection import SELECTIONS, SURVIVORS
from zcproxy.evolve.fitness import Fitness
from zcproxy.formula import Node
from zcproxy.formula.variation import NEW_SUBTREE_DEPTH

FRESH_DEPTHS = (2, 5)
"""Depth, in numbers, of a formula generated from nothing; a column counts as one."""

ENTRIES = ("expr", "individual", "population", "mate", "mutate", "select", "survive", "evaluate", "clone")
"""What the loop and the other entries call."""


@dataclass(frozen=True)
class Operators:
    """Which operators a run has, by their names: see the fields of the configuration."""

    crossover: str = OURS
    mutation: tuple[str, ...] = (OURS,)
    selection: str = "tournament"
    survivors: str = "nsga2"


def make_toolbox(primitives: PrimitiveSet, operators: Operators, score: Callable[[Node], Fitness]) -> base.Toolbox:
    """Return the toolbox of an island.

    Entries look up each other when they are called, so that one which is replaced is used by all.

    Args:
        primitives: what formulas are made of.
        operators: the variants.
        score: of a formula on the networks.
    """
    toolbox = base.Toolbox()
    toolbox.register("expr", grown, pset=primitives, least=FRESH_DEPTHS[0], most=FRESH_DEPTHS[1])
    toolbox.register("expr_mut", grown, pset=primitives, least=NEW_SUBTREE_DEPTH, most=NEW_SUBTREE_DEPTH)
    toolbox.register("individual", tools.initIterate, Individual, _looked_up(toolbox, "expr"))
    toolbox.register("population", tools.initRepeat, list, _looked_up(toolbox, "individual"))
    grow = _looked_up(toolbox, "expr_mut")
    mutations = [MUTATIONS[name](primitives, grow) for name in operators.mutation]
    toolbox.register("mate", CROSSOVERS[operators.crossover](primitives))
    toolbox.register("mutate", one_of(mutations))
    toolbox.register("clone", Individual.copied)
    toolbox.register("select", SELECTIONS[operators.selection])
    toolbox.register("survive", SURVIVORS[operators.survivors])
    toolbox.register("evaluate", _evaluate, score=score)
    return toolbox


def _looked_up(toolbox: base.Toolbox, name: str) -> Callable[..., Any]:
    """Return what calls the entry that has a name then."""

    def call(*arguments: Any, **named: Any) -> Any:
        return getattr(toolbox, name)(*arguments, **named)

    return call


def _evaluate(individual: Individual, score: Callable[[Node], Fitness]) -> tuple[Any, ...]:
    """Return the objectives of an individual, and keep what it scores on the networks as its `score`."""
    individual.score = score(individual.formula)
    return individual.score.objectives
