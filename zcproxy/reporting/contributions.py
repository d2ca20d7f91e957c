"""What each part of a formula contributes: the merit that is lost where the part says the same of every network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from zcproxy.columns.table import ColumnTable
from zcproxy.formula import Kind, Node, vocabulary
from zcproxy.formula.evaluate import Evaluator, Outcome
from zcproxy.formula.tree import replaced
from zcproxy.reporting.stored_columns import Labelled

Path = tuple[int, ...]
"""The index of the child taken at each step from the root."""

CHAINS = ("add", "multiply")
"""Operations whose order does not matter: what is summed, or multiplied, stands side by side."""


@dataclass(frozen=True)
class Contribution:
    """What a part of a formula contributes.

    Attributes:
        path: where the part is.
        part: the sub-tree.
        merit: of the formula with the part replaced; 0 where it then orders nothing.
        lost: how much lower that is than the merit of the formula.
    """

    path: Path
    part: Node
    merit: float
    lost: float


def contributions(formula: Node, labelled: Labelled) -> list[Contribution]:
    """Return what the parts of a formula contribute on the labelled networks, in prefix order.

    Parts are what yields numbers, without the whole and without constants. One with a number per network is replaced by
    its mean over the networks of the task; one with a number per layer or stage by the mean over all of these, so that
    how many there are still counts. Of a set of formulas whose ranks are summed, a member is left out.
    """
    found = list(_parts(formula))
    leaves = {path: Node(f"mean_of_part_{number}", Kind.NETWORK) for number, (path, _) in enumerate(found)}
    evaluators = [_evaluator(table) for table in labelled.tables]
    means = {leaves[path]: [_mean(part, evaluator) for evaluator in evaluators] for path, part in found}
    fitness = labelled.with_constants(means).fitness("fitted")
    whole = fitness(formula).merit
    rows = []
    for path, part in found:
        changed = fitness(_without(formula, path, part, leaves[path]))
        merit = changed.merit if changed.outcome is Outcome.OK else 0.0
        rows.append(Contribution(path, part, merit, whole - merit))
    return rows


def below(path: Path, node: Node) -> list[tuple[Path, Node]]:
    """Return what stands below a node, with paths: all terms of a sum, all factors of a product, or its arguments."""
    found: list[tuple[Path, Node]] = []
    waiting = [(path, node)]
    while waiting:
        place, each = waiting.pop()
        if place == path or (each.symbol == node.symbol and node.symbol in CHAINS and each.kind is node.kind):
            waiting += reversed([((*place, index), child) for index, child in enumerate(each.arguments)])
        else:
            found.append((place, each))
    return found


def _parts(formula: Node) -> Iterator[tuple[Path, Node]]:
    waiting: list[tuple[Path, Node]] = [((), formula)]
    while waiting:
        path, node = waiting.pop()
        if path and not node.is_constant:
            yield path, node
        if not node.is_column:
            waiting += reversed(below(path, node))


def _evaluator(table: ColumnTable) -> Evaluator:
    return Evaluator(table.counts, table.values, table.blocks, table.connections)


def _mean(part: Node, evaluator: Evaluator) -> float:
    """Return the mean of a part over networks, layers or stages, as far as it is defined."""
    language = vocabulary()
    if part.kind is Kind.NETWORK:
        values = evaluator(part)
        return float(np.nanmean(values)) if np.isfinite(values).any() else 0.0
    one = language.apply("exp", _nothing(part))
    totals, counts = (evaluator(language.apply("nansum", each)) for each in (part, one))
    defined = np.isfinite(totals) & np.isfinite(counts)
    return float(totals[defined].sum() / counts[defined].sum()) if defined.any() else 0.0


def _nothing(part: Node) -> Node:
    """Return 0 where the part is defined, of the same kind."""
    return vocabulary().apply("subtract", part, part)


def _without(formula: Node, path: Path, part: Node, leaf: Node) -> Node:
    """Return a formula without what a part tells apart."""
    if formula.kind is Kind.RANKING and len(path) == 1:
        return _without_member(formula, path[0])
    if part.kind is Kind.NETWORK:
        return replaced(formula, path, leaf)
    return replaced(formula, path, vocabulary().apply("add", _nothing(part), leaf))


def _without_member(formula: Node, index: int) -> Node:
    others: Sequence[Node] = (*formula.arguments[:index], *formula.arguments[index + 1 :])
    return others[0] if len(others) == 1 else vocabulary().apply(formula.symbol, *others)
