"""Change of correlations with the resolution of the images and with the batch.

    python results/resolution/measure.py --tasks nds/darts-imagenet nds/resnext-a-imagenet --networks 120

Scores the same networks of each task with published proxies, once for each side of the images (batch 8), and once for
each batch (64 pixels). Writes `correlations.csv` and `resolution.png` beside this file, and continues
where it was killed.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from zcproxy.cli.display import RunDisplay
from zcproxy.correlation import kendall_tau
from zcproxy.names.proxies import resolve_proxy
from zcproxy.names.tasks import get_task
from zcproxy.ranking.scoring import draw_networks, score_networks
from zcproxy.workers.pool import worker_pool

PROXIES = ("grad_norm", "snip", "synflow", "naswot", "zico")
SIDE, SIDES = 64, (48, 64, 128, 224)
BATCH, BATCHES = 8, (8, 16, 32)
OUT = Path(__file__).parent


def measure(task_name: str, networks: int, side: int, batch: int) -> list[dict[str, Any]]:
    """Return one row per proxy: its correlation and its scores at this resolution and batch."""
    name = f"{task_name}@{side}"
    drawn = draw_networks(get_task(task_name), min(networks, len(get_task(task_name).architectures("all"))), seed=2026)
    with RunDisplay() as display, worker_pool(2) as executor:
        found = score_networks(
            [resolve_proxy(proxy) for proxy in PROXIES],
            name,
            drawn,
            population=f"{len(drawn)} drawn",
            batch_size=batch,
            executor=executor,
            progress=partial(display.step, f"measuring {name}, batch {batch}"),
        )
    setting = {"side": side, "batch": batch}
    return [
        {**setting, "proxy": proxy, "scores": found.scores[proxy], **correlation.as_dict(), "task": task_name}
        for proxy, correlation in found.correlations().items()
    ]


def draw(table: pd.DataFrame, tasks: list[str]) -> None:
    """Draw tau against the resolution and against the batch, one row per task."""
    mpl.use("Agg")
    figure, axes = plt.subplots(len(tasks), 2, figsize=(9, 3 * len(tasks)), squeeze=False, layout="constrained")
    for row, task in enumerate(tasks):
        here = table[table["task"] == task]
        for axis, variable, fixed, value in (
            (axes[row][0], "side", "batch", BATCH),
            (axes[row][1], "batch", "side", SIDE),
        ):
            for proxy, part in here[here[fixed] == value].groupby("proxy", sort=False):
                line = part.sort_values(variable)
                axis.plot(line[variable], line["tau"], marker="o", label=proxy)
                axis.fill_between(line[variable], line["tau_low"], line["tau_high"], alpha=0.08)
            axis.set(
                title=task, xlabel="pixels a side" if variable == "side" else "images in a batch", ylabel="Kendall tau"
            )
            axis.set_xscale("log", base=2)
            axis.set_xticks(sorted(here[variable].unique()), [str(tick) for tick in sorted(here[variable].unique())])
            axis.grid(alpha=0.25)
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside right upper")
    figure.savefig(OUT / "resolution.png", dpi=120)
    plt.close(figure)


def main() -> None:
    """Measure the tasks named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", required=True)
    parser.add_argument("--networks", type=int, default=120)
    options = parser.parse_args()
    settings = list(dict.fromkeys([*((SIDE, batch) for batch in BATCHES), *((side, BATCH) for side in SIDES)]))
    rows: list[dict[str, Any]] = []
    for task in options.tasks:
        for side, batch in settings:
            rows += measure(task, options.networks, side, batch)
    reference = {
        (row["task"], row["proxy"]): row["scores"] for row in rows if (row["side"], row["batch"]) == (224, BATCH)
    }
    for row in rows:
        scores, original = row.pop("scores"), reference[row["task"], row["proxy"]]
        defined = np.isfinite(scores) & np.isfinite(original)
        row["tau_to_224"] = kendall_tau(scores[defined], original[defined]) if defined.sum() > 1 else float("nan")
    table = pd.DataFrame(rows)
    table.to_csv(OUT / "correlations.csv", index=False, float_format="%.4f")
    draw(table, options.tasks)
    print(
        table.pivot_table(index=["task", "proxy"], columns=["side", "batch"], values="tau", sort=False)
        .round(3)
        .to_string()
    )


if __name__ == "__main__":
    main()
