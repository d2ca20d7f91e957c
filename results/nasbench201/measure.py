"""Measures finished runs on networks that they never saw, and writes the tables and the figure of this folder.

    python results/nasbench201/measure.py RUN [RUN ...] [--control RUN ...] [--networks 1000]

All runs are measured on one draw of networks, in each of the three datasets' own networks and labels. A run's numbers
leave out what it was fitted to or chosen by: first only those networks (population `never seen`), then every network
that computes the same function as one of them as well (population `no equivalent seen`).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

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
HERE = Path(__file__).parent


def scores_of(proxies: dict[str, Proxy], dataset: str, networks: tuple[str, ...]) -> dict[str, NDArray[np.float64]]:
    """Return the scores of every proxy, from one sweep that measures the columns of all."""
    columns = list(dict.fromkeys(column for proxy in proxies.values() for column in proxy.formula.columns()))
    with worker_pool(2) as executor:
        table = sweep(
            Context(f"nasbench201/{dataset}", next(iter(proxies.values())).batch_size),
            networks,
            columns,
            executor=executor,
            progress=lambda done, total: print(f"\r{dataset}: {done} of {total} networks", end="", flush=True),
        )
    print()
    evaluator = Evaluator(table.counts, table.values)
    return {name: evaluator(proxy.formula) for name, proxy in proxies.items()}


def summarised(rows: pd.DataFrame) -> pd.DataFrame:
    """Return mean and spread over the runs."""
    groups = rows.groupby(["population", "task", "proxy"], sort=False)
    summary = groups.agg(
        runs=("tau", "size"),
        networks=("networks", "mean"),
        tau=("tau", "mean"),
        sd=("tau", "std"),
        lowest=("tau", "min"),
        spearman=("spearman", "mean"),
        tau_top_decile=("tau_top_decile", "mean"),
    )
    return summary.reset_index()


def draw(path: Path, panels: dict[str, tuple[NDArray[np.float64], NDArray[np.float64], float]]) -> None:
    """Draw rank by score against accuracy, one panel a proxy."""
    mpl.use("Agg")
    figure, axes = plt.subplots(1, len(panels), figsize=(4.2 * len(panels), 3.6), sharey=True, layout="constrained")
    for axis, (title, (scores, labels, tau)) in zip(axes, panels.items(), strict=True):
        ranks = np.argsort(np.argsort(np.where(np.isnan(scores), -np.inf, scores)))
        axis.scatter(ranks, labels, s=6, alpha=0.5, linewidths=0, color="#1f4e79")
        axis.set(title=f"{title}: tau {tau:.3f}", xlabel="rank by score, best on the right", ylim=(45, 95.5))
        axis.grid(alpha=0.25)
    axes[0].set_ylabel("CIFAR-10 test accuracy, %")
    figure.savefig(path, dpi=130)
    plt.close(figure)


def main() -> None:
    """Measure the runs named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--control", nargs="*", type=Path, default=[])
    parser.add_argument("--networks", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args()
    kinds = {**dict.fromkeys(options.runs, "evolved"), **dict.fromkeys(options.control, "random control")}
    proxies = {str(run): load_proxy(run / "best.json") for run in kinds}
    rows = []
    panels = {}
    for dataset in DATASETS:
        task = get_task(f"nasbench201/{dataset}")
        networks = draw_networks(task, options.networks, seed=options.seed)
        labels = task.labels(networks)
        scores = scores_of(proxies, dataset, networks)
        baselines = task.baselines(networks)
        functions = [task.space.equivalence_class(network) for network in networks]
        for run, kind in kinds.items():
            fitted = set(draw_samples(RunDirectory(run).configuration())["nasbench201/cifar10"].fitted)
            equivalents = {task.space.equivalence_class(network) for network in fitted}
            populations = {
                "never seen": np.array([network not in fitted for network in networks]),
                "no equivalent seen": np.array([function not in equivalents for function in functions]),
            }
            for population, kept in populations.items():
                for name, values in {kind: scores[str(run)], **baselines}.items():
                    found = correlate(values[kept], labels[kept], task=task.name, population=population)
                    size = proxies[str(run)].formula.size if name == kind else None
                    rows.append({"run": run.name, "proxy": name, "size": size, **found.as_dict()})
                    if run == options.runs[0] and (dataset, population) == ("cifar10", "never seen"):
                        title = "evolved formula" if name == kind else name
                        panels[title] = (values[kept], labels[kept], found.tau)
    table = pd.DataFrame(rows)
    table.to_csv(HERE / "correlations.csv", index=False, float_format="%.4f")
    summary = summarised(table)
    summary.to_csv(HERE / "summary.csv", index=False, float_format="%.4f")
    draw(HERE / "scores.png", {name: panel for name, panel in panels.items() if name != "flops"})
    print(summary.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
