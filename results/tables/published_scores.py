"""Our scores beside those that NAS-Bench-Suite-Zero published for the same architectures of NAS-Bench-201, CIFAR-10.

    python results/tables/published_scores.py SCORES.csv [SCORES.csv ...] --published FILE.parquet --out FOLDER

SCORES.csv is what `zcproxy table --out` writes beside a table; FILE has a column `index` (the official one) and a
column `nbsz_cifar10_NAME` per proxy. Writes `published_scores.csv`: Spearman's rho between both scores, and Kendall's
tau of each with the accuracies, on the architectures that have both.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from zcproxy.correlation import kendall_tau, spearman_rho
from zcproxy.names.tasks import get_task

NAMES = {"nwot": "naswot"}
"""What the file calls differently."""


def compared(ours: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return one row per proxy that both have."""
    rows = []
    for column in published.columns:
        name = column.removeprefix("nbsz_cifar10_")
        name = NAMES.get(name, name)
        if name not in ours:
            continue
        theirs = published.loc[ours["arch"], column].to_numpy(np.float64)
        own, labels = ours[name].to_numpy(np.float64), ours["label"].to_numpy(np.float64)
        both = np.isfinite(theirs) & np.isfinite(own)
        rows.append(
            {
                "proxy": name,
                "networks": int(both.sum()),
                "spearman_between": spearman_rho(own[both], theirs[both]),
                "tau": kendall_tau(own[both], labels[both]),
                "tau_published_scores": kendall_tau(theirs[both], labels[both]),
            }
        )
    return pd.DataFrame(rows)


def main() -> None:
    """Compare the files named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scores", nargs="+", type=Path)
    parser.add_argument("--published", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    published = pd.read_parquet(options.published).set_index("index")
    published.index = pd.Index(get_task("nasbench201/cifar10").architectures("all"))[published.index]
    tables = []
    for path in options.scores:
        found = compared(pd.read_csv(path), published)
        tables.append(found.assign(scores=path.parent.name))
    table = pd.concat(tables).sort_values(["scores", "spearman_between"], ascending=[True, False])
    table.to_csv(options.out / "published_scores.csv", index=False, float_format="%.3f")
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
