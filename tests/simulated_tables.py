"""Tables of simulated proxies: the accuracies with more or less noise."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zcproxy.names.proxies import BASELINE
from zcproxy.ranking.measures import judge
from zcproxy.ranking.table import Plan, Row, TaskTable

NOISE = {"best": 0.3, "near": 0.32, "middle": 1.0, "far": 3.0}
"""Standard deviation of each proxy's noise, of which the accuracies have 1."""
SEED_NAMES, RESAMPLES = ("simulated",), 300


def simulated_table(
    task: str = "made",
    noise: Mapping[str, float] = NOISE,
    *,
    networks: int = 120,
    initialisations: int = 1,
    more: Mapping[str, np.ndarray] | None = None,
    baselines: tuple[str, ...] = (),
    seed: int = 5,
) -> TaskTable:
    """Return a table.

    Args:
        task: its name.
        noise: standard deviation by the name of the proxy.
        networks: how many there are.
        initialisations: how many there are of each.
        more: scores of further proxies by their names, one per network.
        baselines: which of the names are those of baselines.
        seed: of all numbers.
    """
    rng = np.random.default_rng(seed)
    labels = 80 + 5 * rng.normal(size=networks)
    scores = {name: labels + 5 * sigma * rng.normal(size=(initialisations, networks)) for name, sigma in noise.items()}
    scores |= {name: values[None] for name, values in (more or {}).items()}
    params = rng.normal(size=networks)
    rows = []
    for name, values in scores.items():
        judged = judge(values, labels, params, seed_names=SEED_NAMES, resamples=RESAMPLES)
        text = BASELINE if name in baselines else name
        rows.append(Row(name, text, judged.estimates, values[0], seconds=len(rows) + 1, draws=judged.draws))
    texts = tuple(f"a{place}" for place in range(networks))
    population = f"{networks} of all 500, seed 7"
    return TaskTable(task, population, texts, labels, tuple(rows), 0.9, Plan(networks, seed=7))
