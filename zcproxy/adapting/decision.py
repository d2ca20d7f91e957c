"""The decision by a few labels: which candidate, or how much of which, and what to expect of that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from zcproxy.adapting.agreement import Agreement
from zcproxy.adapting.choice import expected_gains
from zcproxy.adapting.expectation import Expectation, expect
from zcproxy.adapting.weighing import Term, fit_terms, weighable, weighed
from zcproxy.errors import check_known

Array = NDArray[np.float64]
Places = NDArray[np.integer]


class Rule(StrEnum):
    """Ways to use labels: one candidate is chosen, or several are weighed in one formula."""

    CHOOSE = "choose"
    WEIGH = "weigh"


@dataclass(frozen=True)
class Decision:
    """What labels say of candidates, of which the first is the general one.

    Attributes:
        terms: candidates of the formula with their weights; a single one stands for the candidate itself.
        taus: candidates: Kendall's tau on the labelled networks. The highest of many is too high.
        gains: candidates: expected tau on other networks, less that of the general one; 0 for that one.
        deviations: candidates: standard deviation of the gain.
        expected: tau that what was decided on is to be expected to have on other networks.
        general: tau that the general one is to be expected to have there.
    """

    terms: tuple[Term, ...]
    taus: Array
    gains: Array
    deviations: Array
    expected: Expectation
    general: Expectation


def decide(
    scores: Array, labels: Array, *, rule: str = Rule.WEIGH, joinable: Sequence[int] | None = None, seed: int = 0
) -> Decision:
    """Choose among candidates, or weigh them.

    Weighing takes logarithms. Where the general candidate has none, being zero or negative somewhere, one is chosen.

    Args:
        scores: initialisations x candidates x networks, the general candidate first; higher is better, NaN ranks worst.
        labels: networks, five or more: finite accuracies, not all equal.
        rule: one of `Rule`.
        joinable: places of the candidates that can be in one formula, in order; None for all.
        seed: of the splits behind the expectation; nothing else depends on it.

    Raises:
        BenchmarkError: the labels are all equal, not finite, or not as many as the scores.
        ConfigurationError: there is no such rule.
    """
    check_known("rule", rule, Rule)
    agreement = Agreement(scores, labels)
    choosing = _Choosing(agreement)
    places = np.flatnonzero(weighable(scores))
    places = places if joinable is None else places[np.isin(places, joinable)]
    weighs = rule == Rule.WEIGH and places.size > 1 and places[0] == 0
    way = _Weighing(np.log(scores[:, places]), np.asarray(labels), places) if weighs else choosing
    return Decision(
        way.terms(),
        choosing.evidence.taus,
        choosing.gains.means,
        choosing.gains.deviations,
        expect(way.judged, agreement.told_apart, seed),
        expect(lambda unseen: agreement.signs[0][np.ix_(unseen, unseen)], agreement.told_apart, seed),
    )


class _Choosing:
    """Chooses one candidate."""

    def __init__(self, agreement: Agreement) -> None:
        self._agreement = agreement
        self.evidence = agreement.evidence()
        self.gains = expected_gains(self.evidence)

    def terms(self) -> tuple[Term, ...]:
        """Return the candidate."""
        return (Term(self.gains.best, 1.0),)

    def judged(self, unseen: Places) -> Array | None:
        """Return how the choice of the other networks orders the unseen ones, see `Judge`."""
        evidence = self._agreement.without(unseen)
        if evidence is None:
            return None
        found: Array = self._agreement.signs[expected_gains(evidence).best][np.ix_(unseen, unseen)]
        return found


class _Weighing:
    """Weighs candidates.

    Args:
        logarithms: initialisations x candidates x networks.
        labels: networks.
        places: of the candidates, the general one first.
    """

    def __init__(self, logarithms: Array, labels: Array, places: Places) -> None:
        self._logarithms, self._labels, self._places = logarithms, labels, places.tolist()

    def terms(self) -> tuple[Term, ...]:
        """Return the terms that all labels fit."""
        return fit_terms(self._logarithms.mean(axis=0), self._labels, self._places)

    def judged(self, unseen: Places) -> Array | None:
        """Return how the formula that the other networks fit orders the unseen ones, see `Judge`."""
        seen = np.delete(np.arange(len(self._labels)), unseen)
        labels = self._labels[seen]
        if (labels == labels[0]).all():
            return None
        terms = fit_terms(self._logarithms[:, :, seen].mean(axis=0), labels, self._places)
        by_label = np.sign(self._labels[unseen, None] - self._labels[None, unseen])
        orders = []
        for drawn in self._logarithms:
            scores = weighed(drawn[:, unseen], terms, self._places)
            orders.append(np.sign(scores[:, None] - scores[None, :]))
        found: Array = np.mean(orders, axis=0) * by_label
        return found
