"""One island for one epoch: a few generations of variation and selection, from one set of formulas to the next.

The result depends on the arguments alone, so islands run anywhere in any order. DEAP's NSGA-II selects the survivors by
worst and mean correlation, size and cost; variation is `zcproxy.formula.variation`, because DEAP's operators draw from
one global generator and fail on kinds without a leaf.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from deap import base, tools

from zcproxy.evolve.fitness import Fitness, FitnessFunction
from zcproxy.evolve.parents import SELECTIONS
from zcproxy.evolve.simplify import simplify
from zcproxy.formula import Kind, Node, constant, replace_at
from zcproxy.formula.canonical import canonical
from zcproxy.formula.choices import Choices, has_small_numbers
from zcproxy.formula.evaluate import Outcome
from zcproxy.formula.text import has_readable_text
from zcproxy.formula.variation import crossover, mutate

FRESH_SHARE = 0.05
CROSSOVER_SHARE = 0.4
ATTEMPTS = 8
"""Attempts of variation after a formula that is too large or known."""

FRESH_DEPTH = 5
"""Depth, in numbers, of a formula generated from nothing; a column counts as one."""

TUNED = 6
"""Number of best formulas whose constants are tuned, and which are simplified, after an epoch."""

TUNING_FACTORS = (0.5, 0.8, 0.95, 1.05, 1.25, 2.0, -1.0)


class ParetoFitness(base.Fitness):  # type: ignore[misc]
    """Worst and mean correlation up, size and cost down."""

    weights = (1.0, 1.0, -1.0, -1.0)


class Individual:
    """A formula with its score, in the form DEAP's selection takes."""

    def __init__(self, formula: Node, score: Fitness) -> None:
        self.formula = formula
        self.score = score
        self.fitness = ParetoFitness(score.objectives)


@dataclass(frozen=True)
class EpochResult:
    """The result of an epoch.

    Attributes:
        population: canonical formulas, best first.
        best: the best formula of each size met in the epoch, with its score.
        evaluations: distinct formulas evaluated.
        outcomes: number of evaluations by outcome.
    """

    population: list[Node]
    best: dict[int, tuple[Node, Fitness]]
    evaluations: int
    outcomes: Counter[Outcome]


