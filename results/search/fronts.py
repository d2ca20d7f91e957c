"""Share of the true front of accuracy and latency that a search without training finds.

    python results/search/fronts.py --seeds 0 1 2 3 4 5 6 7 8 9 --out runs/fronts

NSGA-II searches NAS-Bench-201 for high scores of untrained networks and low latencies that HW-NAS-Bench measured, and
sees no accuracy. The cells on its front are then judged by their test accuracy: by the hypervolume of accuracy and
latency, as a share of that of the true front, in the box that the true front spans.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from discovered import discovered
from naming import folder_name, told
from numpy.typing import NDArray

from zcproxy import Proxy
from zcproxy.cli.display import RunDisplay
from zcproxy.names.proxies import resolve_proxy
from zcproxy.names.tasks import get_task
from zcproxy.search import SearchConfiguration, Setting, search
from zcproxy.search.front import hypervolume
from zcproxy.search.quantities.lookup import published_look_up

HERE = Path(__file__).parent
TASK = "nasbench201/cifar10"
DEVICES = ("edgegpu", "raspi4", "fpga")
EVALUATIONS = 500
LOWEST_DRAWN = 84.0


def proxies(device: str, seed: int) -> dict[str, Proxy]:
    """Return what is maximised: on the first device all discovered proxies, on the others the one found here."""
    found = discovered(seed)
    names = list(found) if device == DEVICES[0] else ["zc-nasbench201"]
    return {**{name: found[name] for name in names}, **{name: resolve_proxy(name) for name in ("params", "flops")}}


def costs_of(cells: list[str], device: str) -> NDArray[np.float64]:
    """Return test error and latency: cells x 2."""
    table = published_look_up(TASK)
    assert table is not None, f"nothing was published of {TASK}"
    return np.stack([100.0 - get_task(TASK).labels(cells), table.values(f"latency_ms:{device}", cells)], axis=1)


def front_of(costs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Pareto-optimal points, sorted by error."""
    ordered = costs[np.lexsort((costs[:, 1], costs[:, 0]))]
    before = np.concatenate([[np.inf], np.minimum.accumulate(ordered[:, 1])[:-1]])
    return ordered[ordered[:, 1] < before]


def draw(path: Path, fronts: dict[tuple[str, str], NDArray[np.float64]]) -> None:
    """Draw what the first seed found on each device, beside the true front."""
    mpl.use("Agg")
    figure, axes = plt.subplots(1, len(DEVICES), figsize=(14, 4.4), layout="constrained")
    names = list(dict.fromkeys(name for name, _ in fronts))
    for axis, device in zip(axes, DEVICES, strict=True):
        true = front_of(fronts["true front", device])
        for number, name in enumerate(names):
            if (name, device) in fronts:
                front = front_of(fronts[name, device])[::-1]
                style = {"color": "black", "zorder": 0} if number == 0 else {"color": f"C{number - 1}", "marker": "."}
                axis.step(front[:, 1], 100.0 - front[:, 0], where="post", label=name, linewidth=1.0, **style)
        axis.set(title=device, xlabel="latency, ms", ylim=(LOWEST_DRAWN, 101.0 - true[:, 0].min()))
        axis.set_xlim(0.0, 1.1 * true[:, 1].max())
        axis.grid(alpha=0.25)
    axes[0].set_ylabel("test accuracy on CIFAR-10, %")
    axes[0].legend(frameon=False, loc="lower right")
    figure.savefig(path, dpi=130)
    plt.close(figure)


def main() -> None:
    """Search with every proxy, device and seed, and write the table and the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="+", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tables", type=Path, default=HERE)
    arguments = parser.parse_args()
    rows, drawn = [], {}
    everything = list(get_task(TASK).architectures("all"))
    with RunDisplay() as display:
        for device in DEVICES:
            true = front_of(costs_of(everything, device))
            drawn["true front", device] = true
            corners = true.min(axis=0), true.max(axis=0)
            for seed in arguments.seeds:
                for name, proxy in proxies(device, seed).items():
                    setting = Setting(TASK, formula=str(proxy.formula), proxy_batch_size=proxy.batch_size)
                    configuration = SearchConfiguration(
                        setting, ("proxy",), (f"latency_ms:{device}",), evaluations=EVALUATIONS, seed=seed
                    )
                    out = arguments.out / device / folder_name(name) / str(seed)
                    step = told(display, f"{device} {name} {seed}")
                    cells = search(configuration, out, workers=2, step=step).front["arch"].tolist()
                    costs = costs_of(cells, device)
                    share = hypervolume(costs, *corners) / hypervolume(true, *corners)
                    rows.append({"device": device, "proxy": name, "seed": seed, "cells": len(cells), "share": share})
                    drawn.setdefault((name, device), costs)
    table = pd.DataFrame(rows)
    table.to_csv(arguments.tables / "fronts.csv", index=False, float_format="%.4f")
    draw(arguments.tables / "fronts.png", drawn)
    print(table.groupby(["device", "proxy"], sort=False)[["cells", "share"]].agg(["mean", "std"]).round(3).to_string())


if __name__ == "__main__":
    main()
