"""Agreement of proxies: Kendall's tau between the scores of each two, and with the accuracies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from zcproxy.correlation import kendall_tau
from zcproxy.correlation.ranks import is_constant, rank_scores
from zcproxy.ranking.figures.grid import grid
from zcproxy.ranking.figures.headings import full_heading
from zcproxy.ranking.layout import signed
from zcproxy.ranking.table import TaskTable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ACCURACY = "accuracy"
"""Name of the labels beside the proxies."""


def agreement(tables: Sequence[TaskTable]) -> Figure:
    """Return a figure of tau between the scores of each two proxies, and between them and the accuracies.

    Of several tasks it is the mean over those that have both. Proxies that agree stand beside each other.
    """
    names = list(dict.fromkeys([ACCURACY, *(row.name for table in tables for row in table.rows)]))
    found = np.full((len(tables), len(names), len(names)), np.nan)
    for place, table in enumerate(tables):
        known = {row.name: row.scores for row in table.rows} | {ACCURACY: table.labels}
        places = [names.index(name) for name in known]
        found[place][np.ix_(places, places)] = correlations(list(known.values()))
    counts = np.count_nonzero(~np.isnan(found), axis=0)
    means = np.divide(np.nansum(found, axis=0), counts, out=np.full(counts.shape, np.nan), where=counts > 0)
    order = grouped(means)
    values = means[np.ix_(order, order)]
    ordered = [names[place] for place in order]
    mean = "" if len(tables) == 1 else "Mean over tasks of "
    return grid(
        values,
        ordered,
        ordered,
        f"{full_heading(tables)}. {mean}Kendall's tau-b between scores",
        numbers=[[signed(value, 2) for value in row] for row in values],
        bold=np.array([[ACCURACY in (one, other) for other in ordered] for one in ordered]),
    )


def correlations(scores: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return Kendall's tau-b between each two scores of the same networks; NaN where one is constant.

    Args:
        scores: each one number per network, NaN ranks worst.
    """
    ranks = [rank_scores(values) for values in scores]
    found = np.full((len(ranks), len(ranks)), np.nan)
    for first, values in enumerate(ranks):
        if is_constant(values):
            continue
        for second in range(first, len(ranks)):
            found[first, second] = found[second, first] = kendall_tau(ranks[second], values)
    return found


def grouped(values: NDArray[np.float64]) -> list[int]:
    """Return an order of the rows of a correlation matrix in which those that agree are neighbours."""
    if len(values) < 3:
        return list(range(len(values)))
    distances = 1 - np.nan_to_num(values)
    np.fill_diagonal(distances, 0.0)
    tree = linkage(squareform(distances, checks=False), "average", optimal_ordering=True)
    order: list[int] = leaves_list(tree).tolist()
    return order
