"""The three tasks of NAS-Bench-201: rank its cells by test accuracy on CIFAR-10, CIFAR-100 or ImageNet16-120."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.stats
from numpy.typing import NDArray
from torch import nn

from zcproxy.benchmark import Batch
from zcproxy.benchmarks.images import image_batch
from zcproxy.benchmarks.nasbench201.encoding import to_operations
from zcproxy.benchmarks.nasbench201.labels import TRIALS, load_labels
from zcproxy.benchmarks.nasbench201.space import NASBench201Space
from zcproxy.errors import BenchmarkError, nearest_names


@dataclass(frozen=True)
class _Dataset:
    column: str
    classes: int
    side: int


_DATASETS = {
    "cifar10": _Dataset(column="cifar10", classes=10, side=32),
    "cifar100": _Dataset(column="cifar100", classes=100, side=32),
    "imagenet16-120": _Dataset(column="imagenet16", classes=120, side=16),
}


def load_task(dataset: str) -> NASBench201Task:
    """Return the task of one dataset: `cifar10`, `cifar100` or `imagenet16-120`."""
    return NASBench201Task(dataset)


class NASBench201Task:
    """Cells labelled with their test accuracy after 200 epochs, mean over the stored seeds.

    Implements `zcproxy.benchmark.Task`. Holds no data, so it is cheap to send to another process; the table is read
    from the data directory when first needed, and methods that need it raise `BenchmarkError` where it is missing.
    """

    fingerprint = ""

    def __init__(self, dataset: str) -> None:
        self._dataset = dataset
        self._column = _DATASETS[dataset].column
        self.name = f"nasbench201/{dataset}"
        self.space = NASBench201Space()
        self.classes = _DATASETS[dataset].classes
        self.input_shape: tuple[int, ...] = (3, _DATASETS[dataset].side, _DATASETS[dataset].side)

    def architectures(self, population: str) -> Sequence[str]:
        """Return the cells of a population in official index order: `all` (15,625) or `pruned` (9,445).

        Raises:
            BenchmarkError: the population is unknown.
        """
        populations = load_labels().populations
        if population not in populations:
            raise BenchmarkError(
                f"unknown population {population!r} of {self.name}{nearest_names(population, populations)}; "
                f"known populations: {', '.join(populations)}"
            )
        return populations[population]

    def labels(self, architectures: Sequence[str]) -> NDArray[np.float64]:
        """Return the test accuracy of each cell in percent.

        Raises:
            BenchmarkError: a text is not a cell of the space.
        """
        return self._column_of(f"{self._column}/test_200", architectures)

    def build(self, architecture: str) -> nn.Module:
        """Return the untrained network with 16 channels and 5 cells a stage, initialised as torch does by default."""
        return self.space.build(architecture, self.input_shape, self.classes)

    def batch(self, size: int) -> Batch:
        """Return the first `size` sample images of the dataset: see `zcproxy.benchmarks.images.image_batch`."""
        return image_batch(self._dataset, size)

    def baselines(self, architectures: Sequence[str]) -> dict[str, NDArray[np.float64]]:
        """Return `params`, `flops` (millions of multiply-adds) and `convolutions` (edges of a cell that convolve)."""
        convolutions = [
            sum(operation.startswith("nor_conv") for operation in to_operations(architecture))
            for architecture in architectures
        ]
        return {
            "params": self._column_of(f"params_{self._column}", architectures),
            "flops": self._column_of(f"flops_M_{self._column}_derived", architectures),
            "convolutions": np.array(convolutions, dtype=np.float64),
        }

    def noise_ceiling(self) -> float | None:
        """Return Kendall's tau-b between two single trainings (seeds 777 and 888) of the cells that have both.

        Single trainings are stored for CIFAR-10 alone; None for the other datasets.
        """
        return _agreement_of_trainings() if self._dataset == "cifar10" else None

    def _column_of(self, column: str, architectures: Sequence[str]) -> NDArray[np.float64]:
        table = load_labels()
        rows = [table.rows[self.space.parse(architecture)] for architecture in architectures]
        return table.columns[column][rows]


@lru_cache(maxsize=1)
def _agreement_of_trainings() -> float:
    columns = load_labels().columns
    first, second = (columns[trial] for trial in TRIALS)
    trained_twice = np.isfinite(first) & np.isfinite(second)
    return float(scipy.stats.kendalltau(first[trained_twice], second[trained_twice]).statistic)
