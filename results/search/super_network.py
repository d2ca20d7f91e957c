"""Measurements that searches need to find the front of accuracy and multiply-adds.

    python results/search/super_network.py --seeds 0 1 2 3 4 5 6 7 8 9 --out runs/elastic

Every method searches the trained super-network `elastic_digits`; the reference is a long search by NSGA-II that no
method sees. A finished search is not repeated, and no accuracy is measured twice.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from naming import folder_name, told
from numpy.typing import NDArray

from zcproxy import load_proxy
from zcproxy.cli.display import RunDisplay
from zcproxy.correlation import correlate
from zcproxy.names.proxies import resolve_proxy
from zcproxy.search import SearchConfiguration, SearchResult, Setting, search
from zcproxy.search.front import costs_of, hypervolume
from zcproxy.search.quantities.networks import Weights

HERE = Path(__file__).parent
PLAIN = SearchConfiguration(Setting("elastic_digits"), ("accuracy",), ("macs",), population=50, evaluations=3000)
GUIDED = replace(PLAIN, setting=replace(PLAIN.setting, formula=str(load_proxy("zc-general").formula)))
LINAS = {"algorithm": "linas", "population": 20, "evaluations": 400}
METHODS = {
    "nsga2": PLAIN,
    "nsga2, warm start": replace(GUIDED, warm_start=500),
    "linas, encodings alone": replace(PLAIN, **LINAS),
    "linas, encodings and proxy": replace(GUIDED, **LINAS),
    "linas, proxy and warm start": replace(GUIDED, **LINAS, warm_start=500),
}
PROXIES = ("zc-general", "zc-forward", "params", "flops", "naswot", "synflow", "zico", "snip")
DRAWN = {"maximized": ("accuracy", "proxy"), "minimized": (), "algorithm": "random", "evaluations": 500, "seed": 2000}
REFERENCE = replace(PLAIN, population=100, evaluations=6000, seed=1000)
SHARES = (0.95, 0.98, 0.99, 0.995)


def finished(name: str, configuration: SearchConfiguration, folder: Path, display: RunDisplay) -> SearchResult:
    """Return the result of a search in a folder, which takes over what the searches before it measured."""
    out = folder / folder_name(name) / str(configuration.seed)
    earlier = sorted(folder.glob("*/*/journal.jsonl"), key=lambda path: path.stat().st_mtime)
    same_proxy = [path for path in earlier if path.parent.parent == out.parent]
    reuse = [path.parent for path in dict.fromkeys([*earlier[-1:], *same_proxy[-1:]]) if path.parent != out]
    return search(configuration, out, workers=2, reuse=reuse, step=told(display, f"{name} {out.name}"))


def shares_of(result: SearchResult, reference: SearchResult) -> NDArray[np.float64]:
    """Return, after every evaluation, the hypervolume as a share of that of the reference, in the reference's box."""
    costs, known = costs_of(result.outcomes), costs_of(reference.outcomes)
    ideal, nadir = known.min(axis=0), known.max(axis=0)
    whole = hypervolume(known, ideal, nadir)
    shares, front = [], np.empty((0, costs.shape[1]))
    for point in costs:
        if not (front <= point).all(axis=1).any():
            front = np.vstack([front[~(point <= front).all(axis=1)], point])
            shares.append(hypervolume(front, ideal, nadir) / whole)
        else:
            shares.append(shares[-1])
    return np.array(shares)


def evaluations_until(shares: NDArray[np.float64], share: float) -> float:
    """Return after how many evaluations a share is reached; infinite if never."""
    reached = np.flatnonzero(shares >= share)
    return float(reached[0] + 1) if len(reached) else np.inf


def correlations(folder: Path, display: RunDisplay) -> pd.DataFrame:
    """Return how well proxies rank random sub-networks, untrained and with the weights they inherit."""
    rows = []
    for name in PROXIES:
        proxy = resolve_proxy(name)
        for weights in Weights:
            setting = Setting(
                "elastic_digits", formula=str(proxy.formula), proxy_batch_size=proxy.batch_size, weights=weights
            )
            drawn = replace(PLAIN, setting=setting, **DRAWN)
            table = finished(f"{name} {weights}", drawn, folder, display).table
            found = correlate(
                table["proxy"].to_numpy(), table["accuracy"].to_numpy(), task="elastic_digits", population="random"
            )
            rows.append({"proxy": name, "weights": weights, **found.as_dict()})
    return pd.DataFrame(rows)


def draw(path: Path, curves: dict[str, list[NDArray[np.float64]]]) -> None:
    """Draw the median share over the evaluations of each method, with the range of its seeds."""
    mpl.use("Agg")
    figure, axis = plt.subplots(figsize=(7.5, 4.4), layout="constrained")
    for name, shares in curves.items():
        stacked = np.stack(shares)
        after = np.arange(1, stacked.shape[1] + 1)
        (line,) = axis.plot(after, np.median(stacked, axis=0), label=name)
        axis.fill_between(after, stacked.min(axis=0), stacked.max(axis=0), alpha=0.12, color=line.get_color())
    axis.axhline(0.99, color="black", linewidth=0.8, linestyle=":")
    axis.set(xscale="log", xlim=(20, None), ylim=(0.8, 1.005))
    axis.set(xlabel="sub-networks measured", ylabel="hypervolume, share of the reference's")
    axis.grid(alpha=0.25)
    axis.legend(frameon=False)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def main() -> None:
    """Search with every method and seed, and write the table and the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="+", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tables", type=Path, default=HERE)
    arguments = parser.parse_args()
    rows, curves = [], {}
    with RunDisplay() as display:
        reference = finished("reference", REFERENCE, arguments.out, display)
        for name, configuration in METHODS.items():
            curves[name] = []
            for seed in arguments.seeds:
                result = finished(name, replace(configuration, seed=seed), arguments.out, display)
                shares = shares_of(result, reference)
                until = {f"until_{share:g}": evaluations_until(shares, share) for share in SHARES}
                rows.append({"method": name, "seed": seed, **until, "evaluations": len(shares), "share": shares[-1]})
                curves[name].append(shares)
        correlations(arguments.out, display).to_csv(
            arguments.tables / "super_network_proxies.csv", index=False, float_format="%.4f"
        )
    table = pd.DataFrame(rows)
    table.to_csv(arguments.tables / "super_network.csv", index=False, float_format="%.4f")
    draw(arguments.tables / "super_network.png", curves)
    print(table.drop(columns="seed").groupby("method", sort=False).agg(["median", "min", "max"]).T.to_string())


if __name__ == "__main__":
    main()
