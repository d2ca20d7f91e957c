"""Made-up families: networks with labels, and candidates that rank them more or less well."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def made_family(
    rng: np.random.Generator, *, networks: int, candidates: int, properties: int = 5, own: float = 0.5
) -> tuple[Array, Array]:
    """Return scores (1 x candidates x networks) and labels: each a noisy sum of a few properties of the networks."""
    of_networks = rng.normal(size=(networks, properties))
    wanted = rng.normal(size=properties)
    labels = of_networks @ (wanted / np.linalg.norm(wanted)) + 0.4 * rng.normal(size=networks)
    weights = wanted / np.linalg.norm(wanted) + 0.6 * rng.normal(size=(candidates, properties))
    scores = weights @ of_networks.T + own * rng.normal(size=(candidates, networks))
    return scores[None], labels


def noise_around(rng: np.random.Generator, *, networks: int, candidates: int) -> tuple[Array, Array]:
    """Return scores and labels: the first candidate ranks with a tau of about .6, the others are noise."""
    labels = rng.normal(size=networks)
    scores = rng.normal(size=(1, candidates, networks))
    scores[0, 0] = labels + 0.75 * rng.normal(size=networks)
    return scores, labels
