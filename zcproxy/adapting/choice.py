"""The choice among candidates by the tau that is to be expected of each, with what was expected before the labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zcproxy.adapting.agreement import Evidence

Array = NDArray[np.float64]

SPREAD = 0.15
"""Standard deviation of a candidate's tau before there are labels."""

CAUTION = 0.5
"""Standard deviations by which a candidate has to be expected ahead of the general one."""

NEGLIGIBLE_VARIANCE = 1e-6
"""Added to the variances of differences: candidates that rank the labelled networks alike have none."""


@dataclass(frozen=True)
class Gains:
    """What is expected of candidates in the light of labels, as differences in tau from the first, general one.

    Attributes:
        means: candidates: expected difference; 0 for the first.
        deviations: candidates: its standard deviation; 0 for the first.
    """

    means: Array
    deviations: Array

    @property
    def best(self) -> int:
        """Place of the candidate that is ahead by most beyond `CAUTION`; the first of all where none is."""
        return int(np.argmax(self.means - CAUTION * self.deviations))


def expected_gains(evidence: Evidence) -> Gains:
    """Return the posterior of the differences from the first candidate, all of them at once.

    Before the labels, taus are normally distributed with one mean, and those of two candidates correlate by as much as
    their rankings do: so they would for labels of which nothing is known. A candidate that ranks like the general one
    cannot be far ahead of it, and of many that are ahead by chance none is believed much: shrinkage takes away what the
    best of many owes to luck.

    Source: Rasmussen and Williams, "Gaussian Processes for Machine Learning" (2006), equations 2.23 and 2.24; Efron,
    "Tweedie's Formula and Selection Bias", JASA 106 (2011).
    """
    observed = evidence.taus[1:] - evidence.taus[0]
    errors = _of_differences(evidence.covariance) + NEGLIGIBLE_VARIANCE * np.eye(len(observed))
    before = SPREAD**2 * _of_differences(evidence.likeness)
    shares = np.linalg.solve(before + errors, before).T
    variances = np.diag(before - shares @ before)
    return Gains(np.append(0.0, shares @ observed), np.append(0.0, np.sqrt(np.maximum(variances, 0.0))))


def _of_differences(covariance: Array) -> Array:
    """Return the covariance of the differences of all but the first from the first."""
    own = covariance[0, 1:]
    found: Array = covariance[1:, 1:] - own[:, None] - own[None, :] + covariance[0, 0]
    return found
