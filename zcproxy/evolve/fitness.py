"""Scores formulas on the training networks of a run; selection is based on these scores."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from zcproxy.columns.table import ColumnTable, joined
from zcproxy.correlation import PairwiseTau
from zcproxy.evolve.cases import CASES, Case
from zcproxy.formula import Node
from zcproxy.formula.evaluate import Evaluator, Outcome
from zcproxy.primitives import parse
from zcproxy.probing.expressions import probes_of
from zcproxy.probing.probes import PROBES

WORST = -1.0
"""Correlation of a formula that is undefined or constant somewhere: it ranks below every other."""


@dataclass(frozen=True)
class Fitness:
    """The fitness of a formula on a set of networks.

    Attributes:
        correlations: Kendall's tau a task, equal scores counted as half wrong, or `WORST`.
        cases: what selection by case compares: for each kind of case, one number per goal, the mean over its tasks.
        worst: the lowest tau of a goal.
        mean: mean of all cases.
        outcome: outcome of the evaluation, the worst over the tasks.
        signature: hash of the ranks it gives the networks: formulas that order alike share it.
        size: nodes of the formula.
        cost: passes over a minibatch that its probes need.
    """

    correlations: tuple[float, ...]
    cases: tuple[float, ...]
    worst: float
    mean: float
    outcome: Outcome
    signature: bytes
    size: int
    cost: float

    @property
    def merit(self) -> float:
        """The merit by which formulas of the same size are compared: halfway between worst and mean."""
        return (self.worst + self.mean) / 2

    @property
    def objectives(self) -> tuple[float, float, float, float]:
        """Worst and mean correlation (maximised), nodes and cost of the probes (minimised)."""
        return self.worst, self.mean, float(self.size), self.cost


class FitnessFunction:
    """Scores formulas on one set of networks per task.

    Args:
        tables: columns of the networks, one table per task.
        labels: accuracies of the networks, one array per task.
        goals: one name per task; tasks that share one count as one. None: each task is its own.
        cases: what counts beside tau, names of `zcproxy.evolve.cases.CASES`; their tables need the columns
            `total_params` and `total_macs`.

    Raises:
        BenchmarkError: the labels of a task are all equal.
    """

    def __init__(
        self,
        tables: Sequence[ColumnTable],
        labels: Sequence[NDArray[np.float64]],
        goals: Sequence[str] | None = None,
        cases: Sequence[str] = (),
    ) -> None:
        table = joined(tables)
        self._evaluator = Evaluator(table.counts, table.values, table.blocks)
        ends = np.cumsum([len(values) for values in labels]).tolist()
        self._parts = [slice(end - len(values), end) for end, values in zip(ends, labels, strict=True)]
        self._taus = [PairwiseTau(values, credit_ties=False) for values in labels]
        self._cases: list[list[Case]] = [
            [_case(name, *each) for each in zip(tables, labels, strict=True)] for name in cases
        ]
        names = list(goals or map(str, range(len(tables))))
        self._goals = [[task for task, name in enumerate(names) if name == goal] for goal in dict.fromkeys(names)]

    def __call__(self, formula: Node) -> Fitness:
        """Return the score of a formula whose columns are in the tables."""
        values = self._evaluator(formula)
        outcomes = [self._evaluator.outcome(values, part) for part in self._parts]
        orders = [values[part].argsort(kind="stable") for part in self._parts]
        ranks = hashlib.blake2b(digest_size=16)
        for order in orders:
            ranks.update(order.astype(np.int32).tobytes())
        parts = list(zip(self._parts, orders, outcomes, strict=True))
        found = [
            [
                _known(tau(values[part], order)) if outcome is Outcome.OK else WORST
                for tau, (part, order, outcome) in zip(self._taus, parts, strict=True)
            ]
        ]
        found += [
            [
                _known(case(values[part])) if outcome is Outcome.OK else WORST
                for case, (part, _, outcome) in zip(cases, parts, strict=True)
            ]
            for cases in self._cases
        ]
        by_goal = [sum(values[index] for index in goal) / len(goal) for values in found for goal in self._goals]
        failed = [outcome for outcome in outcomes if outcome is not Outcome.OK]
        return Fitness(
            correlations=tuple(found[0]),
            cases=tuple(by_goal),
            worst=min(by_goal[: len(self._goals)]),
            mean=sum(by_goal) / len(by_goal),
            outcome=failed[-1] if failed else Outcome.OK,
            signature=ranks.digest(),
            size=formula.size,
            cost=cost_of(formula),
        )


def _case(name: str, table: ColumnTable, labels: NDArray[np.float64]) -> Case:
    params, macs = (np.asarray(table.values[parse(text)], np.float64) for text in ("total_params", "total_macs"))
    return CASES[name](labels, params, macs)


def _known(value: float) -> float:
    return WORST if math.isnan(value) else value


def cost_of(formula: Node) -> float:
    """Return the passes over a minibatch that a formula's probes need."""
    probes = {name for column in formula.columns() for name in _probes_of(column)}
    return sum(PROBES[name].cost for name in sorted(probes))


@lru_cache(maxsize=10_000)
def _probes_of(column: Node) -> frozenset[str]:
    return probes_of(column)
