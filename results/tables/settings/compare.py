"""Published proxies on NAS-Bench-201, CIFAR-10, measured with common and with their authors' settings.

    python results/tables/settings/compare.py [--networks 40] [--proxies NAMES] [--out FOLDER]

Writes `settings.csv` and `settings.md`: Kendall's tau with the accuracies under both settings, and Spearman's rho
between the scores. Undefined scores rank last.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from zcproxy.correlation import kendall_tau
from zcproxy.names.proxies import Settings
from zcproxy.names.scorers import resolve_scorers
from zcproxy.names.tasks import get_task
from zcproxy.ranking.scoring import draw_networks, score_networks
from zcproxy.ranking.settings import settings_text

TASK = "nasbench201/cifar10"
PROXIES = (
    "l2_norm,grad_norm,plain,snip,fisher,synflow,swap,meco,zen,eznas_a,eznas_a_text,"
    "az_expressivity,az_progressivity,az_trainability,az_nas"
)


def main() -> None:
    """Write the two files."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--networks", type=int, default=40)
    parser.add_argument("--proxies", default=PROXIES)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    options = parser.parse_args()
    networks = draw_networks(get_task(TASK), options.networks)
    scorers = {settings: resolve_scorers(options.proxies, settings) for settings in (Settings.COMMON, Settings.AUTHORS)}
    found = {name: score_networks(each, TASK, networks, population="") for name, each in scorers.items()}
    labels = found[Settings.COMMON].labels
    rows = []
    for common, authors in zip(scorers[Settings.COMMON], scorers[Settings.AUTHORS], strict=True):
        ours, theirs = (
            np.nan_to_num(found[settings].scores[common.name], nan=-np.inf, posinf=np.inf, neginf=-np.inf)
            for settings in (Settings.COMMON, Settings.AUTHORS)
        )
        rows.append(
            {
                "proxy": common.name,
                "tau common": kendall_tau(ours, labels),
                "tau authors": kendall_tau(theirs, labels),
                "Spearman between them": spearmanr(ours, theirs).statistic,
                "common": settings_text(common).replace("common: ", ""),
                "authors": settings_text(authors).replace("authors: ", ""),
            }
        )
    table = pd.DataFrame(rows)
    table.to_csv(options.out / "settings.csv", index=False, float_format="%.4f")
    lines = [f"{len(networks)} of all 15,625 cells, seed 0; {TASK}, Kendall's tau.", ""]
    lines += ["| " + " | ".join(table.columns) + " |", "|---|---:|---:|---:|---|---|"]
    for row in table.itertuples(index=False):
        cells = [f"{cell:.3f}" if isinstance(cell, float) else cell for cell in row]
        lines.append("| " + " | ".join(cells) + " |")
    (options.out / "settings.md").write_text("\n".join([*lines, ""]))


if __name__ == "__main__":
    main()
