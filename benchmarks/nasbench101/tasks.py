"""The task of NAS-Bench-101: rank its cells by validation accuracy on CIFAR-10."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from zcproxy.benchmarks.nasbench101.labels import TABLE, TRIALS
from zcproxy.benchmarks.nasbench101.space import NASBench101Space
from zcproxy.benchmarks.shared.label_table import LabelTable
from zcproxy.benchmarks.shared.table_task import TableTask
from zcproxy.images.published import Images

DATASETS = ("cifar10",)
SIDE, CLASSES = 32, 10


@cache
def load_task(dataset: str) -> NASBench101Task:
    """Return the task of a dataset; there is `cifar10`."""
    return NASBench101Task(dataset)


class NASBench101Task(TableTask):
    """Cells labelled with their validation accuracy after 108 epochs, mean over the trainings that the table has."""

    def __init__(self, dataset: str) -> None:
        self._cells = NASBench101Space()
        images = Images(dataset, SIDE)
        super().__init__(f"nasbench101/{dataset}", self._cells, TABLE, "accuracy", images, CLASSES)

    def baselines(self, architectures: Sequence[str]) -> dict[str, NDArray[np.float64]]:
        """Return `params` (published), `flops` (millions of multiply-adds) and `convolutions` (layers)."""
        macs = [self._cells.macs(architecture, self.input_shape, self.classes) for architecture in architectures]
        layers = [self._cells.convolutions(architecture) for architecture in architectures]
        return {
            "params": self.values("params", architectures),
            "flops": np.array(macs, np.float64) / 1e6,
            "convolutions": np.array(layers, np.float64),
        }

    def noise_ceiling(self) -> float | None:
        """Return Kendall's tau-b between the first two trainings of the cells that have them; None without any."""
        return _agreement_of_trainings(TABLE.load())


@lru_cache(maxsize=2)
def _agreement_of_trainings(table: LabelTable) -> float | None:
    first, second = (table.columns[trial] for trial in TRIALS[:2])
    trained_twice = np.isfinite(first) & np.isfinite(second)
    if trained_twice.sum() < 2:
        return None
    return float(scipy.stats.kendalltau(first[trained_twice], second[trained_twice]).statistic)
