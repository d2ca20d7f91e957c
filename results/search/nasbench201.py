"""Picks of searches on NAS-Bench-201 without a label, and with 20 measured accuracies.

    python results/search/nasbench201.py --seeds 0 1 2 3 4 5 6 7 8 9 --out runs/nasbench201

Every search scores at most a thousand networks. It looks at untrained networks and, where it queries, at validation
accuracies (of trainings on half of the images for CIFAR-10); its pick is judged by test accuracy. Finished
searches are not repeated.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from discovered import UNSEEN, discovered
from naming import folder_of, told

from zcproxy import Proxy
from zcproxy.cli.display import RunDisplay
from zcproxy.contracts.task import Task
from zcproxy.evolve.configuration import Configuration
from zcproxy.evolve.start import draw_samples
from zcproxy.names.proxies import resolve_proxy
from zcproxy.names.scorers import resolve_scorer
from zcproxy.names.tasks import get_task
from zcproxy.proxy.aggregate import Scorer
from zcproxy.random import generator
from zcproxy.ranking.scoring import draw_networks, score_networks
from zcproxy.search import SearchConfiguration, SearchResult, Setting, search
from zcproxy.workers.pool import worker_pool

HERE = Path(__file__).parent
DATASETS = ("cifar10", "cifar100", "imagenet16-120")
SCORED, PREDICTED, QUERIES = 500, 500, 20
DISCOVERED = ("zc-nasbench201", "zc-general", UNSEEN)
PUBLISHED = ("params", "naswot", "synflow", "zico")
AGGREGATE, RANDOM = "az_nas", "random"
METHODS = {
    "cifar10": (*DISCOVERED, *PUBLISHED, AGGREGATE, RANDOM),
    "cifar100": (DISCOVERED[0], *PUBLISHED, AGGREGATE, RANDOM),
    "imagenet16-120": (DISCOVERED[0], *PUBLISHED, AGGREGATE, RANDOM),
}
"""What searches on the networks of each dataset; the picks of CIFAR-10 are judged on the other two as well."""
WITHOUT_PROXY = ("random, 20 queries", "linas, encodings alone, 20 queries")


@dataclass(frozen=True)
class Study:
    """Folder of the searches, and the callback for their progress."""

    out: Path
    display: RunDisplay

    def search(self, name: str, configuration: SearchConfiguration) -> SearchResult:
        """Return the result of a search in a folder of its own."""
        task, seed = configuration.setting.reference, str(configuration.seed)
        out = folder_of(self.out, task, name) / seed
        return search(configuration, out, workers=2, step=told(self.display, f"{task} {name} {seed}"))


def proxies(seed: int) -> dict[str, Proxy]:
    """Return the proxies that are searched with."""
    return {**discovered(seed), **{name: resolve_proxy(name) for name in PUBLISHED}}


def known_to(proxy: Proxy, task: Task) -> set[str]:
    """Return the classes of equal function of the cells whose labels the evolution of a proxy saw."""
    if "configuration" not in proxy.provenance:
        return set()
    samples = draw_samples(Configuration.from_dict(proxy.provenance["configuration"]))
    cells = [cell for name, sample in samples.items() if name.startswith("nasbench201/") for cell in sample.fitted]
    return {task.space.equivalence_class(cell) for cell in cells}


def by_score(study: Study, task: Task, name: str, proxy: Proxy, seed: int) -> dict[str, object]:
    """Return the cell of highest score that a search finds, and the highest that the proxy's evolution had not seen."""
    setting = Setting(task.name, formula=str(proxy.formula), proxy_batch_size=proxy.batch_size)
    found = study.search(
        name,
        SearchConfiguration(setting, ("proxy",), algorithm="local", evaluations=SCORED, population=50, seed=seed),
    )
    cells = found.table.sort_values("proxy", ascending=False, kind="stable")["arch"].tolist()
    seen = known_to(proxy, task)
    new = next(cell for cell in cells if task.space.equivalence_class(cell) not in seen)
    return {"method": name, "scored": SCORED, "queries": 0, "pick": cells[0], "new_pick": new}


def highest(scorer: Scorer, task: str, cells: Sequence[str], executor: Executor | None, initialisation: int = 0) -> str:
    """Return the cell of highest score among some."""
    found = score_networks([scorer], task, cells, population="all", initialisation=initialisation, executor=executor)
    return cells[int(np.nanargmax(found.scores[scorer.name]))]


def by_aggregate(task: Task, seed: int) -> dict[str, object]:
    """Return the cell of a random sample that AZ-NAS ranks first: a rank among a sample is not a score to search by."""
    cells = draw_networks(task, SCORED, seed=seed)
    with worker_pool(2) as executor:
        pick = highest(resolve_scorer(AGGREGATE), task.name, cells, executor)
    return {"method": AGGREGATE, "scored": SCORED, "queries": 0, "pick": pick}


