"""What few labels can tell: tau on other networks of what `zcproxy.discover` chooses by 20 to 160 labels.

    python results/few_labels/study.py --task nasbench201/cifar10 --draws 10 --out results/few_labels/draws.csv

Each draw takes some of 400 networks as labelled and tests on the others. Rows that the file has are not made again.
Beside what is chosen stand the general proxy unchanged, `adapt` on the general proxies, and the formula that fits the
labels best, evolved from nothing without a price on size.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zcproxy.adapting.adapt import formula_of
from zcproxy.adapting.decision import decide
from zcproxy.columns.context import Context
from zcproxy.columns.sweep import sweep
from zcproxy.columns.table import ColumnTable
from zcproxy.correlation import kendall_tau
from zcproxy.discovery.contenders import Contenders, general_proxies
from zcproxy.discovery.evolution import evolved_by_size
from zcproxy.discovery.few import Effort, choose_by_splits, few_configuration
from zcproxy.evolve.materials import Materials
from zcproxy.evolve.observer import Silent
from zcproxy.evolve.start import first_columns
from zcproxy.formula import Node
from zcproxy.formula.evaluate import Evaluator
from zcproxy.names.tasks import get_task
from zcproxy.random import array_generator
from zcproxy.ranking.scoring import draw_networks
from zcproxy.storage.cache_directory import default_cache

Array = NDArray[np.float64]

NETWORKS, SEED = 400, 0
LABELS = (20, 40, 80, 160)
EFFORT = Effort()


class Study:
    """The measured networks of a task."""

    def __init__(self, task: str, networks: int) -> None:
        found = get_task(task)
        self.name, self.networks = task, draw_networks(found, networks, seed=SEED)
        self.labels = found.labels(self.networks)
        self.context = Context(found)
        general = [column for proxy in general_proxies() for column in proxy.formula.columns()]
        columns = list(dict.fromkeys([*first_columns(few_configuration(task, 160, EFFORT)), *general]))
        self.table = sweep(self.context, self.networks, columns)

    def draw(self, labels: int, number: int) -> dict[str, float | str]:
        """Return one row: what is found by some labels, tested on all other networks."""
        order = array_generator("few labels", self.name, labels, number).permutation(len(self.networks))
        seen, unseen = np.sort(order[:labels]), np.sort(order[labels:])
        contenders = self._contenders(seen)
        choice = choose_by_splits(contenders, number, Silent())
        formula = contenders.made(np.arange(labels))[0][choice.name]
        evaluator = _evaluator(self.table)
        general = general_proxies()
        scores = np.stack([evaluator(proxy.formula) for proxy in general])
        adapted = formula_of(general, decide(scores[None][:, :, seen], self.labels[seen]).terms)
        fitted = self._fitted(contenders)

        def tau(scored: Array) -> float:
            return kendall_tau(scored[unseen], self.labels[unseen])

        return {
            "task": self.name,
            "labels": labels,
            "draw": number,
            "discover": tau(evaluator(formula)),
            "expected": choice.expected.tau,
            "low": choice.expected.low,
            "high": choice.expected.high,
            "general": tau(scores[0]),
            "adapt": tau(evaluator(adapted)),
            "fits_best": tau(evaluator(fitted)),
            "fits_best_on_its_labels": kendall_tau(evaluator(fitted)[seen], self.labels[seen]),
            "chosen": choice.name,
            "formula": str(formula),
        }

    def _contenders(self, seen: NDArray[np.intp]) -> Contenders:
        configuration = few_configuration(self.name, len(seen), EFFORT)
        return Contenders(
            self.context,
            tuple(self.networks[place] for place in seen),
            self.labels[seen],
            tuple(map(str, first_columns(configuration))),
            configuration,
            EFFORT.generations,
            _evaluator(self.table.take(seen)),
            default_cache(),
        )

    def _fitted(self, contenders: Contenders) -> Node:
        configuration = replace(contenders.configuration, maximum_size=30, start_from=())
        materials = Materials(
            (self.context,), (contenders.architectures,), contenders.columns, contenders.cache, configuration, ((),)
        )
        hall = evolved_by_size(materials, configuration, EFFORT.generations).hall
        return max(hall.values(), key=lambda item: item[1].merit)[0]


def _evaluator(table: ColumnTable) -> Evaluator:
    return Evaluator(table.counts, table.values, table.blocks, table.connections)


def main() -> None:
    """Make the rows that are missing, draw by draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="nasbench201/cifar10")
    parser.add_argument("--networks", type=int, default=NETWORKS)
    parser.add_argument("--labels", type=int, nargs="+", default=list(LABELS))
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    known = pd.read_csv(options.out).to_dict("records") if options.out.exists() else []
    done = {(row["task"], row["labels"], row["draw"]) for row in known}
    study = Study(options.task, options.networks)
    for number in range(options.draws):
        for labels in options.labels:
            if (options.task, labels, number) not in done:
                known.append(study.draw(labels, number))
                pd.DataFrame(known).to_csv(options.out, index=False, float_format="%.4f")
                print(known[-1], flush=True)


if __name__ == "__main__":
    main()
