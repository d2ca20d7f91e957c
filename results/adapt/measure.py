"""Scores networks of families with the candidates of the study: one CSV file per task.

    python results/adapt/measure.py --out results/adapt/scores

A candidate is a proxy of the package, a formula found with a family held out (`results/generalisation/full`), or a
published proxy. All take a minibatch of eight; the networks are those of `results/generalisation/study.py`. What has
been measured is not measured again.
"""

from __future__ import annotations

import argparse
import csv
import re
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from zcproxy import Proxy, get_task, load_proxy, score
from zcproxy.cli.display import RunDisplay
from zcproxy.evolve.sample import draw_held_out
from zcproxy.names.families import tasks_by_goal
from zcproxy.names.proxies import resolve_proxy
from zcproxy.ranking.files import write_csv

FORMULAS = Path(__file__).parents[1] / "generalisation" / "full" / "formulas.csv"
FAMILIES = (
    "nasbench201/cifar10",
    "digits201",
    "nats_sss/cifar10",
    "nds-cells",
    "nds-resnext",
    "ofa_mobilenetv3",
    "transnas101/macro-object",
    "transnas101/micro-object",
)
PACKAGE = ("zc-general", "zc-forward", "zc-nasbench201")
PUBLISHED = ("weight_layers", "l2_norm", "synflow", "log_synflow")
DESCRIPTORS = {
    "params": "sum(params)",
    "macs": "sum(macs)",
    "units": "sum(units)",
    "cut": "mean_log_cut",
    "positions": "mean_log_positions",
}
BATCH, SEED = 8, 0


def candidates(without: set[str]) -> list[Proxy]:
    """Return the proxies, each under the name of its column."""
    with FORMULAS.open() as file:
        found = {row["run"]: row["formula"] for row in csv.DictReader(file)} | DESCRIPTORS
    proxies = [load_proxy(name) for name in (*PACKAGE, *PUBLISHED) if name not in without]
    return [*proxies, *(Proxy(resolve_proxy(formula).formula, name) for name, formula in found.items())]


def main() -> None:
    """Measure the tasks named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", default=list(FAMILIES), help="Tasks, or families.")
    parser.add_argument("--without", nargs="*", default=[], help="Proxies to leave out.")
    parser.add_argument("--networks", type=int, default=120)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    for task in tasks_by_goal(options.tasks):
        networks = draw_held_out(get_task(task), networks=options.networks, population="all", seed=SEED).test
        with RunDisplay() as display:
            proxies = candidates(set(options.without))
            progress = partial(display.step, f"measuring {task}")
            found = score(proxies, task, networks, population="all", batch_size=BATCH, progress=progress)
        values = {name: np.asarray(each) for name, each in found.scores.items()}
        frame = pd.DataFrame({"architecture": networks, "accuracy": found.labels, **values})
        options.out.mkdir(parents=True, exist_ok=True)
        write_csv(options.out / f"{re.sub(r'[^a-z0-9]+', '-', task)}.csv", frame)


if __name__ == "__main__":
    main()