def by_queries(study: Study, task: Task, seed: int, names: Collection[str]) -> Iterator[dict[str, object]]:
    """Yield the cells of highest validation accuracy among 20 that searches chose to measure."""
    plain = SearchConfiguration(
        Setting(task.name), ("validation_accuracy",), algorithm="random", evaluations=QUERIES, population=10, seed=seed
    )
    yield _queried(study, WITHOUT_PROXY[0], plain, 0)
    yield _queried(study, WITHOUT_PROXY[1], replace(plain, algorithm="linas"), 0)
    for name, proxy in discovered(seed).items():
        if name not in names:
            continue
        setting = replace(plain.setting, formula=str(proxy.formula), proxy_batch_size=proxy.batch_size)
        guided = replace(plain, setting=setting, algorithm="linas", warm_start=SCORED, inner_evaluations=PREDICTED)
        yield _queried(study, f"linas, {name}, 20 queries", guided, SCORED + PREDICTED)


def _queried(study: Study, name: str, configuration: SearchConfiguration, scored: int) -> dict[str, object]:
    found = study.search(name, configuration)
    return {"method": name, "scored": scored, "queries": QUERIES, "pick": found.front["arch"].iloc[0]}


def picks(study: Study, task: Task, seed: int, columns: tuple[str, ...]) -> Iterator[dict[str, object]]:
    """Yield what each method picks."""
    chosen = proxies(seed)
    for name in columns:
        if name in chosen:
            yield by_score(study, task, name, chosen[name], seed)
        elif name == AGGREGATE:
            yield by_aggregate(task, seed)
        elif name == RANDOM:
            yield {
                "method": RANDOM,
                "scored": 0,
                "queries": 0,
                "pick": task.space.sample(generator("random pick", task.name, seed)),
            }
    yield from by_queries(study, task, seed, columns)


def accuracy(dataset: str, cell: str) -> float:
    """Return the test accuracy of a cell in percent."""
    return float(get_task(f"nasbench201/{dataset}").labels([cell])[0])


def draw(path: Path, table: pd.DataFrame) -> None:
    """Draw the accuracies of the picks beside the optimum; hollow where the search saw networks for CIFAR-10."""
    mpl.use("Agg")
    figure, axes = plt.subplots(1, len(DATASETS), figsize=(13, 4.6), sharey=True, layout="constrained")
    methods = list(dict.fromkeys(table["method"]))[::-1]
    for axis, dataset in zip(axes, DATASETS, strict=True):
        task = get_task(f"nasbench201/{dataset}")
        lowest = best = float(np.max(task.labels(task.architectures("all"))))
        for place, method in enumerate(methods):
            rows = table[table["method"] == method]
            own = rows[rows["dataset"] == dataset]
            values = (own if len(own) else rows)[dataset]
            face = {} if len(own) else {"markerfacecolor": "none"}
            axis.plot(values, np.full(len(values), place), "o", color="#1f4e79", alpha=0.5, markersize=6, **face)
            axis.plot([values.mean()], [place], "|", color="black", markersize=14, markeredgewidth=2)
            lowest = min(lowest, values.min()) if method != RANDOM else lowest
        axis.axvline(best, color="#c0392b", linewidth=1, linestyle="--")
        axis.set(title=dataset, xlabel="test accuracy of the pick, %", xlim=(lowest - 0.3, best + 0.3))
        axis.grid(alpha=0.25)
    axes[0].set_yticks(range(len(methods)), methods)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def main() -> None:
    """Search with all methods and seeds, and write the table and the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="+", type=int, required=True)
    parser.add_argument("--datasets", nargs="+", default=DATASETS)
    parser.add_argument("--methods", nargs="+", help="instead of those of each dataset")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tables", type=Path, default=HERE)
    arguments = parser.parse_args()
    rows = []
    with RunDisplay() as display:
        study = Study(arguments.out, display)
        for dataset in arguments.datasets:
            task = get_task(f"nasbench201/{dataset}")
            for seed in arguments.seeds:
                for row in picks(study, task, seed, tuple(arguments.methods or METHODS[dataset])):
                    pick, new = str(row["pick"]), str(row.pop("new_pick", row["pick"]))
                    elsewhere = {name: accuracy(name, pick) for name in DATASETS}
                    own = {"accuracy": elsewhere[dataset], "accuracy_of_new": accuracy(dataset, new)}
                    rows.append({"dataset": dataset, "seed": seed, **row, **own, **elsewhere})
    table = pd.DataFrame(rows)
    table.to_csv(arguments.tables / "nasbench201.csv", index=False, float_format="%.2f")
    groups = table.groupby(["dataset", "method"], sort=False)[["accuracy", "accuracy_of_new", *DATASETS]]
    print(groups.agg(["mean", "std"]).round(2).to_string())
    if set(table["dataset"]) == set(DATASETS):
        draw(arguments.tables / "nasbench201.png", table)


if __name__ == "__main__":
    main()
