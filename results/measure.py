"""Measures finished runs on networks that they never saw, and writes tables and a figure.

    python results/measure.py RUN [RUN ...] [--control RUN ...] --tasks TASK [TASK ...] --out FOLDER [--networks 1000]

All runs are measured on one draw of networks, in each task's own networks and labels; the tasks need not be those that
the runs were evolved on. A run's numbers leave out what it was fitted to or chosen by: first only those architectures
(population `never seen`), then every one that computes the same function as one of them as well (population
`no equivalent seen`).
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zcproxy import Proxy, load_proxy
from zcproxy.cli.display import RunDisplay
from zcproxy.correlation import correlate
from zcproxy.evolve.directory import RunDirectory
from zcproxy.evolve.start import draw_samples
from zcproxy.names.tasks import get_task
from zcproxy.ranking.scoring import draw_networks, score_networks
from zcproxy.workers.pool import worker_pool


def scores_of(proxies: dict[str, Proxy], task: str, networks: tuple[str, ...]) -> Mapping[str, NDArray[np.float64]]:
    """Return the scores of every proxy, from one sweep that measures the columns of all."""
    named = [replace(proxy, name=name) for name, proxy in proxies.items()]
    with RunDisplay() as display, worker_pool(2) as executor:
        progress = partial(display.step, f"measuring {task}")
        return score_networks(named, task, networks, population="all", executor=executor, progress=progress).scores


def summarised(rows: pd.DataFrame) -> pd.DataFrame:
    """Return mean and spread over the runs."""
    groups = rows.groupby(["population", "task", "proxy", "evolved_on"], sort=False)
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


def draw(path: Path, task: str, panels: dict[str, tuple[NDArray[np.float64], NDArray[np.float64], float]]) -> None:
    """Draw rank by score against accuracy, one panel per proxy."""
    mpl.use("Agg")
    figure, axes = plt.subplots(1, len(panels), figsize=(4.2 * len(panels), 3.6), sharey=True, layout="constrained")
    for axis, (title, (scores, labels, tau)) in zip(axes, panels.items(), strict=True):
        ranks = np.argsort(np.argsort(np.where(np.isnan(scores), -np.inf, scores)))
        axis.scatter(ranks, labels, s=6, alpha=0.5, linewidths=0, color="#1f4e79")
        axis.set(title=f"{title}: tau {tau:.3f}", xlabel="rank by score, best on the right")
        axis.set_ylim(bottom=np.quantile(labels, 0.02) - 2.0)
        axis.grid(alpha=0.25)
    axes[0].set_ylabel(f"{task}: test accuracy, %")
    figure.savefig(path, dpi=130)
    plt.close(figure)


def main() -> None:
    """Measure the runs named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--control", nargs="*", type=Path, default=[])
    parser.add_argument("--tasks", nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--networks", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    kinds = {**dict.fromkeys(options.runs, "evolved"), **dict.fromkeys(options.control, "random control")}
    proxies = {str(run): load_proxy(run / "best.json") for run in kinds}
    samples = {run: draw_samples(RunDirectory(run).configuration()) for run in kinds}
    rows = []
    panels = {}
    for name in options.tasks:
        task = get_task(name)
        networks = draw_networks(task, min(options.networks, len(task.architectures("all"))), seed=options.seed)
        labels = task.labels(networks)
        scores = scores_of(proxies, name, networks)
        baselines = task.baselines(networks)
        functions = [task.space.equivalence_class(network) for network in networks]
        for run, kind in kinds.items():
            fitted = {
                network
                for evolved_on, sample in samples[run].items()
                if get_task(evolved_on).space.name == task.space.name
                for network in sample.fitted
            }
            equivalents = {task.space.equivalence_class(network) for network in fitted}
            populations = {
                "never seen": np.array([network not in fitted for network in networks]),
                "no equivalent seen": np.array([function not in equivalents for function in functions]),
            }
            for population, kept in populations.items():
                for proxy, values in {kind: scores[str(run)], **baselines}.items():
                    found = correlate(values[kept], labels[kept], task=name, population=population)
                    origin = {"run": run.name, "evolved_on": ", ".join(samples[run])}
                    size = proxies[str(run)].formula.size if proxy == kind else None
                    rows.append({**origin, "proxy": proxy, "size": size, **found.as_dict()})
                    if run == options.runs[0] and (name, population) == (options.tasks[0], "never seen"):
                        title = "evolved formula" if proxy == kind else proxy
                        panels[title] = (values[kept], labels[kept], found.tau)
    table = pd.DataFrame(rows)
    table.to_csv(options.out / "correlations.csv", index=False, float_format="%.4f")
    summary = summarised(table)
    summary.to_csv(options.out / "summary.csv", index=False, float_format="%.4f")
    shown = {title: panel for title, panel in panels.items() if title != "flops"}
    draw(options.out / "scores.png", options.tasks[0], shown)
    print(summary.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
