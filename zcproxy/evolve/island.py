"""One island for one epoch: a few generations of variation and selection, from one set of formulas to the next.

The result depends on the arguments alone, so islands run anywhere in any order. A toolbox of DEAP has the operators.
The loop is ours, because DEAP's algorithms score a formula as often as they meet it, and keep formulas that rank alike.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from deap import base, tools

from zcproxy.evolve.deap.individual import Individual, finite_objectives, tree_of
from zcproxy.evolve.deap.own_toolbox import own_toolbox
from zcproxy.evolve.deap.primitives import PrimitiveSet
from zcproxy.evolve.deap.randomness import SHARED, lent_to
from zcproxy.evolve.deap.selection import distinct
from zcproxy.evolve.deap.toolbox import Operators, make_toolbox
from zcproxy.evolve.fitness import Fitness, FitnessFunction
from zcproxy.evolve.simplify import simplify
from zcproxy.formula import Node, constant, replace_at
from zcproxy.formula.canonical import canonical
from zcproxy.formula.choices import has_small_numbers
from zcproxy.formula.evaluate import Outcome
from zcproxy.formula.text import has_readable_text

FRESH_SHARE = 0.05
CROSSOVER_SHARE = 0.4
ATTEMPTS = 8
"""Attempts of variation after a formula that is too large or known."""

TUNED = 6
"""Number of best formulas whose constants are tuned, and which are simplified, after an epoch."""

TUNING_FACTORS = (0.5, 0.8, 0.95, 1.05, 1.25, 2.0, -1.0)


@dataclass(frozen=True)
class EpochResult:
    """The result of an epoch.

    Attributes:
        population: canonical formulas, best first.
        best: the best formula of each size met in the epoch, with its score.
        evaluations: distinct formulas evaluated.
        outcomes: number of evaluations by outcome.
        logbook: least, mean and most merit and size after each generation.
    """

    population: list[Node]
    best: dict[int, tuple[Node, Fitness]]
    evaluations: int
    outcomes: Counter[Outcome]
    logbook: list[dict[str, Any]]


class Epoch:
    """The state of one island during one epoch.

    Args:
        scorer: the fitness function on the training networks.
        primitives: what formulas are made of, and their largest size.
        rng: all randomness of the epoch, lent to the global generators meanwhile.
        operators: the variants of the toolbox.
        own: reference of the user's toolbox, see `zcproxy.evolve.deap.own_toolbox`; empty for ours.
    """

    def __init__(
        self,
        scorer: FitnessFunction,
        primitives: PrimitiveSet,
        rng: Random,
        operators: Operators | None = None,
        own: str = "",
    ) -> None:
        self._scorer = scorer
        self._primitives = primitives
        self._rng = rng
        self._operators = operators or Operators()
        self._own = own
        self._known: dict[Node, Fitness] = {}
        self._best: dict[int, tuple[Node, Fitness]] = {}
        self._outcomes: Counter[Outcome] = Counter()

    def evolve(self, population: Sequence[Node], size: int, generations: int) -> EpochResult:
        """Return the population after some generations, filled up to `size` with fresh formulas first.

        Raises:
            ConfigurationError: an entry of the user's toolbox raises, or returns what the loop cannot take.
        """
        with lent_to(self._rng):
            return self._evolved(self._toolbox(), population, size, generations)

    def draw(self, count: int) -> EpochResult:
        """Score formulas drawn from nothing, without any selection: the random control."""
        with lent_to(self._rng):
            toolbox = self._toolbox()
            for _ in range(count):
                self._evaluated(toolbox, self._new(toolbox.individual))
            return self._result([], tools.Logbook())

    def _toolbox(self) -> base.Toolbox:
        toolbox = make_toolbox(self._primitives, self._operators, self._score)
        return own_toolbox(self._own, toolbox, self._primitives) if self._own else toolbox

    def _evolved(self, toolbox: base.Toolbox, population: Sequence[Node], size: int, generations: int) -> EpochResult:
        individuals = [self._evaluated(toolbox, self._tree(formula)) for formula in population]
        for fresh in toolbox.population(n=max(0, size - len(individuals))):
            drawn = itertools.chain([fresh], iter(toolbox.individual, None))
            individuals.append(self._evaluated(toolbox, self._new(drawn.__next__)))
        statistics, logbook = _statistics(), tools.Logbook()
        for _ in range(generations):
            children = _children(toolbox, individuals)
            offspring = [self._evaluated(toolbox, self._new(children.__next__)) for _ in range(size)]
            individuals = toolbox.survive(distinct(individuals + offspring), size)
            logbook.record(**statistics.compile(individuals))
        tuned = [self._tune(item.formula) for item in _by_correlation(individuals)[:TUNED]]
        tuned += [simplify(formula, self._score) for formula in tuned]
        individuals = individuals + [self._evaluated(toolbox, self._tree(formula)) for formula in tuned]
        return self._result(toolbox.survive(distinct(individuals), size), logbook)

    def _result(self, individuals: list[Individual], logbook: tools.Logbook) -> EpochResult:
        population = [item.formula for item in _by_correlation(individuals)]
        return EpochResult(population, self._best, len(self._known), self._outcomes, _records(logbook))

    def _tree(self, formula: Node) -> Individual:
        return tree_of(formula, self._primitives)

    def _evaluated(self, toolbox: base.Toolbox, individual: Individual) -> Individual:
        """Give an individual its fitness; what the hall of fame goes by is known of each."""
        individual.fitness.values = finite_objectives(toolbox.evaluate(individual))
        individual.score = self._score(individual.formula)
        return individual

    def _score(self, formula: Node) -> Fitness:
        score = self._known.get(formula)
        if score is None:
            score = self._known[formula] = self._scorer(formula)
            self._outcomes[score.outcome] += 1
            finalist = self._best.get(score.size)
            if score.outcome is Outcome.OK and (finalist is None or _is_better(formula, score, *finalist)):
                self._best[score.size] = formula, score
        return score

    def _new(self, make: Callable[[], Individual]) -> Individual:
        """Return a formula that fits and, if some attempts suffice, one not met in this epoch."""
        most = self._primitives.maximum_size
        for _ in range(ATTEMPTS):
            individual = make()
            formula = canonical(individual.formula)
            is_formula = formula.size <= most and not formula.is_constant and has_readable_text(formula)
            if is_formula and has_small_numbers(formula) and formula not in self._known:
                return individual if formula is individual.formula else self._tree(formula)
        choices, root = self._primitives.choices, self._primitives.root
        return self._tree(canonical(choices.generate(root, SHARED, int(choices.least_depth[root]))))

    def _tune(self, formula: Node) -> Node:
        """Improve the numbers of a formula one at a time, as long as the correlation rises."""
        best, score = formula, self._score(formula)
        for index, node in enumerate(formula.walk()):
            if node.value is None:
                continue
            for factor in TUNING_FACTORS:
                number = _number_at(best, index) * factor
                trial = replace_at(best, index, constant(float(f"{number:.4g}")))
                if not has_small_numbers(canonical(trial)):
                    continue
                found = self._score(canonical(trial))
                if found.merit > score.merit:
                    best, score = trial, found
        return canonical(best)


def _children(toolbox: base.Toolbox, individuals: Sequence[Individual]) -> Iterator[Individual]:
    """Yield children without end: fresh ones, the first of a pair that was mated, or mutants, as `algorithms.varOr`."""
    parents = _parents(toolbox, individuals)
    while True:
        chance = SHARED.random()
        if chance < FRESH_SHARE:
            yield toolbox.individual()
        elif chance < FRESH_SHARE + CROSSOVER_SHARE:
            yield toolbox.mate(next(parents), next(parents))[0]
        else:
            yield toolbox.mutate(next(parents))[0]


def _parents(toolbox: base.Toolbox, individuals: Sequence[Individual]) -> Iterator[Individual]:
    """Yield copies of selected parents without end, selected as many at a time as there are individuals."""
    while True:
        for parent in toolbox.select(individuals, len(individuals)):
            yield toolbox.clone(parent)


def _statistics() -> tools.MultiStatistics:
    """Return what is recorded of each generation."""
    statistics = tools.MultiStatistics(
        merit=tools.Statistics(lambda individual: individual.fitness.merit),
        size=tools.Statistics(lambda individual: individual.formula.size),
    )
    statistics.register("least", min)
    statistics.register("mean", lambda values: sum(values) / len(values))
    statistics.register("most", max)
    return statistics


def _records(logbook: tools.Logbook) -> list[dict[str, Any]]:
    """Return what a logbook holds of each generation, by the name of the statistics, as JSON can hold it."""
    return [
        {name: dict(chapter[generation]) for name, chapter in logbook.chapters.items()}
        for generation in range(len(logbook))
    ]


def merge_best(into: dict[int, tuple[Node, Fitness]], found: dict[int, tuple[Node, Fitness]]) -> None:
    """Keep the better formula of each size."""
    for size, (formula, score) in found.items():
        if size not in into or _is_better(formula, score, *into[size]):
            into[size] = formula, score


def _is_better(formula: Node, score: Fitness, rival: Node, rival_score: Fitness) -> bool:
    """Compare by merit, then cheaper probes, then text, where `tools.HallOfFame` keeps the first of equals."""
    own = (score.merit, -score.cost)
    other = (rival_score.merit, -rival_score.cost)
    return own > other or (own == other and str(formula) < str(rival))


def _by_correlation(individuals: Iterable[Individual]) -> list[Individual]:
    """Return individuals best first; `tools.selBest` would leave ties in the order that they came in."""
    return sorted(individuals, key=lambda item: (-item.fitness.merit, item.formula.size, item.formula.text))


def _number_at(formula: Node, index: int) -> float:
    """Return the constant at prefix position `index`."""
    node = next(itertools.islice(formula.walk(), index, None))
    assert node.value is not None
    return node.value
