"""Rank correlations of size and cost on every benchmark: the floor that a proxy has to beat.

    python results/baselines/measure.py

Correlates params, FLOPs and the count of convolutions with the labels of every task that is in the data directory.
Spaces of more than 1,000 networks are sampled (uniformly, seed 2026), NAS-Bench-201 is not. Writes `correlations.csv`
beside this file, and continues where it was killed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from zcproxy.benchmarks.catalogue import released
from zcproxy.benchmarks.shared.importing import present_datasets
from zcproxy.correlation import correlate
from zcproxy.names.tasks import DEFAULT_TASK, get_task
from zcproxy.ranking.scoring import draw_networks

MOST = 1000
WHOLE = "nasbench201"
SEED = 2026
TABLE = Path(__file__).with_name("correlations.csv")


def measure(name: str, population: str) -> list[dict[str, object]]:
    """Return one row per baseline of a task."""
    task = get_task(name)
    known = len(task.architectures(population))
    drawn = known if name.startswith(WHOLE) else min(MOST, known)
    networks = draw_networks(task, drawn, population=population, seed=SEED)
    labels = task.labels(networks)
    shown = f"{population} {known:,}" if drawn == known else f"{drawn:,} of {population} {known:,}"
    rows: list[dict[str, object]] = []
    for baseline, values in task.baselines(networks).items():
        if np.ptp(values) > 0:
            rows.append({"baseline": baseline, **correlate(values, labels, task=name, population=shown).as_dict()})
    return rows


def main() -> None:
    """Measure every task that is installed."""
    tasks = [(DEFAULT_TASK, "all")]
    for benchmark, known in released().items():
        populations = ("all", "pruned") if benchmark == "nasbench201" else ("all",)
        tasks += [(f"{benchmark}/{name}", kind) for name in present_datasets(known) for kind in populations]
    table = pd.read_csv(TABLE) if TABLE.is_file() else pd.DataFrame({"task": [], "population": []})
    done = {(row.task, row.population.split()[-2]) for row in table.itertuples()}
    for name, population in tasks:
        if (name, population) not in done:
            table = pd.concat([table, pd.DataFrame(measure(name, population))])
            table.to_csv(TABLE, index=False, float_format="%.4f")
            print(f"{name}, {population}")
    print(
        table[["task", "population", "baseline", "tau", "tau_low", "tau_high", "spearman"]]
        .round(3)
        .to_string(index=False)
    )


if __name__ == "__main__":
    main()
