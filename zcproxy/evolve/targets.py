"""Targets of formulas: the labels themselves, or the part of them that can be predicted from other spaces.

A formula that is fitted to the labels of seven families fits what is peculiar to each of them too, which is of no use
in an eighth. What carries over is what a model fitted to the *other* families gets right: `transferred` puts its
predictions in the place of the labels. A formula that imitates them in every family computes something that many
columns agree on, and that has already held in a space it was not fitted to.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from zcproxy.columns.table import ColumnTable
from zcproxy.correlation import kendall_tau
from zcproxy.errors import ConfigurationError
from zcproxy.evolve.predictors import Predictor, features_of, fit
from zcproxy.extras import check_extra
from zcproxy.names.tasks import get_task

Array = NDArray[np.float64]


class Targets(StrEnum):
    """Targets of formulas: the labels, or predictions from the labels of other goals."""

    LABELS = "labels"
    TRANSFERRED = "transferred"


PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0)
"""Of the squared coefficients, as a share of the networks. Of these, the one that predicts best is taken."""


def check_transferable(tasks: Sequence[str], goals: Sequence[str]) -> None:
    """Raise `ConfigurationError` if all tasks are of one goal or have the same networks, or without scikit-learn."""
    check_extra("predictors", "targets that are transferred", "sklearn")
    for task, others in zip(tasks, _others(tasks, goals), strict=True):
        if not others:
            raise ConfigurationError(
                f"transferred targets of {task} need another family that has other networks: name one, or take the "
                "labels as targets"
            )


def transferred(
    tasks: Sequence[str], tables: Sequence[ColumnTable], labels: Sequence[Array], goals: Sequence[str]
) -> list[Array]:
    """Return what ridge regression predicts for each task, fitted to the ranks of the others.

    The penalty is the same for all tasks: the one whose predictions have the highest mean tau with the labels.

    Args:
        tasks: names of the tasks. Those with the same networks, or of one goal, predict nothing of each other.
        tables: columns of the networks, one table per task, the same columns in all.
        labels: accuracies of the networks, one array per task.
        goals: one name per task.
    """
    features = [features_of(table) for table in tables]
    others = _others(tasks, goals)
    found = [_predictions(features, labels, goals, others, penalty) for penalty in PENALTIES]
    return max(found, key=lambda predictions: _mean_tau(predictions, labels, goals))


def _others(tasks: Sequence[str], goals: Sequence[str]) -> list[tuple[int, ...]]:
    """Return for each task the places of those that are of another goal and of another space."""
    known = [(goal, get_task(task).space.name) for task, goal in zip(tasks, goals, strict=True)]
    return [
        tuple(place for place, (goal, space) in enumerate(known) if goal != own_goal and space != own_space)
        for own_goal, own_space in known
    ]


def _predictions(
    features: Sequence[Array],
    labels: Sequence[Array],
    goals: Sequence[str],
    others: Sequence[tuple[int, ...]],
    penalty: float,
) -> list[Array]:
    from sklearn.linear_model import Ridge

    trained: dict[tuple[int, ...], Predictor] = {}
    for places in others:
        if places not in trained:
            trained[places] = Ridge(penalty * sum(len(labels[place]) for place in places))
            fit(
                {"ridge": trained[places]},
                [features[place] for place in places],
                [labels[place] for place in places],
                [goals[place] for place in places],
            )
    return [trained[places].predict(values) for places, values in zip(others, features, strict=True)]


def _mean_tau(predictions: Sequence[Array], labels: Sequence[Array], goals: Sequence[str]) -> float:
    taus: dict[str, list[float]] = {}
    for predicted, values, goal in zip(predictions, labels, goals, strict=True):
        taus.setdefault(goal, []).append(kendall_tau(predicted, values))
    return fmean(map(fmean, taus.values()))
