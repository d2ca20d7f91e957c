"""LINAS: measure a few, predict many, measure the best of those.

D. Cummings, A. Sarah, S. N. Sridhar, M. Szankin, J. P. Munoz, S. Sundaresan: A Hardware-Aware Framework for
Accelerating Neural Architecture Search Across Modalities (DyNAS-T, arXiv 2205.10358), algorithm 1. Here predictors may
see the scores of a zero-cost proxy besides the encoding, and what is cheap to measure is measured, not predicted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from zcproxy.random import derive_seed, generator
from zcproxy.search.algorithms.ask_tell import Proposer
from zcproxy.search.algorithms.genetic import Genetic
from zcproxy.search.algorithms.niches import Niches
from zcproxy.search.front import costs_of, most_promising, ranked
from zcproxy.search.goals import Candidate, Goals
from zcproxy.search.predictor import Predictor

INNER_POPULATION = 50

OPTIMISM = 1.0
"""Standard deviations by which predictions are taken to be better: what is uncertain is worth a measurement.

Only where there are several objectives: with one, a whole population would go where the least is known.
"""

Measure = Callable[[Sequence[str], Sequence[str]], Mapping[str, NDArray[np.float64]]]
"""Returns quantities of architectures by name, given architectures and names; NaN where one is undefined."""


class Linas:
    """Alternates between measurements and a long genetic search on predictions of them.

    Args:
        proposer: proposer of the space.
        population: architectures measured at a time.
        start: architectures of the first population; random ones fill it up.
        goals: what is best.
        predicted: the quantities of the goals that are predicted.
        hints: quantities that predictors see besides the encoding, such as a proxy's score.
        measure: measures hints, and what is not predicted, for the inner search.
        inner_evaluations: architectures that an inner search predicts.
        scored: architectures whose hints are known; with the measured ones they tell predictors what is usual.
        seed: seed of the inner searches.
        niches: of each, the best that is predicted is measured first; None for none.
    """

    def __init__(
        self,
        proposer: Proposer,
        population: int,
        start: Sequence[str],
        goals: Goals,
        predicted: Sequence[str],
        hints: Sequence[str],
        measure: Measure,
        inner_evaluations: int,
        scored: Sequence[str],
        seed: int,
        niches: Niches | None = None,
    ) -> None:
        self._proposer, self._population, self._goals = proposer, population, goals
        self._predicted, self._hints, self._measure = list(predicted), list(hints), measure
        self._exact = [name for name in goals.quantities if name not in predicted]
        self._inner, self._seed, self._niches = inner_evaluations, seed, niches
        self._start, self._scored = list(start), list(scored)
        self._optimism = OPTIMISM if len(goals.objectives) > 1 else 0.0
        self._measured: list[Candidate] = []

    def ask(self) -> list[str]:
        """Return the first population, then those of an inner search that are predicted to be best."""
        if not self._measured:
            return self._proposer.filled(self._start, self._population)
        foreseen = self._inner_search()
        first = [] if self._niches is None else self._best_of_niches(self._niches, foreseen)
        others = [outcome for outcome in foreseen if outcome not in first]
        found = first + most_promising(others, [*self._measured, *first], self._population - len(first))
        self._proposer.known.update(outcome.architecture for outcome in found)
        return [outcome.architecture for outcome in found]

    def tell(self, outcomes: Sequence[Candidate]) -> None:
        """Add measurements."""
        self._measured.extend(outcomes)

    def _best_of_niches(self, niches: Niches, foreseen: Sequence[Candidate]) -> list[Candidate]:
        """Return the best of each niche that is predicted to be better than all that was measured there."""
        able = [outcome for outcome in [*self._measured, *foreseen] if outcome.violation == 0.0]
        known = {outcome.architecture for outcome in self._measured}
        best = [able[place] for place in niches.best(costs_of(able))]
        return [outcome for outcome in best if outcome.architecture not in known]

    def _inner_search(self) -> list[Candidate]:
        """Return how all architectures of an inner search that were not measured are predicted to do."""
        measured = [outcome.architecture for outcome in self._measured]
        places = [self._goals.quantities.index(name) for name in self._predicted]
        values = np.array([outcome.values for outcome in self._measured])[:, places]
        predictor = Predictor(measured, values, self._known, self._scored)
        signs = self._optimism * np.array([1.0 if name in self._goals.maximized else -1.0 for name in self._predicted])
        space, step = self._proposer.space, len(measured)
        inner_proposer = Proposer(space, generator("linas", self._seed, step), set())
        best = [outcome.architecture for outcome in ranked(self._measured)[: INNER_POPULATION // 2]]
        inner_proposer.known.update(best)
        objectives = len(self._goals.objectives)
        seed = derive_seed("linas", self._seed, step) % 2**32
        inner = Genetic("nsga2", inner_proposer, INNER_POPULATION, best, objectives, seed, self._niches)
        found: list[Candidate] = []
        while len(found) < self._inner:
            asked = inner.ask()
            if not asked:
                break
            means, spreads = predictor(asked)
            foreseen = dict(zip(self._predicted, (means + signs * spreads).T, strict=True))
            outcomes = self._goals.outcomes(asked, {**foreseen, **self._measure(asked, self._exact)})
            inner.tell(outcomes)
            found.extend(outcomes)
        return [outcome for outcome in found if outcome.architecture not in self._proposer.known]

    def _known(self, architectures: Sequence[str]) -> NDArray[np.float64]:
        values = self._measure(architectures, self._hints)
        return np.array([values[name] for name in self._hints]).reshape(len(self._hints), len(architectures)).T
