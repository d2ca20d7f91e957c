"""Forest plot of the scores that NAS-Bench-Suite-Zero published for NAS-Bench-201, CIFAR-10.

    python results/tables/published_forest.py --published FILE.parquet --out FIGURE.png [--networks 1000]

FILE has a column `index` (the official one) and a column `nbsz_cifar10_NAME` per proxy. Nothing is measured: the
accuracies are those of the benchmark, the scores those of the file, on networks drawn from the scored ones. Writes the
figure and, beside it, `FIGURE.csv` with all differences of two proxies, and prints which are not behind the best.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from zcproxy.figures import save
from zcproxy.names.proxies import BASELINE
from zcproxy.names.tasks import get_task
from zcproxy.random import array_generator
from zcproxy.ranking.figures.forest import forest
from zcproxy.ranking.files import write_csv
from zcproxy.ranking.measures import judge
from zcproxy.ranking.significance import significance_frame, significance_line
from zcproxy.ranking.table import Plan, Row, TaskTable

TASK, SEED, PREFIX = "nasbench201/cifar10", 0, "nbsz_cifar10_"
LEFT_OUT = ("source", "zen_full", "params", "flops")
"""Columns that are no proxy of the file's own, or that the benchmark has too."""
NAMES = {"nwot": "naswot"}
"""What the file calls differently."""


def published_table(published: pd.DataFrame, networks: int) -> TaskTable:
    """Return the table of the published scores on so many networks, drawn from those that all proxies have scored."""
    task = get_task(TASK)
    names = [name.removeprefix(PREFIX) for name in published.columns if name.startswith(PREFIX)]
    names = [name for name in names if name not in LEFT_OUT]
    scored = published.dropna(subset=[PREFIX + name for name in names])
    drawn = scored.iloc[np.sort(array_generator("published", SEED).choice(len(scored), networks, replace=False))]
    architectures = tuple(np.array(task.architectures("all"))[drawn["index"]].tolist())
    population = f"{networks:,} of the {len(scored):,} cells scored, seed {SEED}"
    labels, baselines = task.labels(architectures), task.baselines(architectures)
    found = {NAMES.get(name, name): drawn[PREFIX + name].to_numpy(np.float64) for name in names} | baselines
    rows = []
    for name, scores in found.items():
        seed_names = ("table", TASK, population)
        judged = judge(scores[None], labels, baselines["params"], seed_names=seed_names, resamples=1000)
        text = BASELINE if name in baselines else "published scores"
        rows.append(Row(name, text, judged.estimates, scores, draws=judged.draws))
    plan = Plan(networks, seed=SEED)
    return TaskTable(TASK, population, architectures, labels, tuple(rows), task.noise_ceiling(), plan)


def main() -> None:
    """Draw the figure that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--published", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--networks", type=int, default=1000)
    options = parser.parse_args()
    table = published_table(pd.read_parquet(options.published), options.networks)
    save(forest([table]), options.out)
    write_csv(options.out.with_suffix(".csv"), significance_frame([table]))
    for row in table.ranked():
        tau = row.estimates["tau"]
        print(f"{row.name:14} {tau.value:.3f} [{tau.low:.3f}, {tau.high:.3f}]")
    print(significance_line(table))


if __name__ == "__main__":
    main()
