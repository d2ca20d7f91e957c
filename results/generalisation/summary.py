"""Gathers runs that each held a family out, and measures the formulas found on it.

    python results/generalisation/summary.py RUN [RUN ...] --out FOLDER

RUN is a directory that `study.py` wrote, VARIANT-without-FAMILY-SEED. Writes `correlations.csv` (one row per run, task
and proxy), `families.csv` (Kendall's tau, mean over the tasks of a family, then mean and spread over the seeds),
`formulas.csv` and `families.png`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from zcproxy import load_proxy
from zcproxy.evolve.directory import RunDirectory
from zcproxy.names.families import families
from zcproxy.ranking.controls import CHOSEN, CORRELATIONS

DRAWN = {
    "full": ("evolved formula", "#1f4e79"),
    "chosen published": ("published proxy that the same labels choose", "#c55a11"),
    "params": ("parameters", "#7f7f7f"),
    "flops": ("FLOPs", "#bfbfbf"),
}
MEAN = "mean"


def held_out_rows(run: Path) -> pd.DataFrame:
    """Return the correlations of a run on what it held out; those of its formula under the name of its variant."""
    configuration = RunDirectory(run).configuration()
    table = pd.read_csv(run / CORRELATIONS)
    table = table[table["task"].isin(configuration.hold_out)]
    family = {task: name for name, tasks in families().items() for task in tasks}
    variant = run.name.partition("-without-")[0]
    kind = table["proxy"].where(~table["proxy"].str.startswith(CHOSEN), "chosen published")
    kind = kind.where(kind != "best formula", variant)
    return table.assign(run=run.name, seed=configuration.seed, family=table["task"].map(family), kind=kind)


def by_family(rows: pd.DataFrame) -> pd.DataFrame:
    """Return mean and spread over seeds of the mean over the tasks of each family, and of the mean over families."""
    seeds = rows.groupby(["kind", "seed", "family"], sort=False)["tau"].mean().reset_index()
    families = len(set(rows["family"]))
    over = seeds.groupby(["kind", "seed"], sort=False)["tau"].agg(["mean", "size"]).reset_index()
    over = over[over["size"] == families].rename(columns={"mean": "tau"}).assign(family=MEAN)
    seeds = pd.concat([seeds, over[["kind", "seed", "family", "tau"]]])
    found = seeds.groupby(["kind", "family"], sort=False)["tau"].agg(seeds="size", tau="mean", sd="std", lowest="min")
    return found.reset_index()


def formulas(runs: list[Path]) -> pd.DataFrame:
    """Return what the runs found."""
    found = [(run.name, load_proxy(run / "best.json").formula) for run in runs]
    return pd.DataFrame([{"run": name, "nodes": formula.size, "formula": str(formula)} for name, formula in found])


def draw(path: Path, table: pd.DataFrame) -> None:
    """Draw one group of bars per family, with the spread over seeds where there are several.

    Args:
        path: of the picture.
        table: as `by_family` returns.
    """
    mpl.use("Agg")
    figure, axis = plt.subplots(figsize=(9.5, 4.0), layout="constrained")
    places = {family: place for place, family in enumerate(dict.fromkeys(table["family"]))}
    drawn = {kind: DRAWN[kind] for kind in DRAWN if kind in set(table["kind"])}
    for number, (kind, (label, colour)) in enumerate(drawn.items()):
        own = table[table["kind"] == kind]
        offset = (number - (len(drawn) - 1) / 2) * 0.8 / len(drawn)
        spread = own["sd"].to_numpy() if own["sd"].notna().all() and own["sd"].max() > 1e-9 else None
        axis.bar(
            own["family"].map(places) + offset, own["tau"], 0.8 / len(drawn), yerr=spread, label=label, color=colour
        )
    axis.axvline(len(places) - 1.5, color="black", linewidth=0.8, linestyle=":")
    axis.set_xticks(np.arange(len(places)), list(places), rotation=20, ha="right")
    axis.set_ylabel("Kendall's tau on the family held out")
    axis.axhline(0.0, color="black", linewidth=0.8)
    axis.grid(axis="y", alpha=0.25)
    axis.legend(ncols=len(drawn), loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def main() -> None:
    """Gather the runs named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    runs = [run for run in options.runs if (run / CORRELATIONS).exists()]
    rows = pd.concat([held_out_rows(run) for run in runs], ignore_index=True)
    rows.to_csv(options.out / "correlations.csv", index=False, float_format="%.4f")
    families = by_family(rows)
    families.to_csv(options.out / "families.csv", index=False, float_format="%.4f")
    formulas(runs).to_csv(options.out / "formulas.csv", index=False)
    draw(options.out / "families.png", families)
    for value in ("tau", "sd"):
        print(value)
        print(families.pivot_table(index="kind", columns="family", values=value, sort=False).round(3).to_string())


if __name__ == "__main__":
    main()
