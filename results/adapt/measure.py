"""Scores networks of families with the candidates of the study: one CSV file per task.

    python results/adapt/measure.py --out results/adapt/scores

A candidate is a proxy of the package, a formula found with a family held out (`results/generalisation/full`), or a
published proxy. All take a minibatch of eight. What has been measured is not measured again.
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
from zcproxy.names.proxies import resolve_proxy
from zcproxy.ranking.files import write_csv
from zcproxy.ranking.scoring import draw_networks

FORMULAS = Path(__file__).parents[1] / "generalisation" / "full" / "formulas.csv"
TASKS = ("nasbench201/cifar10", "nats_sss/cifar10", "digits201")
PACKAGE = ("zc-general", "zc-forward", "zc-nasbench201")
PUBLISHED = ("weight_layers", "l2_norm", "synflow", "log_synflow")
SIZES = {"params": "sum(params)", "macs": "sum(macs)"}
BATCH, SEED = 8, 0


def candidates(without: set[str]) -> list[Proxy]:
    """Return the proxies, each under the name of its column."""
    with FORMULAS.open() as file:
        found = {row["run"]: row["formula"] for row in csv.DictReader(file)} | SIZES
    proxies = [load_proxy(name) for name in (*PACKAGE, *PUBLISHED) if name not in without]
    return [*proxies, *(Proxy(resolve_proxy(formula).formula, name) for name, formula in found.items())]


def main() -> None:
    """Measure the tasks named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", default=list(TASKS))
    parser.add_argument("--without", nargs="*", default=[], help="Proxies to leave out.")
    parser.add_argument("--networks", type=int, default=120)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    for task in options.tasks:
        networks = draw_networks(get_task(task), options.networks, seed=SEED)
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
