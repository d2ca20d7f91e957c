"""RoBoT on NAS-Bench-201: picks with twenty 12-epoch validation accuracies, beside LINAS and random search.

    python results/search/robot.py --seeds 0 1 2 3 4 5 6 7 8 9

The candidates are the 9,445 cells without dead edges, whose scores of six proxies NAS-Bench-Suite-Zero (NeurIPS 2022)
published for CIFAR-10 (`nasbench201/published_proxy_scores_cifar10.parquet` in the data directory), and a sample of
them on which the formulas of this project are measured. Queries are validation accuracies of CIFAR-10 after 12 epochs,
as in the paper; the pick is the highest of the twenty, judged by its test accuracy on each dataset.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from discovered import UNSEEN, discovered
from numpy.typing import NDArray

from zcproxy.cli.display import RunDisplay
from zcproxy.names.scorers import resolve_scorers
from zcproxy.names.tasks import get_task
from zcproxy.random import derive_seed, generator
from zcproxy.ranking.scoring import draw_networks, score_networks
from zcproxy.reading.data_directory import data_directory
from zcproxy.search.algorithms import Algorithm, Proposer, make_algorithm
from zcproxy.search.algorithms.robot import QUERIES, Pool, Robot, scaled_ranks
from zcproxy.search.goals import EARLY_ACCURACY, Goals
from zcproxy.search.quantities.lookup import published_look_up

HERE = Path(__file__).parent
DATASETS = ("cifar10", "cifar100", "imagenet16-120")
SIX = ("grad_norm", "snip", "grasp", "fisher", "synflow", "jacov")
FORMULAS = ("zc-nasbench201", "zc-general", "zc-forward")
UNDEFINED = -1e8
"""What NAS-Bench-Suite-Zero writes where a proxy is undefined."""
GOALS = Goals((EARLY_ACCURACY,))
HINTED = 500
"""Cells whose scores LINAS looks at from the beginning."""

Array = NDArray[np.float64]
Run = Callable[[int], Algorithm]


def published_scores(cells: Sequence[str]) -> Array:
    """Return cells x the six proxies as published; NaN where one is undefined."""
    table = pd.read_parquet(data_directory() / "nasbench201" / "published_proxy_scores_cifar10.parquet")
    order = {cell: place for place, cell in enumerate(get_task("nasbench201/cifar10").architectures("all"))}
    values = table[[f"nbsz_cifar10_{name}" for name in SIX]].to_numpy(np.float64)[[order[cell] for cell in cells]]
    return np.where(values > UNDEFINED, values, np.nan)


def own_scores(cells: Sequence[str]) -> dict[str, Array]:
    """Return the scores of the project's formulas by name; those found without NAS-Bench-201 are named by run."""
    unseen = [replace(discovered(seed)[UNSEEN], name=f"{UNSEEN}, {seed}") for seed in range(5)]
    with RunDisplay() as display:
        found = score_networks(
            [*resolve_scorers(",".join(FORMULAS)), *unseen],
            "nasbench201/cifar10",
            cells,
            population=f"{len(cells):,} of pruned",
            progress=lambda done, total: display.step("scoring", done, total),
        )
    return dict(found.scores)


def between_extremes(scores: Array) -> Array:
    """Return scores scaled between their extremes, as the paper does, in place of their ranks."""
    low, high = np.nanmin(scores, axis=0), np.nanmax(scores, axis=0)
    return np.asarray((scores - low) / (high - low), np.float64)


def robot(cells: Sequence[str], scores: Array) -> Run:
    """Return RoBoT on scaled scores."""
    pool = Pool(tuple(cells), scores)
    return lambda seed: Robot(pool, QUERIES, (), seed)


def linas(scores: Mapping[str, Array], cells: Sequence[str]) -> Run:
    """Return LINAS, whose predictors see scores: cell -> its scores; none for encodings alone."""
    places = {cell: place for place, cell in enumerate(cells)}

    def measure(architectures: Sequence[str], names: Sequence[str]) -> dict[str, Array]:
        rows = [places.get(cell, -1) for cell in architectures]
        return {name: np.array([scores[name][row] if row >= 0 else np.nan for row in rows]) for name in names}

    def made(seed: int) -> Algorithm:
        space = get_task("nasbench201/cifar10").space
        rng = generator("search", space.name, "search", seed)
        return make_algorithm(
            "linas",
            Proposer(space, rng, set()),
            population=QUERIES // 2,
            start=(),
            goals=GOALS,
            seed=seed,
            predicted=(EARLY_ACCURACY,),
            hints=tuple(scores),
            measure=measure,
            scored=rng.sample(list(cells), HINTED) if scores else (),
        )

    return made