class Epoch:
    """The state of one island during one epoch.

    Args:
        scorer: the fitness function on the training networks.
        choices: what formulas are made of.
        maximum_size: most nodes of a formula.
        rng: all randomness of the epoch.
        selection: how parents are found, a name of `zcproxy.evolve.parents.SELECTIONS`.
    """

    def __init__(
        self, scorer: FitnessFunction, choices: Choices, maximum_size: int, rng: Random, selection: str = "tournament"
    ) -> None:
        self._scorer = scorer
        self._choices = choices
        self._maximum_size = maximum_size
        self._rng = rng
        self._selection = SELECTIONS[selection]
        self._known: dict[Node, Fitness] = {}
        self._best: dict[int, tuple[Node, Fitness]] = {}
        self._outcomes: Counter[Outcome] = Counter()

    def evolve(self, population: Sequence[Node], size: int, generations: int) -> EpochResult:
        """Return the formulas after some generations, filled up to `size` with fresh formulas first."""
        individuals = [self._score(formula) for formula in population]
        individuals += [self._score(self._new(self._fresh)) for _ in range(size - len(individuals))]
        for _ in range(generations):
            parent = self._parents(individuals)
            offspring = [self._score(self._new(partial(self._child, parent))) for _ in range(size)]
            individuals = select(individuals + offspring, size)
        tuned = [self._tune(item.formula) for item in _by_correlation(individuals)[:TUNED]]
        tuned += [simplify(formula, lambda each: self._score(each).score) for formula in tuned]
        return self._result(select(individuals + [self._score(formula) for formula in tuned], size))

    def draw(self, count: int) -> EpochResult:
        """Fitness formulas drawn from nothing, without any selection: the random control."""
        for _ in range(count):
            self._score(self._new(self._fresh))
        return self._result([])

    def _result(self, individuals: list[Individual]) -> EpochResult:
        population = [item.formula for item in _by_correlation(individuals)]
        return EpochResult(population, self._best, len(self._known), self._outcomes)

    def _score(self, formula: Node) -> Individual:
        score = self._known.get(formula)
        if score is None:
            score = self._known[formula] = self._scorer(formula)
            self._outcomes[score.outcome] += 1
            finalist = self._best.get(score.size)
            if score.outcome is Outcome.OK and (finalist is None or _is_better(formula, score, *finalist)):
                self._best[score.size] = formula, score
        return Individual(formula, score)

    def _new(self, make: Callable[[], Node]) -> Node:
        """Return a formula that fits and, if some attempts suffice, one not met in this epoch."""
        for _ in range(ATTEMPTS):
            formula = canonical(make())
            is_formula = formula.size <= self._maximum_size and not formula.is_constant and has_readable_text(formula)
            if is_formula and has_small_numbers(formula) and formula not in self._known:
                return formula
        return canonical(self._choices.generate(Kind.NETWORK, self._rng, self._shallowest()))

    def _shallowest(self) -> int:
        return int(self._choices.least_depth[Kind.NETWORK])

    def _fresh(self) -> Node:
        depth = self._rng.randint(self._shallowest() + 1, FRESH_DEPTH)
        return self._choices.generate(Kind.NETWORK, self._rng, depth)

    def _child(self, parent: Callable[[], Node]) -> Node:
        chance = self._rng.random()
        if chance < FRESH_SHARE:
            return self._fresh()
        if chance < FRESH_SHARE + CROSSOVER_SHARE:
            return crossover(parent(), parent(), self._rng)
        return mutate(parent(), self._choices, self._rng)

    def _parents(self, individuals: Sequence[Individual]) -> Callable[[], Node]:
        draw = self._selection([item.score for item in individuals])
        return lambda: individuals[draw(self._rng)].formula

    def _tune(self, formula: Node) -> Node:
        """Improve the numbers of a formula one at a time, as long as the correlation rises."""
        best, score = formula, self._score(formula).score
        for index, node in enumerate(formula.walk()):
            if node.value is None:
                continue
            for factor in TUNING_FACTORS:
                number = _number_at(best, index) * factor
                trial = replace_at(best, index, constant(float(f"{number:.4g}")))
                if not has_small_numbers(canonical(trial)):
                    continue
                found = self._score(canonical(trial)).score
                if found.merit > score.merit:
                    best, score = trial, found
        return canonical(best)


def select(individuals: Sequence[Individual], size: int) -> list[Individual]:
    """Return `size` survivors: one for each order of the networks, then NSGA-II."""
    distinct: dict[bytes, Individual] = {}
    for item in individuals:
        rival = distinct.get(item.score.signature)
        if rival is None or (item.score.cost, item.score.size) < (rival.score.cost, rival.score.size):
            distinct[item.score.signature] = item
    return list(tools.selNSGA2(list(distinct.values()), size, nd="log"))


def merge_best(into: dict[int, tuple[Node, Fitness]], found: dict[int, tuple[Node, Fitness]]) -> None:
    """Keep the better formula of each size."""
    for size, (formula, score) in found.items():
        if size not in into or _is_better(formula, score, *into[size]):
            into[size] = formula, score


def _is_better(formula: Node, score: Fitness, rival: Node, rival_score: Fitness) -> bool:
    """Compare by merit, then cheaper probes, then text, so that ties never depend on order."""
    own = (score.merit, -score.cost)
    other = (rival_score.merit, -rival_score.cost)
    return own > other or (own == other and str(formula) < str(rival))


def _by_correlation(individuals: Iterable[Individual]) -> list[Individual]:
    return sorted(individuals, key=lambda item: (-item.score.merit, item.score.size, str(item.formula)))


def _number_at(formula: Node, index: int) -> float:
    """Return the constant at prefix position `index`."""
    node = next(itertools.islice(formula.walk(), index, None))
    assert node.value is not None
    return node.value
