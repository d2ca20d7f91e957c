"""Individuals: trees of DEAP with a fitness of DEAP."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from deap import base, gp

from zcproxy.evolve.deap.primitives import Number, PrimitiveSet, formula_of, number_terminal
from zcproxy.evolve.fitness import Fitness
from zcproxy.formula import Node
from zcproxy.primitives import parse

WORST_VALUE = 1e30
"""Stands for an objective that is not finite: DEAP's comparisons with NaN are all false, so that it would win."""


class ParetoFitness(base.Fitness):  # type: ignore[misc]
    """Worst and mean correlation up, size and cost down."""

    weights = (1.0, 1.0, -1.0, -1.0)

    @property
    def merit(self) -> float:
        """Halfway between worst and mean: what tournaments go by."""
        return float(self.wvalues[0] + self.wvalues[1]) / 2


def finite_objectives(values: Iterable[float]) -> tuple[float, ...]:
    """Return objectives with the worst in the place of each that is not finite."""
    pairs = zip(values, ParetoFitness.weights, strict=True)
    return tuple([value if math.isfinite(value) else -weight * WORST_VALUE for value, weight in pairs])


class Individual(gp.PrimitiveTree):  # type: ignore[misc]
    """A formula as the tree that DEAP's operators change.

    A class of its own, because `creator.create` writes into a module that all users of DEAP share.

    Attributes:
        fitness: its objectives.
        score: what it is worth on the networks, once it was evaluated.
    """

    def __init__(self, content: Iterable[Any], formula: Node | None = None) -> None:
        super().__init__(content)
        self.fitness = ParetoFitness()
        self.score: Fitness | None = None
        self._formula = formula

    @property
    def formula(self) -> Node:
        """The formula of the tree. Raises `FormulaError` if the nodes make none."""
        if self._formula is None:
            self._formula = formula_of(self)
        return self._formula

    def forget(self) -> None:
        """Forget the formula: code of a user may have changed the tree in other ways than by `tree[...] = ...`."""
        self._formula = None

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        self._formula = None

    def copied(self) -> Individual:
        """Return a copy with numbers of its own, which may change in place; DEAP's copies share them."""
        copy = Individual([number_terminal(item.value) if type(item) is Number else item for item in self])
        copy.fitness.wvalues, copy.score, copy._formula = self.fitness.wvalues, self.score, self._formula
        return copy

    def __deepcopy__(self, memo: dict[int, Any]) -> Individual:
        return self.copied()

    def __str__(self) -> str:
        """Return the text of the formula, without recursion; `PrimitiveTree` writes Python code."""
        return self.formula.text


def tree_of(formula: Node | str, primitives: PrimitiveSet) -> Individual:
    """Return the individual of a formula or of its text, which is parsed and never evaluated.

    Raises:
        FormulaError: the text does not parse, or the set lacks a primitive or column, with the nearest names.
    """
    formula = parse(formula) if isinstance(formula, str) else formula
    return Individual(primitives.tree(formula), formula)
