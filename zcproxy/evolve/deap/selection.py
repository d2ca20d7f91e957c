"""How parents and survivors are found, by name: selections of `deap.tools`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import numpy as np
from deap import tools

from zcproxy.evolve.deap.individual import Individual, ParetoFitness
from zcproxy.evolve.deap.randomness import SHARED

TOURNAMENT = 5
PARSIMONY = 1.4
"""The smaller of two wins with half this probability (Luke and Panait 2002)."""

DIVISIONS = 8
"""Of each objective between the reference points of NSGA-III: 165 points for four objectives."""

ALIKE = 0.998
"""Spearman correlation above which two formulas rank the networks alike."""

Select = Callable[[Sequence[Individual], int], list[Individual]]


def tournament(individuals: Sequence[Individual], k: int) -> list[Individual]:
    """Select by merit in tournaments of one to `TOURNAMENT`, so that weaker ones have children too."""
    return [
        tools.selTournament(individuals, 1, SHARED.randint(1, TOURNAMENT), fit_attr="fitness.merit")[0]
        for _ in range(k)
    ]


def double_tournament(individuals: Sequence[Individual], k: int) -> list[Individual]:
    """Select the smaller of two winners of tournaments more often; in the size, a column counts as one."""
    found = tools.selDoubleTournament(individuals, k, TOURNAMENT, PARSIMONY, True, fit_attr="fitness.merit")
    return list(found)


class _Cases:
    """An individual as lexicase selection sees it: by its cases, not by its objectives."""

    def __init__(self, individual: Individual) -> None:
        assert individual.score is not None
        self.individual = individual
        self.fitness = _fitness_of(len(individual.score.cases))(individual.score.cases)


@cache
def _fitness_of(cases: int) -> type[ParetoFitness]:
    """Return the class of a fitness of some cases that are all maximised."""
    return type("CaseFitness", (ParetoFitness,), {"weights": (1.0,) * cases})


def by_cases(individuals: Sequence[Individual], k: int, selection: Callable[..., list[Any]]) -> list[Individual]:
    """Select by one case after another: for each kind of case, one number per goal."""
    return [item.individual for item in selection([_Cases(individual) for individual in individuals], k)]


SELECTIONS: dict[str, Select] = {
    "tournament": tournament,
    "double-tournament": double_tournament,
    "lexicase": partial(by_cases, selection=tools.selLexicase),
    "epsilon-lexicase": partial(by_cases, selection=tools.selAutomaticEpsilonLexicase),
}
"""Name -> what selects k parents."""


def distinct(individuals: Sequence[Individual]) -> list[Individual]:
    """Return one individual for each order of the networks: the cheapest, then the smallest.

    Ours, because all of DEAP's selections keep formulas that rank alike, which then fill the population.
    """
    found: dict[bytes, Individual] = {}
    for item in individuals:
        score = item.score
        assert score is not None
        rival = found.get(score.signature)
        known = None if rival is None else rival.score
        if known is None or (score.cost, score.size) < (known.cost, known.size):
            found[score.signature] = item
    return list(found.values())


def nsga3(individuals: Sequence[Individual], k: int) -> list[Individual]:
    """Select by NSGA-III, which fails in DEAP where fewer are there than wanted."""
    if len(individuals) <= k:
        return list(individuals)
    return list(tools.selNSGA3(individuals, k, _reference_points()))


def spea2(individuals: Sequence[Individual], k: int) -> list[Individual]:
    """Select by SPEA2, where there are more than wanted."""
    return list(individuals) if len(individuals) <= k else list(tools.selSPEA2(individuals, k))


@cache
def _reference_points() -> Any:
    return tools.uniform_reference_points(len(ParetoFitness.weights), DIVISIONS)


def novel(individuals: Sequence[Individual], k: int) -> list[Individual]:
    """Select by NSGA-II among formulas that rank the networks differently, not just in one pair.

    Of two whose ranks correlate above `ALIKE`, the better stays, unless the other is smaller. Ours: DEAP's selections
    know distances of objectives, not of what formulas compute.
    """
    ordered = sorted(individuals, key=lambda item: (-item.fitness.merit, item.formula.size, item.formula.text))
    places = np.array([item.score.places for item in ordered if item.score is not None])
    sizes = np.array([item.formula.size for item in ordered])
    alike = places @ places.T > ALIKE
    left_out = np.zeros(len(ordered), np.bool_)
    for index in range(len(ordered)):
        if not left_out[index]:
            left_out |= alike[index] & (sizes >= sizes[index]) & (np.arange(len(ordered)) > index)
    kept = [item for item, out in zip(ordered, left_out, strict=True) if not out]
    return list(tools.selNSGA2(kept, k, nd="log"))


SURVIVORS: dict[str, Select] = {
    "nsga2": partial(tools.selNSGA2, nd="log"),
    "novel": novel,
    "nsga3": nsga3,
    "spea2": spea2,
}
"""Name -> what selects k survivors, of which no two rank the networks alike."""
