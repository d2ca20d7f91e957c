"""Does a proxy pick the same cell of NAS-Bench-201 when the networks have other random weights?

    python results/search/initialisations.py --out runs/nasbench201

The searches of nasbench201.py all look at one random initialisation of each network. Here the highest cells that they
came upon are scored with others, and the highest of each is judged by test accuracy.
"""

from __future__ import annotations

import argparse
from concurrent.futures import Executor
from pathlib import Path

import numpy as np
import pandas as pd
from naming import folder_name
from nasbench201 import DATASETS, DISCOVERED, HERE, PUBLISHED, accuracy, proxies

from zcproxy.benchmarks import get_task
from zcproxy.display import RunDisplay
from zcproxy.scoring import score_networks
from zcproxy.search.directory import EVALUATIONS
from zcproxy.sweep.runner import worker_pool

METHODS = (*DISCOVERED[:2], *(name for name in PUBLISHED if name != "params"))
CELLS, INITIALISATIONS = 50, 10


def highest(folder: Path) -> list[str]:
    """Return the cells of highest score that the searches by a proxy came upon."""
    tables = [pd.read_parquet(path) for path in sorted(folder.glob(f"*/{EVALUATIONS}"))]
    table = pd.concat(tables).drop_duplicates("arch").sort_values(["proxy", "arch"], ascending=False)
    return list(table["arch"][:CELLS])


def picks(task: str, name: str, cells: list[str], executor: Executor | None, display: RunDisplay) -> pd.DataFrame:
    """Return the cell of highest score with each initialisation."""
    scorer, dataset = proxies(0)[name], task.partition("/")[2]
    rows = []
    for initialisation in range(INITIALISATIONS):
        display.step(f"{task} {name}", initialisation, INITIALISATIONS)
        scored = score_networks(
            [scorer], task, cells, population="all", initialisation=initialisation, executor=executor
        )
        pick = cells[int(np.nanargmax(scored.scores[scorer.name]))]
        rows.append({"initialisation": initialisation, "pick": pick, "accuracy": accuracy(dataset, pick)})
    return pd.DataFrame(rows).assign(dataset=dataset, method=name)


def main() -> None:
    """Score the highest cells of each proxy anew, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="of nasbench201.py")
    parser.add_argument("--tables", type=Path, default=HERE)
    arguments = parser.parse_args()
    found = []
    with worker_pool(2) as executor, RunDisplay() as display:
        for dataset in DATASETS:
            task = get_task(f"nasbench201/{dataset}").name
            for name in METHODS:
                folder = arguments.out / task.replace("/", "-") / folder_name(name)
                if folder.exists():
                    found.append(picks(task, name, highest(folder), executor, display))
    table = pd.concat(found)[["dataset", "method", "initialisation", "pick", "accuracy"]]
    table.to_csv(arguments.tables / "initialisations.csv", index=False, float_format="%.2f")
    cells = table.groupby(["dataset", "method"], sort=False)
    print(
        cells["accuracy"].agg(["mean", "std", "min", "max"]).assign(cells=cells["pick"].nunique()).round(2).to_string()
    )


if __name__ == "__main__":
    main()
