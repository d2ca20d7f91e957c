"""Picks of a proxy on NAS-Bench-201 when the networks have other random weights.

    python results/search/initialisations.py --out runs/nasbench201

The searches of nasbench201.py all look at one random initialisation of each network. Here the highest cells that they
found are scored with others, and the highest of each is judged by test accuracy.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
from naming import folder_of
from nasbench201 import DATASETS, DISCOVERED, HERE, PUBLISHED, accuracy, highest, proxies

from zcproxy.cli.display import RunDisplay
from zcproxy.search.directory import EVALUATIONS
from zcproxy.workers.pool import worker_pool

METHODS = (*DISCOVERED[:2], *(name for name in PUBLISHED if name != "params"))
CELLS, INITIALISATIONS = 50, 10


def found_highest(folder: Path) -> list[str]:
    """Return the cells of highest score that the searches by a proxy found."""
    tables = [pd.read_parquet(path) for path in sorted(folder.glob(f"*/{EVALUATIONS}"))]
    table = pd.concat(tables).drop_duplicates("arch").sort_values(["proxy", "arch"], ascending=False)
    return list(table["arch"][:CELLS])


def main() -> None:
    """Score the highest cells of each proxy again, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of nasbench201.py")
    parser.add_argument("--tables", type=Path, default=HERE)
    arguments = parser.parse_args()
    rows = []
    with worker_pool(2) as executor, RunDisplay() as display:
        for dataset in DATASETS:
            task = f"nasbench201/{dataset}"
            for name in METHODS:
                folder = folder_of(arguments.out, task, name)
                if not folder.exists():
                    continue
                proxy, cells = proxies(0)[name], found_highest(folder)
                for number in range(INITIALISATIONS):
                    display.step(f"{task} {name}", number, INITIALISATIONS)
                    pick = highest(proxy, task, cells, executor, number)
                    own = {"initialisation": number, "pick": pick, "accuracy": accuracy(dataset, pick)}
                    rows.append({"dataset": dataset, "method": name, **own})
    table = pd.DataFrame(rows)
    table.to_csv(arguments.tables / "initialisations.csv", index=False, float_format="%.2f")
    groups = table.groupby(["dataset", "method"], sort=False)
    accuracies = groups["accuracy"].agg(["mean", "std", "min", "max"]).round(2)
    print(accuracies.assign(cells=groups["pick"].nunique()).to_string())


if __name__ == "__main__":
    main()
