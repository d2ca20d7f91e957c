"""Measures finished runs on networks that they never saw, and writes the tables of this folder.

    python results/nasbench201/measure.py RUN [RUN ...] [--networks 1000] [--control RUN ...] [--out results/nasbench201]

All runs are measured on one draw of networks, in each of the three datasets' own networks and labels. A run's numbers leave
out what it was fitted to or chosen by: first only those networks (population `never seen`), then every network that
computes the same function as one of them as well (population `no equivalent seen`).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from zcproxy import Proxy, load_proxy
from zcproxy.benchmarks import get_task
from zcproxy.correlation import correlate
from zcproxy.evolve.directory import RunDirectory
from zcproxy.evolve.run import draw_samples
from zcproxy.formula.evaluate import Evaluator
from zcproxy.scoring import draw_networks
from zcproxy.sweep.runner import sweep, worker_pool
from zcproxy.sweep.store import Context

DATASETS = ("cifar10", "cifar100", "imagenet16-120")


def scores_of(proxies: dict[str, Proxy], dataset: str, networks: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Return the scores of every proxy, from one sweep that measures the columns of all."""
    columns = list(dict.fromkeys(column for proxy in proxies.values() for column in proxy.formula.columns()))
    with worker_pool(2) as executor:
        table = sweep(
            Context(f"nasbench201/{dataset}"),
            networks,
            columns,
            executor=executor,
            progress=lambda done, total: print(f"\r{dataset}: {done} of {total} networks", end="", flush=True),
        )
    print()
    evaluator = Evaluator(table.counts, table.values)
    return {name: evaluator(proxy.formula) for name, proxy in proxies.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--control", nargs="*", type=Path, default=[])
    parser.add_argument("--networks", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--out", type=Path, default=Path("results/nasbench201"))
    options = parser.parse_args()
    kinds = {**dict.fromkeys(options.runs, "evolved"), **dict.fromkeys(options.control, "random control")}
    proxies = {str(run): load_proxy(run / "best.json") for run in kinds}
    rows = []
    for dataset in DATASETS:
        task = get_task(f"nasbench201/{dataset}")
        networks = draw_networks(task, options.networks, seed=options.seed)
        labels = task.labels(networks)
        scores = scores_of(proxies, dataset, networks)
        baselines = task.baselines(networks)
        functions = [task.equivalence_class(network) for network in networks]
        for run, kind in kinds.items():
            fitted = draw_samples(RunDirectory(run).configuration())["nasbench201/cifar10"].fitted
            equivalents = {task.equivalence_class(network) for network in fitted}
            populations = {
                "never seen": np.array([network not in set(fitted) for network in networks]),
                "no equivalent seen": np.array([function not in equivalents for function in functions]),
            }
            for population, kept in populations.items():
                named = {kind: scores[str(run)], **baselines}
                for name, values in named.items():
                    found = correlate(values[kept], labels[kept], task=task.name, population=population)
                    rows.append(
                        {"run": run.name, "proxy": name, "size": proxies[str(run)].formula.size, **found.as_dict()}
                    )
    table = pd.DataFrame(rows)
    options.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(options.out / "correlations.csv", index=False, float_format="%.4f")
    summary = (
        table.groupby(["population", "task", "proxy"], sort=False)
        .agg(
            runs=("tau", "size"),
            networks=("networks", "mean"),
            tau=("tau", "mean"),
            sd=("tau", "std"),
            lowest=("tau", "min"),
            spearman=("spearman", "mean"),
            top_decile=("tau_top_decile", "mean"),
        )
        .reset_index()
    )
    summary.to_csv(options.out / "summary.csv", index=False, float_format="%.4f")
    print(summary.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
