"""Invariance: the same networks measured under other conditions, under which a score should order them as well.

Neither the size of the images, nor the number of classes, the minibatch or the initialisation belongs to an
architecture. A formula that reads one of them by accident ranks the training networks no worse, and fails on another
data set of the same cells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from zcproxy.columns.context import Context
from zcproxy.columns.table import ColumnTable
from zcproxy.contracts.task import Batch, Task
from zcproxy.errors import ConfigurationError
from zcproxy.images.image_sets import ImageSet
from zcproxy.images.minibatch import images_of, minibatch

VARIED_NETWORKS = 100
"""Labelled networks of each task that are measured under every other condition."""

LEAST_PIXELS = 16
"""Below twice this width, images are doubled instead of halved."""

FEW_CLASSES, MANY_CLASSES = 10, 100


@dataclass(frozen=True)
class Variation:
    """Columns of some networks of a task, measured under another condition.

    Attributes:
        table: the columns.
        networks: place of each among the networks of the task.
    """

    table: ColumnTable
    networks: NDArray[np.integer]

    def within(self, kept: NDArray[np.integer]) -> Variation:
        """Return the variation of the networks that are kept: `kept` has the places of all that are."""
        place = {int(network): index for index, network in enumerate(kept)}
        rows = np.flatnonzero(np.isin(self.networks, kept))
        networks = np.array([place[int(network)] for network in self.networks[rows]], np.intp)
        return Variation(self.table.take(rows), networks)


class VariedTask:
    """A task whose networks take images of another size, or tell another number of classes apart.

    The labels are those of the task: what is measured belongs to the same architectures.

    Args:
        task: the task.
        input_shape: of one sample.
        classes: number of logits.
    """

    def __init__(self, task: Task, input_shape: tuple[int, ...], classes: int) -> None:
        self._task, self.space = task, task.space
        self.input_shape, self.classes = input_shape, classes
        shape = "x".join(map(str, input_shape))
        self.name = f"{task.name} {shape} {classes}"
        self.fingerprint = task.fingerprint
        for offered in ("stored_as", "loss"):  # what tasks of a user's own networks have beside the protocol
            if hasattr(task, offered):
                setattr(self, offered, getattr(task, offered))

    def architectures(self, population: str) -> Sequence[str]:
        """Return the labelled networks of the task."""
        return self._task.architectures(population)

    def labels(self, architectures: Sequence[str]) -> NDArray[np.float64]:
        """Return the labels of the task."""
        return self._task.labels(architectures)

    def build(self, architecture: str) -> nn.Module:
        """Return the untrained network for the other inputs and classes."""
        return self.space.build(architecture, self.input_shape, self.classes)

    def batch(self, size: int) -> Batch:
        """Return images of the task, resampled; their classes stay, as far as there are so many."""
        return self.batch_of(size, "")

    def batch_of(self, size: int, chosen: str) -> Batch:
        """Return images of a set, by its token."""
        batch = minibatch(self._task, size, chosen)
        if batch.inputs.shape[1:] != self.input_shape:
            inputs = nn.functional.interpolate(batch.inputs, self.input_shape[1:], mode="bilinear", antialias=True)
            batch = replace(batch, inputs=inputs)
        return replace(batch, targets=torch.remainder(batch.targets, self.classes))

    def image_set(self, chosen: str = "") -> ImageSet:
        """Return what minibatches of the task are made of."""
        return images_of(self._task, chosen)

    def baselines(self, architectures: Sequence[str]) -> dict[str, NDArray[np.float64]]:
        """Return those of the task."""
        return self._task.baselines(architectures)

    def noise_ceiling(self) -> float | None:
        """Return that of the task."""
        return self._task.noise_ceiling()


def _other_resolution(context: Context) -> Context:
    shape = context.task.input_shape
    if len(shape) != 3:
        raise ConfigurationError(f"invariance=resolution: inputs of the task {context.name} are not images")
    channels, *sides = shape
    halved = min(sides) >= 2 * LEAST_PIXELS
    other = tuple(side // 2 if halved else 2 * side for side in sides)
    return replace(context, task=VariedTask(context.task, (channels, *other), context.task.classes))


def _other_classes(context: Context) -> Context:
    classes = FEW_CLASSES if context.task.classes >= MANY_CLASSES else MANY_CLASSES
    return replace(context, task=VariedTask(context.task, context.task.input_shape, classes))


CONDITIONS: dict[str, Callable[[Context], Context]] = {
    "resolution": _other_resolution,
    "classes": _other_classes,
    "batch": lambda context: replace(context, batch_size=2 * context.batch_size),
    "initialisation": lambda context: replace(context, initialisation=context.initialisation + 1),
}
"""Name -> what makes the other condition: half the resolution (twice that of small images), 100 classes (10 instead of
100 and more), twice the minibatch, another initialisation."""


def conditions_of(context: Context, names: Sequence[str]) -> tuple[Context, ...]:
    """Return a context for each condition. Raises `ConfigurationError` for one that the task does not have."""
    return tuple(CONDITIONS[name](context) for name in names)


def varied_networks(architectures: Sequence[str]) -> tuple[str, ...]:
    """Return those of the labelled networks of a task that are measured under other conditions, evenly spread."""
    step = max(1, len(architectures) // VARIED_NETWORKS)
    return tuple(architectures[::step][:VARIED_NETWORKS])