class FirstOf:
    """Asks for the first of an order, all at once."""

    def __init__(self, cells: Sequence[str]) -> None:
        self._cells = list(cells[:QUERIES])

    def ask(self) -> list[str]:
        """Return them."""
        return self._cells

    def tell(self, outcomes: object) -> None:
        """Learn nothing."""


def pick(algorithm: Algorithm, accuracy: Mapping[str, float]) -> str:
    """Return the cell of highest accuracy among those that an algorithm asks for."""
    asked: list[str] = []
    while len(asked) < QUERIES and (found := algorithm.ask()[: QUERIES - len(asked)]):
        asked += found
        if len(asked) < QUERIES:
            algorithm.tell([GOALS.outcome(cell, {EARLY_ACCURACY: accuracy[cell]}) for cell in found])
    return max(asked, key=accuracy.__getitem__)


def methods(cells: Sequence[str], others: Mapping[str, Array]) -> Iterator[tuple[str, Run]]:
    """Yield the methods on some cells; `others` are scores of the project's formulas, where they are measured."""
    six = published_scores(cells)
    ranks = scaled_ranks(six)
    yield "RoBoT, six published proxies", robot(cells, ranks)
    yield "RoBoT, six published proxies, scaled between extremes", robot(cells, between_extremes(six))
    order = [cells[place] for place in Pool(tuple(cells), ranks).ranked(np.ones(len(SIX)))]
    yield "first 20 of the sum of the six ranks", lambda seed: FirstOf(order)
    yield "random", lambda seed: FirstOf(generator("random", derive_seed(seed)).sample(list(cells), QUERIES))
    if not others:
        yield "LINAS, encodings alone", linas({}, cells)
        yield "LINAS, six published proxies as hints", linas(dict(zip(SIX, six.T, strict=True)), cells)
        return
    unseen = [name for name in others if name not in FORMULAS]
    for label, names in (("zc-nasbench201, zc-general, zc-forward", FORMULAS), (f"five {UNSEEN}", unseen)):
        own = np.column_stack([others[name] for name in names])
        yield f"RoBoT, {label}", robot(cells, scaled_ranks(own))
        yield f"RoBoT, six published and {label}", robot(cells, scaled_ranks(np.column_stack([six, own])))


def main() -> None:
    """Run all methods and seeds, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="+", type=int, required=True)
    parser.add_argument("--sample", type=int, default=1000, help="cells on which the project's formulas are measured")
    parser.add_argument("--tables", type=Path, default=HERE)
    arguments = parser.parse_args()
    tasks = {name: get_task(f"nasbench201/{name}") for name in DATASETS}
    task = tasks["cifar10"]
    every = task.architectures("all")
    look_up = published_look_up(task)
    assert look_up is not None
    accuracy = dict(zip(every, look_up.values(EARLY_ACCURACY, every).tolist(), strict=True))
    pruned = task.architectures("pruned")
    drawn = draw_networks(task, arguments.sample, population="pruned", seed=0)
    rows = []
    for cells, others in ((pruned, {}), (drawn, own_scores(drawn))):
        for name, run in methods(cells, others):
            for seed in arguments.seeds:
                chosen = pick(run(seed), accuracy)
                tested = {dataset: float(each.labels([chosen])[0]) for dataset, each in tasks.items()}
                rows.append({"candidates": len(cells), "method": name, "seed": seed, "pick": chosen, **tested})
        best = max(cells, key=accuracy.__getitem__)
        tested = {dataset: float(each.labels([best])[0]) for dataset, each in tasks.items()}
        rows.append({"candidates": len(cells), "method": "highest of all", "seed": -1, "pick": best, **tested})
    table = pd.DataFrame(rows)
    table.to_csv(arguments.tables / "robot.csv", index=False, float_format="%.2f")
    groups = table.groupby(["candidates", "method"], sort=False)[list(DATASETS)]
    print(groups.agg(["mean", "std", "min"]).round(2).to_string())


if __name__ == "__main__":
    main()
