"""How often the p-values of differences of tau are below a level, on simulated scores.

    python results/tables/significance.py

Labels and scores are from bivariate normal distributions, of which tau is known. Where both proxies have the same, the
share below a level is that of false discoveries; where they differ, it is the power. No data is read; prints a table.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zcproxy.correlation import bootstrap_draws, difference, kendall_tau

Array = NDArray[np.float64]

CASES = ((30, 0.5, 0.5, 1000), (100, 0.5, 0.5, 600), (60, 0.9, 0.9, 800), (100, 0.8, 0.6, 600), (15, 0.5, 0.5, 1000))
"""Networks, correlation of each of the two proxies with the labels, and pairs simulated."""
RESAMPLES, SEED = 300, 7


def simulated(networks: int, first: float, second: float, pairs: int) -> dict[str, float]:
    """Return how the differences of so many pairs of proxies are judged."""
    rng = np.random.default_rng(SEED)
    true = 2 / math.pi * (math.asin(first) - math.asin(second))
    found, deviations = [], []
    for _ in range(pairs):
        labels = rng.normal(size=networks)
        scores = [rho * labels + math.sqrt(1 - rho**2) * rng.normal(size=networks) for rho in (first, second)]
        draws = [bootstrap_draws([each], labels, ["tau"], ("q",), resamples=RESAMPLES)["tau"] for each in scores]
        value = kendall_tau(scores[0], labels) - kendall_tau(scores[1], labels)
        found.append(difference(value, draws[0], draws[1], networks))
        deviations.append(float(np.nanstd(draws[0] - draws[1], ddof=1)))
    return {
        "networks": networks,
        "tau_first": 2 / math.pi * math.asin(first),
        "tau_second": 2 / math.pi * math.asin(second),
        "pairs": pairs,
        "deviation": float(np.std([each.value for each in found])),
        "deviation_of_resamples": float(np.mean(deviations)),
        "below_05": float(np.mean([each.p < 0.05 for each in found])),
        "below_01": float(np.mean([each.p < 0.01 for each in found])),
        "covered": float(np.mean([each.low <= true <= each.high for each in found])),
    }


def main() -> None:
    """Simulate all cases."""
    table = pd.DataFrame([simulated(*case) for case in CASES])
    print(table.round(4).to_string(index=False))


if __name__ == "__main__":
    main()
