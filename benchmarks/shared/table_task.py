"""Tasks whose labels are a column of a published table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from zcproxy.benchmarks.shared.label_table import TableSource
from zcproxy.benchmarks.shared.populations import check_population
from zcproxy.contracts.measurements import Measurements
from zcproxy.contracts.task import Batch, SearchSpace
from zcproxy.images.image_sets import ImageSet
from zcproxy.images.published import Images, image_batch, image_set
from zcproxy.images.tokens import Tokens
from zcproxy.models.costs import Costs, count_costs


class TableTask:
    """Implements `zcproxy.contracts.task.Task` on a table of labels.

    Holds no labels, so it is cheap to send to another process; the table is read from the data directory when first
    needed, and methods that need it raise `BenchmarkError` where it is missing.

    Args:
        name: name of the task.
        space: the architectures.
        source: the table. Costs that it has no column for (`params`, `flops`) are counted on the network.
        label: the column of accuracies in percent.
        images: what the networks are shown: images, or token ids.
        classes: number of logits.

    Attributes:
        vocabulary: number of token ids, 0 where networks take none.
    """

    fingerprint = ""

    def __init__(
        self, name: str, space: SearchSpace, source: TableSource, label: str, images: Images | Tokens, classes: int
    ) -> None:
        self.name, self.space, self.source, self.classes = name, space, source, classes
        self.input_shape: tuple[int, ...] = images.shape
        self.vocabulary = images.vocabulary if isinstance(images, Tokens) else 0
        self._label, self._images = label, images
        self._counted: dict[str, Costs] = {}

    def architectures(self, population: str) -> Sequence[str]:
        """Return the labelled networks in the order of the table; `all` and `pruned` are the same here."""
        check_population(self.name, population)
        return tuple(self.source.load().rows)

    def labels(self, architectures: Sequence[str]) -> NDArray[np.float64]:
        """Return the test accuracy of each architecture in percent; `BenchmarkError` for one without a label."""
        return self.values(self._label, architectures)

    def build(self, architecture: str) -> nn.Module:
        """Return the untrained network, with the initialisation of its space."""
        return self.space.build(architecture, self.input_shape, self.classes)

    def batch(self, size: int) -> Batch:
        """Return the first `size` images at hand: see `zcproxy.images.published.image_batch`."""
        return self.batch_of(size, "")

    def batch_of(self, size: int, chosen: str) -> Batch:
        """Return the first `size` images of a set, by its token."""
        if isinstance(self._images, Tokens):
            return self._images.batch(size, self.classes)
        return image_batch(self._images, size, self.classes, chosen)

    def image_set(self, chosen: str = "") -> ImageSet:
        """Return what minibatches are made of: see `zcproxy.images.published.image_set`."""
        return self._images.image_set() if isinstance(self._images, Tokens) else image_set(self._images, chosen)

    def baselines(self, architectures: Sequence[str]) -> dict[str, NDArray[np.float64]]:
        """Return `params`, `flops` (millions) and `convolutions` (convolutional layers).

        Parameters and FLOPs are the published ones where the table has them. Otherwise FLOPs are multiply-adds for
        images of the task's resolution.
        """
        table = self.source.load()
        texts = [self.space.parse(architecture) for architecture in architectures]
        costs = [self._costs(text) for text in texts]
        found = {
            "params": np.array([cost.params for cost in costs], np.float64),
            "flops": np.array([cost.macs / 1e6 for cost in costs], np.float64),
            "convolutions": np.array([cost.convolutions for cost in costs], np.float64),
        }
        return {name: table.values(name, texts) if name in table.columns else found[name] for name in found}

    def measurements(self) -> Measurements | None:
        """Return what was published of the networks besides their labels, such as latencies; None for nothing."""
        return None

    def noise_ceiling(self) -> float | None:
        """Return None: each network was trained once."""
        return None

    def values(self, column: str, architectures: Sequence[str]) -> NDArray[np.float64]:
        """Return the numbers of a column for some architectures."""
        return self.source.load().values(column, map(self.space.parse, architectures))

    def _costs(self, architecture: str) -> Costs:
        if architecture not in self._counted:
            with torch.random.fork_rng(devices=[]):
                self._counted[architecture] = count_costs(self.build(architecture), self.input_shape)
        return self._counted[architecture]
