"""Kendall's tau of every proxy in every table, one row per proxy and one column per task, as Markdown.

    python results/tables/overview.py TABLE_FOLDER [TABLE_FOLDER ...] --out overview.md

Proxies are ordered by their mean over the tasks that they have a value in.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from zcproxy.ranking.layout import number
from zcproxy.storage.files import write_text


def overview(tables: list[pd.DataFrame]) -> str:
    """Return the text."""
    columns, taus = [], {}
    for table in tables:
        for (task, population), part in table.groupby(["task", "population"], sort=False):
            columns.append(f"{task}<br>{population.split(', seed')[0]}")
            taus[columns[-1]] = part.set_index("proxy")["tau"]
    found = pd.DataFrame(taus)
    order = found.mean(axis=1).sort_values(ascending=False).index
    best = found.drop(index="noise ceiling", errors="ignore").max()
    lines = [f"| | {' | '.join(columns)} | mean |", f"|---|{'---:|' * (len(columns) + 1)}"]
    for proxy in order:
        cells = [
            f"**{number(tau)}**" if tau == best[column] else number(tau) for column, tau in found.loc[proxy].items()
        ]
        lines.append(f"| {proxy} | {' | '.join(cells)} | {number(float(np.nanmean(found.loc[proxy])))} |")
    return "\n".join([*lines, ""])


def main() -> None:
    """Join the tables named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    write_text(options.out, overview([pd.read_csv(folder / "table.csv") for folder in options.tables]))


if __name__ == "__main__":
    main()
