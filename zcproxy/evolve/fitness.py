"""Scores formulas on the training networks of a run; selection goes by what stands here."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zcproxy.correlation import PairwiseTau
from zcproxy.formula import Node
from zcproxy.formula.evaluate import Evaluator, Outcome
from zcproxy.sweep.expressions import probes_of
from zcproxy.sweep.probes import PROBES
from zcproxy.sweep.table import ColumnTable

WORST = -1.0
"""Correlation of a formula that is undefined or constant somewhere: it ranks below every other."""


@dataclass(frozen=True)
class Score:
    """What a formula is worth on a set of networks.

    Attributes:
        correlations: Kendall's tau-b a task, or `WORST`.
        outcome: what came of the evaluation, the worst over the tasks.
        signature: hash of the ranks it gives the networks: formulas that order alike share it.
        size: nodes of the formula.
        cost: passes over a minibatch that its probes need.
    """

    correlations: tuple[float, ...]
    outcome: Outcome
    signature: bytes
    size: int
    cost: float

    @property
    def worst(self) -> float:
        return min(self.correlations)

    @property
    def mean(self) -> float:
        return sum(self.correlations) / len(self.correlations)

    @property
    def objectives(self) -> tuple[float, float, float, float]:
        """Worst and mean correlation (maximised), nodes and cost of the probes (minimised)."""
        return self.worst, self.mean, float(self.size), self.cost


class Scorer:
    """Scores formulas on one set of networks a task.

    Args:
        tables: columns of the networks, one table a task.
        labels: accuracies of the networks, one array a task.

    Raises:
        BenchmarkError: the labels of a task are all equal.
    """

    def __init__(self, tables: Sequence[ColumnTable], labels: Sequence[NDArray[np.float64]]) -> None:
        self._evaluators = [Evaluator(table.counts, table.values) for table in tables]
        self._taus = [PairwiseTau(accuracies) for accuracies in labels]

    def __call__(self, formula: Node) -> Score:
        """Return the score of a formula whose columns are in the tables."""
        correlations = []
        outcome = Outcome.OK
        ranks = hashlib.blake2b(digest_size=16)
        for evaluator, tau in zip(self._evaluators, self._taus, strict=True):
            values = evaluator(formula)
            found = evaluator.outcome(values)
            value = tau(values) if found is Outcome.OK else math.nan
            correlations.append(WORST if math.isnan(value) else value)
            outcome = outcome if found is Outcome.OK else found
            ranks.update(np.argsort(values, kind="stable").astype(np.int32).tobytes())
        return Score(tuple(correlations), outcome, ranks.digest(), formula.size, cost_of(formula))


def cost_of(formula: Node) -> float:
    """Return the passes over a minibatch that a formula's probes need."""
    return sum(PROBES[name].cost for name in sorted(probes_of(formula)))
