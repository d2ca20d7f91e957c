"""Correlations on another task of formulas of each size: every formula of the front of every run.

    python results/transfer/by_size.py RUN [RUN ...] --task nasbench201/cifar10 --networks 400 --out FOLDER

Writes `by_size.csv`, one row per formula: nodes, tau on the run's own validation networks and on the other task.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd

from zcproxy import load_proxy
from zcproxy.cli.display import RunDisplay
from zcproxy.correlation import kendall_tau
from zcproxy.names.tasks import get_task
from zcproxy.ranking.scoring import draw_networks, score_networks
from zcproxy.workers.pool import worker_pool


def main() -> None:
    """Measure the runs named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--task", required=True)
    parser.add_argument("--networks", type=int, default=400)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    files = [path for run in options.runs for path in sorted((run / "front").glob("*.json"))]
    proxies = {path: load_proxy(path) for path in files}
    task = get_task(options.task)
    networks = draw_networks(task, options.networks, seed=2026)
    with RunDisplay() as display, worker_pool(2) as executor:
        found = score_networks(
            [replace(proxy, name=str(path)) for path, proxy in proxies.items()],
            options.task,
            networks,
            population="all",
            executor=executor,
            progress=partial(display.step, f"measuring {options.task}"),
        )
    rows = []
    for path, proxy in proxies.items():
        run = json.loads(path.read_text(encoding="utf-8"))["provenance"]
        rows.append(
            {
                "run": path.parent.parent.name,
                "nodes": proxy.formula.size,
                "training": next(iter(run["training_tau"].values())),
                "validation": next(iter(run["validation_tau"].values())),
                "transferred": kendall_tau(found.scores[str(path)], found.labels),
                "formula": str(proxy.formula),
            }
        )
    result = pd.DataFrame(rows)
    result.to_csv(options.out / "by_size.csv", index=False, float_format="%.4f")
    bands = pd.cut(result["nodes"], [0, 5, 10, 15, 20, 25, 30])
    print(result.groupby(bands, observed=True)[["training", "validation", "transferred"]].mean().round(3).to_string())


if __name__ == "__main__":
    main()
