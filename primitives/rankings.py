"""Sets of formulas: networks are ranked by each of two to four, and the ranks are joined.

The form of the strongest published proxies: AZ-NAS sums the logarithms of ranks (Lee and Ham, CVPR 2024).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zcproxy.correlation.ranks import mean_ranks, rank_scores
from zcproxy.formula import Kind, Signature, primitive

FEWEST, MOST = 2, 4
"""Formulas of a set."""

_SETS = [Signature((Kind.NETWORK,) * count, Kind.RANKING) for count in range(FEWEST, MOST + 1)]


def _shares(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    return mean_ranks(rank_scores(scores)) / len(scores)


@primitive(*_SETS, formula="sum of rank(x_i) / networks, 1 for the highest", commutative=True)
def ranks(*scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum of the shares of networks that each score ranks no higher than a network."""
    return np.sum([_shares(each) for each in scores], axis=0)


@primitive(
    *_SETS,
    formula="sum of log(rank(x_i) / networks)",
    reference="Lee and Ham, CVPR 2024",
    commutative=True,
)
def log_ranks(*scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum of their logarithms, which punishes a network that one score ranks last."""
    return np.sum([np.log(_shares(each)) for each in scores], axis=0)
