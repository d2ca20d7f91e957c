"""Targets of formulas: the labels themselves, or the part of them that other spaces foretell.

A formula that is fitted to the labels of seven families fits what is peculiar to each of them too, which is of no use
in an eighth. What carries over is what holds in the *other* families: `transferred` puts in the place of the labels the
sum of the ranks of those columns that correlate best with the labels of the others. A formula that imitates it in every
family computes something that many columns agree on, and that has already held in a space it was not fitted to.

The columns are weighted by their mean correlation and not by a regression: weights that are fitted to a few families
fit their differences (Dawes, The robust beauty of improper linear models, American Psychologist 1979).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from zcproxy.columns.table import ColumnTable
from zcproxy.correlation.ranks import mean_ranks
from zcproxy.errors import ConfigurationError
from zcproxy.evolve.predictors import features_of
from zcproxy.names.tasks import get_task

Array = NDArray[np.float64]


class Targets(StrEnum):
    """Targets of formulas: the labels, or what the labels of other goals foretell of them."""

    LABELS = "labels"
    TRANSFERRED = "transferred"


STRONGEST = 30
"""Sums and means of columns that foretell the labels of a task: those of the highest mean correlation elsewhere."""


def check_transferable(tasks: Sequence[str], goals: Sequence[str]) -> None:
    """Raise `ConfigurationError` if all tasks are of one goal or have the same networks."""
    for task, others in zip(tasks, _others(tasks, goals), strict=True):
        if not others:
            raise ConfigurationError(
                f"transferred targets of {task} need another family that has other networks: name one, or take the "
                "labels as targets"
            )


def transferred(
    tasks: Sequence[str], tables: Sequence[ColumnTable], labels: Sequence[Array], goals: Sequence[str]
) -> list[Array]:
    """Return what the labels of the others foretell of each task: a weighted sum of the ranks of columns.

    The weight of the sum or the mean of a column over layers is Spearman's correlation with the labels, the mean over
    the tasks of a goal, then over the other goals. The `STRONGEST` of them count.

    Args:
        tasks: names of the tasks. Those with the same networks, or of one goal, foretell nothing of each other.
        tables: columns of the networks, one table per task, the same columns in all.
        labels: accuracies of the networks, one array per task.
        goals: one name per task.
    """
    features = [standardised(features_of(table)) for table in tables]
    correlations = [
        each.T @ standardised(mean_ranks(values)[:, None])[:, 0] for each, values in zip(features, labels, strict=True)
    ]
    found = []
    for places, values in zip(_others(tasks, goals), features, strict=True):
        by_goal: dict[str, list[Array]] = {}
        for place in places:
            by_goal.setdefault(goals[place], []).append(correlations[place])
        weights = np.mean([np.mean(each, axis=0) for each in by_goal.values()], axis=0)
        strongest = np.argsort(-np.abs(weights), kind="stable")[:STRONGEST]
        found.append(values[:, strongest] @ weights[strongest])
    return found


def _others(tasks: Sequence[str], goals: Sequence[str]) -> list[tuple[int, ...]]:
    """Return for each task the places of those that are of another goal and of another space."""
    known = [(goal, get_task(task).space.name) for task, goal in zip(tasks, goals, strict=True)]
    return [
        tuple(place for place, (goal, space) in enumerate(known) if goal != own_goal and space != own_space)
        for own_goal, own_space in known
    ]


def standardised(ranks: Array) -> Array:
    """Return networks x features with mean 0 and length 1; 0 for a feature that tells nothing apart."""
    centred = ranks - ranks.mean(axis=0)
    lengths = np.linalg.norm(centred, axis=0)
    return centred / np.where(lengths > 0, lengths, 1.0)
