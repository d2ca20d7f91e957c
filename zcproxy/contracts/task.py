"""The interface of a task. Implementations live in `zcproxy.benchmarks`, and in `own_task`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from zcproxy.contracts.batch import Batch as Batch
from zcproxy.contracts.own_labels import labels_of_frame
from zcproxy.contracts.own_models import Factory
from zcproxy.contracts.own_task import OwnTask
from zcproxy.contracts.search_space import SearchSpace as SearchSpace

if TYPE_CHECKING:
    from abc import ABCMeta as _ProtocolType
else:
    _ProtocolType = type(Protocol)


class _TaskType(_ProtocolType):
    """The type of `Task`: what stands here is offered by `Task` itself, and is no member that a task has to have."""

    def from_frame(
        cls,  # noqa: N805
        frame: pd.DataFrame,
        factory: Callable[[str], torch.nn.Module],
        *,
        input_shape: Sequence[int],
        classes: int | None = None,
        architecture: str = "architecture",
        accuracy: str = "accuracy",
        name: str = "own",
        data: Any = None,
        loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None = None,
        lower_is_better: bool = False,
        key: str = "",
    ) -> OwnTask:
        """Return a task of networks that you trained, which `task.name` names in this process.

            task = zcproxy.Task.from_frame(frame, build, input_shape=(1, 8, 8))
            zcproxy.evolve(zcproxy.Configuration((task.name,)), zcproxy.Limits(generations=20), Path("runs/own"))

        Args:
            frame: one row per network; rows without a number in `accuracy` are left out.
            factory: makes the untrained network from the text in `architecture`. With several workers, other processes
                must be able to import it: no lambda, nothing that is defined in a notebook.
            input_shape: shape of one sample, without the batch: channels x height x width, for example.
            classes: number of logits; None to ask the first network.
            architecture: the column of texts.
            accuracy: the column of accuracies, in per cent or as shares, or of other numbers.
            name: begins the name of the task; measured columns are kept under it.
            data: samples for probes that look at them: (inputs, classes), a dataset or a loader, or a function that
                returns one; None for Gaussian noise.
            loss: takes output and targets and returns one number, in place of the cross-entropy; targets in `data` may
                then be of any kind.
            lower_is_better: whether the numbers are losses or errors: labels are then these with another sign.
            key: stands for the content of the factory where measured columns are kept; empty for a digest of its code.

        Raises:
            BenchmarkError: a column is missing, an architecture occurs twice, or there is no network with a number.
            ModelError: the first network cannot be built or run.
        """
        labels = labels_of_frame(frame, architecture, accuracy, lower_is_better=lower_is_better)
        return OwnTask(Factory(factory), labels, input_shape, classes, name=name, data=data, loss=loss, key=key)


class Task(Protocol, metaclass=_TaskType):
    """One (benchmark, label) that a formula is scored on: `nasbench201/cifar10`.

    A task may offer more than it must: `stored_as(architecture)`, the text that measured columns of a network are kept
    under, where what builds it may change; `stored_under`, which stands for the name of the task there; `shows_noise`,
    true where minibatches are noise; `vocabulary`, the number of token ids, where inputs are such ids; and
    `loss(output, targets)` in place of the cross-entropy.
    """

    name: str
    space: SearchSpace
    input_shape: tuple[int, ...]
    classes: int
    fingerprint: str
    """Differs between tasks of one name whose networks or images differ: measured columns are kept apart by it."""

    def architectures(self, population: str) -> Sequence[str]:
        """Return the labelled architectures of a population (`all`, `pruned`) in a fixed order."""
        ...

    def labels(self, architectures: Sequence[str]) -> NDArray[np.float64]:
        """Return the accuracy in percent of each architecture; `BenchmarkError` for one without a label."""
        ...

    def build(self, architecture: str) -> torch.nn.Module:
        """Return the untrained network, initialised from torch's current random state."""
        ...

    def batch(self, size: int) -> Batch:
        """Return the first `size` images of a fixed, seeded order; `BenchmarkError` where there are no images."""
        ...

    def baselines(self, architectures: Sequence[str]) -> dict[str, NDArray[np.float64]]:
        """Return what every table shows beside a proxy: params, FLOPs, count of convolutions, ..."""
        ...

    def noise_ceiling(self) -> float | None:
        """Return Kendall's tau between two independent trainings over the population, or None if unknown."""
        ...


def _members(protocol: type) -> tuple[str, ...]:
    """Return the names that a protocol asks for."""
    declared = [name for name in vars(protocol) if not name.startswith("_")]
    return (*protocol.__annotations__, *declared)


SPACE_MEMBERS = _members(SearchSpace)
"""Members that a search space must have."""

TASK_MEMBERS = _members(Task)
"""Members that a task must have."""
