"""Tables of a sample of NAS-Bench-201, corrected to the whole population, beside what papers report.

    python results/tables/against_papers.py TABLE_FOLDER [TABLE_FOLDER ...] --out FOLDER

A sample of some hundred networks moves Kendall's tau by several hundredths, and moves many proxies alike. Params
and the count of convolutions are known for every network of a population, so their difference between sample and
population shows part of it. Each tau is corrected by that difference, with the slopes that the bootstrap finds between
them (a regression estimator with control variates). Reads the scores that `zcproxy table --out` writes; writes
`against_papers.csv` and prints it.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zcproxy.correlation import bootstrap_draws, interval, kendall_tau
from zcproxy.names.tasks import get_task

CONTROLS = ("params", "convolutions")

Array = NDArray[np.float64]


def corrected(scores: pd.DataFrame, proxy: str, known: Array) -> tuple[float, float, float]:
    """Return tau of a proxy on the population and its 95 % interval.

    Args:
        scores: labels, controls and the proxy, one row per network of the sample.
        proxy: name of its column.
        known: tau of each control on the population.
    """
    labels = scores["label"].to_numpy(np.float64)
    columns = [scores[name].to_numpy(np.float64) for name in (proxy, *CONTROLS)]
    taus = np.array([kendall_tau(values, labels) for values in columns])
    draws = np.array([bootstrap_draws([values], labels, ["tau"], ("papers",))["tau"] for values in columns])
    covariance = np.cov(draws)
    slopes = np.linalg.lstsq(covariance[1:, 1:], covariance[1:, 0], rcond=None)[0]
    shift = slopes @ (taus[1:] - known)
    low, high = interval(draws[0] - slopes @ (draws[1:] - taus[1:, None]) - shift)
    return float(taus[0] - shift), low, high


def main() -> None:
    """Correct the tables named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    rows = []
    for folder in options.tables:
        table = pd.read_csv(folder / "table.csv")
        task = get_task(table["task"][0])
        population = "pruned" if "pruned" in table["population"][0] else "all"
        architectures = task.architectures(population)
        labels, baselines = task.labels(architectures), task.baselines(architectures)
        known = np.array([kendall_tau(baselines[name], labels) for name in CONTROLS])
        scores = pd.read_csv(folder / f"{re.sub('[^A-Za-z0-9.@]+', '-', task.name)}-scores.csv")
        for row in table[table["proxy"].isin(scores.columns)].itertuples():
            whole = row.proxy in baselines
            value = kendall_tau(baselines[row.proxy], labels) if whole else np.nan
            tau, low, high = (value, value, value) if whole else corrected(scores, row.proxy, known)
            paper = (row.reported_low, row.reported_high)
            gap = 0.0 if paper[0] <= tau <= paper[1] else min((tau - each for each in paper), key=abs)
            rows.append(
                {
                    "task": task.name,
                    "population": f"{population} {len(labels):,}",
                    "networks": row.networks,
                    "proxy": row.proxy,
                    "tau_sample": row.tau,
                    "tau": tau,
                    "tau_low": low,
                    "tau_high": high,
                    "reported_low": paper[0],
                    "reported_high": paper[1],
                    "difference": gap,
                }
            )
    found = pd.DataFrame(rows)
    found.to_csv(options.out / "against_papers.csv", index=False, float_format="%.3f")
    print(found.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
