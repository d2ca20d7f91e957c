"""The three tasks of NAS-Bench-201: rank its cells by test accuracy on CIFAR-10, CIFAR-100 or ImageNet16-120."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from zcproxy.benchmarks.nasbench201.encoding import to_operations
from zcproxy.benchmarks.nasbench201.labels import TABLE, TRIALS, populations
from zcproxy.benchmarks.nasbench201.measurements import published_measurements
from zcproxy.benchmarks.nasbench201.space import NASBench201Space
from zcproxy.benchmarks.shared.label_table import LabelTable
from zcproxy.benchmarks.shared.nats.datasets import DATASETS
from zcproxy.benchmarks.shared.populations import check_population
from zcproxy.benchmarks.shared.table_task import TableTask
from zcproxy.contracts.measurements import Measurements


@cache
def load_task(dataset: str) -> NASBench201Task:
    """Return the task of one dataset: `cifar10`, `cifar100` or `imagenet16-120`."""
    return NASBench201Task(dataset)


class NASBench201Task(TableTask):
    """Cells labelled with their test accuracy after 200 epochs, mean over the stored seeds.

    Its networks have 16 channels and 5 cells per stage.
    """

    def __init__(self, dataset: str) -> None:
        self._name, self._dataset = dataset, DATASETS[dataset]
        label = f"{self._dataset.column}/test_200"
        super().__init__(
            f"nasbench201/{dataset}", NASBench201Space(), TABLE, label, self._dataset.images, self._dataset.classes
        )

    def architectures(self, population: str) -> Sequence[str]:
        """Return the cells of a population in official index order: `all` (15,625) or `pruned` (9,445).

        Raises:
            BenchmarkError: the population is unknown.
        """
        known = populations(TABLE.load())
        check_population(self.name, population, known)
        return known[population]

    def baselines(self, architectures: Sequence[str]) -> dict[str, NDArray[np.float64]]:
        """Return `params`, `flops` (millions of multiply-adds) and `convolutions` (edges of a cell that convolve)."""
        convolutions = [
            sum(operation.startswith("nor_conv") for operation in to_operations(architecture))
            for architecture in architectures
        ]
        return {
            "params": self.values(f"params_{self._dataset.column}", architectures),
            "flops": self.values(f"flops_M_{self._dataset.column}_derived", architectures),
            "convolutions": np.array(convolutions, dtype=np.float64),
        }

    def measurements(self) -> Measurements:
        """Return latencies, energies and validation accuracies of the cells on this dataset."""
        return published_measurements(self._name)

    def noise_ceiling(self) -> float | None:
        """Return Kendall's tau-b between two single trainings (seeds 777 and 888) of the cells that have both.

        Single trainings are stored for CIFAR-10 alone; None for the other datasets.
        """
        return _agreement_of_trainings(TABLE.load()) if self._dataset is DATASETS["cifar10"] else None


@lru_cache(maxsize=2)
def _agreement_of_trainings(table: LabelTable) -> float:
    first, second = (table.columns[trial] for trial in TRIALS)
    trained_twice = np.isfinite(first) & np.isfinite(second)
    return float(scipy.stats.kendalltau(first[trained_twice], second[trained_twice]).statistic)
