"""Scores formulas on the training networks of a run; selection is based on these scores."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zcproxy.columns.table import ColumnTable, joined
from zcproxy.correlation import PairwiseTau
from zcproxy.correlation.ranks import FEWEST_NETWORKS, is_constant
from zcproxy.evolve.cases import CASES, SIZES, Case
from zcproxy.evolve.invariance import Variation
from zcproxy.formula import Kind, Node, vocabulary
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
        variations: for each task, what was measured of its networks under other conditions. Tau of a task falls by as
            much as it is lower, on the same networks, under the worst of them. None: there are none.

    Raises:
        BenchmarkError: the labels of a task are all equal.
    """

    def __init__(
        self,
        tables: Sequence[ColumnTable],
        labels: Sequence[NDArray[np.float64]],
        goals: Sequence[str] | None = None,
        cases: Sequence[str] = (),
        variations: Sequence[Sequence[Variation]] | None = None,
    ) -> None:
        varied = [variation.table for listed in variations or () for variation in listed]
        table = joined([*tables, *varied])
        self._evaluator = Evaluator(table.counts, table.values, table.blocks, table.connections)
        sizes = [*map(len, labels), *(len(each.counts) for each in varied)]
        ends = np.cumsum(sizes).tolist()
        self._parts = [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]
        self._taus = [PairwiseTau(values, credit_ties=False) for values in labels]
        self._cases: list[list[Case]] = [
            [_case(name, *each) for each in zip(tables, labels, strict=True)] for name in cases
        ]
        self._falls = _falls(labels, variations or [()] * len(tables))
        names = list(goals or map(str, range(len(tables))))
        self._goals = [[task for task, name in enumerate(names) if name == goal] for goal in dict.fromkeys(names)]

    def __call__(self, formula: Node) -> Fitness:
        """Return the score of a formula whose columns are in the tables."""
        parts, outcomes = self._scores(formula)
        orders = [part.argsort(kind="stable") for part in parts]
        ranks = hashlib.blake2b(digest_size=16)
        for order in orders:
            ranks.update(order.astype(np.int32).tobytes())
        found = [[_tau(outcomes[task], tau, parts[task], orders[task]) for task, tau in enumerate(self._taus)]]
        for fall in self._falls:
            found[0][fall.task] += fall(parts, outcomes)
        found += [[_tau(outcomes[task], case, parts[task]) for task, case in enumerate(cases)] for cases in self._cases]
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

    def _scores(self, formula: Node) -> tuple[list[NDArray[np.float64]], list[Outcome]]:
        """Return scores and outcome of each part; a set of formulas ranks the networks of a part among each other."""
        if formula.kind is not Kind.RANKING:
            values = self._evaluator(formula)
            outcomes = [self._evaluator.outcome(values, part) for part in self._parts]
            return [values[part] for part in self._parts], outcomes
        join = vocabulary().function(formula)
        members = [self._evaluator(member) for member in formula.arguments]
        of_members = [[self._evaluator.outcome(values, part) for values in members] for part in self._parts]
        outcomes = [next((each for each in listed if each is not Outcome.OK), Outcome.OK) for listed in of_members]
        return [join(*(values[part] for values in members)) for part in self._parts], outcomes


@dataclass(frozen=True)
class _Fall:
    """How much lower tau of a task is under the worst of other conditions, on the networks measured under them.

    Attributes:
        task: its place among the tasks.
        networks: places of the networks in the task.
        tau: with their labels.
        variations: places of the other conditions among all parts.
    """

    task: int
    networks: NDArray[np.integer]
    tau: PairwiseTau
    variations: range

    def __call__(self, parts: Sequence[NDArray[np.float64]], outcomes: Sequence[Outcome]) -> float:
        """Return the difference, at most 0, from the scores of all parts; `WORST` if it is undefined in one."""
        own = _tau(outcomes[self.task], self.tau, parts[self.task][self.networks])
        lowest = min(_tau(outcomes[index], self.tau, parts[index]) for index in self.variations)
        return min(0.0, lowest - own)


def _falls(labels: Sequence[NDArray[np.float64]], variations: Sequence[Sequence[Variation]]) -> list[_Fall]:
    """Return the falls of the tasks that have other conditions; their parts come after those of all tasks."""
    found = []
    start = len(labels)
    for task, (values, listed) in enumerate(zip(labels, variations, strict=True)):
        places = range(start, start + len(listed))
        start += len(listed)
        networks = listed[0].networks if listed else np.zeros(0, np.intp)
        if len(networks) >= FEWEST_NETWORKS and not is_constant(values[networks]):
            found.append(_Fall(task, networks, PairwiseTau(values[networks], credit_ties=False), places))
    return found


def _tau(outcome: Outcome, correlation: Callable[..., float], *arguments: Any) -> float:
    """Return a correlation, or `WORST` where the scores have none."""
    value = correlation(*arguments) if outcome is Outcome.OK else math.nan
    return WORST if math.isnan(value) else value


def _case(name: str, table: ColumnTable, labels: NDArray[np.float64]) -> Case:
    params, macs = (np.asarray(table.values[parse(text)], np.float64) for text in SIZES)
    return CASES[name](labels, params, macs)


def cost_of(formula: Node) -> float:
    """Return the passes over a minibatch that a formula's probes need."""
    probes = {name for column in formula.columns() for name in _probes_of(column)}
    return sum(PROBES[name].cost for name in sorted(probes))


@lru_cache(maxsize=10_000)
def _probes_of(column: Node) -> frozenset[str]:
    return probes_of(column)
