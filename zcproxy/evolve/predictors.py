"""Predictors fitted to the columns of a run: the accuracy to be had without one readable formula.

They see the ranks of each column within a task, never its values, so that they can be taken to another space.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from zcproxy.columns.table import ColumnTable
from zcproxy.correlation.ranks import rank_scores
from zcproxy.extras import extra
from zcproxy.formula import Kind, is_per_block
from zcproxy.formula.layers import RaggedLayers

Array = NDArray[np.float64]

TREES = 300


class Predictor(Protocol):
    """A regressor of scikit-learn."""

    def fit(self, features: Array, targets: Array, sample_weight: Array) -> object: ...
    def predict(self, features: Array) -> Array: ...


def untrained_predictors(seed: int) -> dict[str, Predictor]:
    """Return an additive model (boosted stumps, each of one column) and a small random forest.

    Raises:
        ConfigurationError: scikit-learn is not installed.
    """
    with extra("predictors", "a predictor"):
        from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
    return {
        "additive model": HistGradientBoostingRegressor(max_depth=1, max_iter=TREES, random_state=seed),
        "random forest": RandomForestRegressor(TREES, min_samples_leaf=3, max_features=1 / 3, random_state=seed),
    }


def fit(
    predictors: Mapping[str, Predictor], features: Sequence[Array], labels: Sequence[Array], goals: Sequence[str]
) -> None:
    """Fit predictors to the ranks of the labels within each task.

    Args:
        predictors: as `untrained_predictors` returns.
        features: features of the networks, as `features_of` returns, one array per task.
        labels: accuracies of the networks, one array per task.
        goals: one name per task: all networks of a goal together weigh as much as those of another.
    """
    targets = np.concatenate([rank_scores(values) / len(values) for values in labels])
    networks = {
        goal: sum(len(each) for each, name in zip(labels, goals, strict=True) if name == goal) for goal in goals
    }
    weights = np.concatenate(
        [np.full(len(values), 1.0 / networks[goal]) for values, goal in zip(labels, goals, strict=True)]
    )
    inputs = np.concatenate(features)
    for predictor in predictors.values():
        predictor.fit(inputs, targets, weights * len(weights) / len(networks))


def features_of(table: ColumnTable) -> Array:
    """Return networks x features in [0, 1]: the ranks of each column, of its sum and mean over layers or blocks."""
    layers = RaggedLayers(table.counts)
    blocks = None if table.blocks is None else RaggedLayers(table.blocks.counts)
    numbers = []
    with np.errstate(all="ignore"):
        for column, values in table.values.items():
            if column.kind is Kind.LAYER:
                places = blocks if blocks is not None and is_per_block(column) else layers
                total = places.sum(values.astype(np.float64))
                numbers += [total, total / places.count]
            else:
                numbers.append(values)
    return np.stack([rank_scores(np.asarray(each, np.float64)) for each in numbers], axis=1) / len(table.counts)
