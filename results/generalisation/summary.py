"""Gathers runs that each held a family out, and says how the formulas found do on it.

    python results/generalisation/summary.py RUN [RUN ...] --out FOLDER

RUN is a directory that `zcproxy evolve --hold-out FAMILY --compare ... --control` wrote. Writes `correlations.csv` (a
row a run, held-out task and proxy), `families.csv` (Kendall's tau, mean over the tasks of a family, then mean and
spread over the runs) and `families.png`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from zcproxy.benchmarks.families import FAMILIES
from zcproxy.comparison import CHOSEN
from zcproxy.evolve.directory import RunDirectory

DRAWN = {
    "best formula": "#1f4e79",
    "chosen published": "#c55a11",
    "params": "#7f7f7f",
    "flops": "#bfbfbf",
}


def held_out_rows(run: Path) -> pd.DataFrame:
    """Return the correlations of a run on what it held out."""
    configuration = RunDirectory(run).configuration()
    table = pd.read_csv(run / "correlations.csv")
    table = table[table["task"].isin(configuration.hold_out)]
    family = {task: name for name, tasks in FAMILIES.items() for task in tasks}
    kind = table["proxy"].where(~table["proxy"].str.startswith(CHOSEN), "chosen published")
    return table.assign(run=run.name, seed=configuration.seed, family=table["task"].map(family), kind=kind)


def by_family(rows: pd.DataFrame) -> pd.DataFrame:
    """Return mean and spread over runs of the mean over the tasks of each family."""
    runs = rows.groupby(["family", "kind", "run"], sort=False)["tau"].mean().reset_index()
    found = runs.groupby(["family", "kind"], sort=False)["tau"].agg(runs="size", tau="mean", sd="std", lowest="min")
    return found.reset_index()


def draw(path: Path, wide: pd.DataFrame) -> None:
    """Draw a group of bars a family.

    Args:
        path: of the picture.
        wide: tau, a row a kind of proxy and a column a family.
    """
    mpl.use("Agg")
    figure, axis = plt.subplots(figsize=(9.0, 3.8), layout="constrained")
    places = np.arange(len(wide.columns))
    kinds = [kind for kind in DRAWN if kind in wide.index]
    for number, kind in enumerate(kinds):
        offset = (number - (len(kinds) - 1) / 2) * 0.8 / len(kinds)
        axis.bar(places + offset, wide.loc[kind], 0.8 / len(kinds), label=kind, color=DRAWN[kind])
    axis.set_xticks(places, wide.columns, rotation=20, ha="right")
    axis.set_ylabel("Kendall's tau on the family held out")
    axis.axhline(0.0, color="black", linewidth=0.8)
    axis.grid(axis="y", alpha=0.25)
    axis.legend(ncols=len(kinds), loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def main() -> None:
    """Gather the runs named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    rows = pd.concat([held_out_rows(run) for run in options.runs], ignore_index=True)
    rows.to_csv(options.out / "correlations.csv", index=False, float_format="%.4f")
    families = by_family(rows)
    families.to_csv(options.out / "families.csv", index=False, float_format="%.4f")
    wide = families.pivot_table(index="kind", columns="family", values="tau", sort=False)
    draw(options.out / "families.png", wide)
    wide["mean"] = wide.mean(axis=1)
    print(wide.round(3).to_string())


if __name__ == "__main__":
    main()
