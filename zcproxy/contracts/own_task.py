"""A task of networks that a user trained: their names, what makes them, and their labels."""

from __future__ import annotations

import hashlib
import json
import math
import pickle
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from zcproxy.contracts.batch import Batch, batch_of, noise_batch
from zcproxy.contracts.listed_space import ListedSpace
from zcproxy.contracts.own_models import LONGEST_NAME, Models
from zcproxy.contracts.search_space import SearchSpace
from zcproxy.errors import BenchmarkError, ConfigurationError, ModelError, check_known
from zcproxy.models.content import content_of
from zcproxy.models.costs import Costs, count_costs
from zcproxy.models.macs import evaluation_mode
from zcproxy.text.visible import shortened
from zcproxy.user_code.border import running

POPULATIONS = ("all", "pruned")
FEWEST_CLASSES = 2

_MADE: WeakValueDictionary[str, OwnTask] = WeakValueDictionary()
"""Tasks by name, as long as somebody holds them: networks of a fit that is over are freed."""


def own_task(name: str) -> OwnTask | None:
    """Return the task of this name that was made in this process and is still held, or None."""
    return _MADE.get(name)


class OwnTask:
    """Implements `zcproxy.Task` on networks of a user. This process knows it by its name as long as it is held.

    The name ends in a digest of networks and labels, so that no run goes on with others. What is measured of a network
    is kept under its name and the content of what makes it.

    Args:
        models: make the networks.
        labels: finite numbers by name, the higher the better, at least one.
        input_shape: shape of one sample.
        classes: number of logits; None to ask the first network.
        name: begins the name of the task.
        data: samples, see `zcproxy.contracts.batch.batch_of`; None for noise.
        loss: takes output and targets, and stands for the cross-entropy; targets of the data may then be of any kind.
        key: stands for the content of the models; empty for a digest of it.
        costs: those of the networks that are known; others are counted.

    Raises:
        BenchmarkError: the data do not fit, a loss has none, or the shape is none.
        ModelError: the first network cannot be built or run.
    """

    def __init__(
        self,
        models: Models,
        labels: Mapping[str, float],
        input_shape: Sequence[int],
        classes: int | None = None,
        *,
        name: str = "own",
        data: Any = None,
        loss: Callable[[Tensor, Tensor], Tensor] | None = None,
        key: str = "",
        costs: Mapping[str, Costs] | None = None,
    ) -> None:
        self.input_shape = checked_shape(input_shape)
        self._models, self._labels = models, dict(labels)
        self._contents = {each: f"key {key}" if key else models.content(each) for each in labels}
        self._costs = dict(costs or {})
        if loss is not None and data is None:
            raise BenchmarkError("`loss` compares outputs with targets: give `data` with inputs and targets")
        self.loss = loss
        self._batch = None if data is None else batch_of(data, self.input_shape, any_targets=loss is not None)
        first = next(iter(self._labels))
        with torch.random.fork_rng(devices=[]):
            self.classes = classes or classes_of(models.make(first), self.input_shape, first)
        shown = None if self._batch is None else _digest_of(self._batch)
        of_loss = [] if loss is None else [content_of(loss)]
        self.fingerprint = _digest(["own", self.input_shape, self.classes, shown, *of_loss])
        self.stored_under = name
        self.name = f"{name}-{_digest([self.fingerprint, self._labels, self._contents])[:8]}"
        self.space: SearchSpace = ListedSpace(name, self._listed, models.make)
        _MADE[self.name] = self

    @property
    def shows_noise(self) -> bool:
        """Whether minibatches are Gaussian noise: there is no data."""
        return self._batch is None

    def stored_as(self, architecture: str) -> str:
        """Return the text under which what is measured of a network is kept."""
        return f"{architecture} #{self._contents[architecture]}"

    def with_networks(self, models: Models, names: Sequence[str]) -> OwnTask:
        """Return the same setting with other networks, which have no labels; no name stands for it.

        What is measured of them is kept beside what is measured of these.
        """
        other = object.__new__(OwnTask)
        vars(other).update(vars(self))
        other._models, other._labels, other._costs = models, dict.fromkeys(names, math.nan), {}
        other._contents = {each: models.content(each) for each in names}
        other.space = ListedSpace(self.stored_under, other._listed, models.make)
        return other

    def without(self, names: Collection[str]) -> OwnTask:
        """Return the task of the other networks, which has a name of its own; what is measured of them is shared."""
        other = object.__new__(OwnTask)
        vars(other).update(vars(self))
        other._labels = {each: label for each, label in self._labels.items() if each not in names}
        other._contents = {each: self._contents[each] for each in other._labels}
        other.name = f"{self.stored_under}-{_digest([self.fingerprint, other._labels, other._contents])[:8]}"
        other.space = ListedSpace(self.stored_under, other._listed, self._models.make)
        _MADE[other.name] = other
        return other

    def architectures(self, population: str) -> Sequence[str]:
        """Return the networks in the order given; `all` and `pruned` are the same here."""
        check_known(f"population of {self.name}", population, POPULATIONS, BenchmarkError)
        return self._listed()

    def labels(self, architectures: Sequence[str]) -> NDArray[np.float64]:
        """Return the label of each network."""
        return np.array([self._labels[self.space.parse(each)] for each in architectures], np.float64)

    def build(self, architecture: str) -> nn.Module:
        """Return the untrained network, initialised from torch's current random state."""
        return self.space.build(architecture, self.input_shape, self.classes)

    def batch(self, size: int) -> Batch:
        """Return the first `size` samples of the data, or of noise."""
        if self._batch is None:
            return noise_batch(self.input_shape, self.classes, size)
        if not 1 <= size <= len(self._batch.inputs):
            raise BenchmarkError(
                f"a batch of {size} samples is not available: {self.name} has 1 to {len(self._batch.inputs)}"
            )
        return Batch(self._batch.inputs[:size], self._batch.targets[:size])

    def baselines(self, architectures: Sequence[str]) -> dict[str, NDArray[np.float64]]:
        """Return `params`, `flops` (millions of multiply-adds) and `convolutions` (convolutional layers)."""
        costs = [self._cost(self.space.parse(each)) for each in architectures]
        return {
            "params": np.array([cost.params for cost in costs], np.float64),
            "flops": np.array([cost.macs / 1e6 for cost in costs], np.float64),
            "convolutions": np.array([cost.convolutions for cost in costs], np.float64),
        }

    def noise_ceiling(self) -> float | None:
        """Return None: how far two trainings agree is not known."""
        return None

    def __getstate__(self) -> dict[str, Any]:
        try:
            pickle.dumps((self._models, self.loss))
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise ConfigurationError(
                f"your models cannot be sent to other processes ({' '.join(str(error).split()):.120}): use workers=1, "
                "or functions of a module"
            ) from error
        return vars(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        _MADE[self.name] = self

    def _listed(self) -> tuple[str, ...]:
        return tuple(self._labels)

    def _cost(self, architecture: str) -> Costs:
        if architecture not in self._costs:
            with torch.random.fork_rng(devices=[]), running(f"'{shortened(architecture, LONGEST_NAME)}' cannot be run"):
                self._costs[architecture] = count_costs(self.build(architecture), self.input_shape)
        return self._costs[architecture]


def checked_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the shape of a sample. Raises `BenchmarkError` where it is none."""
    sizes = tuple(shape) if isinstance(shape, Iterable) else ()
    if not sizes or any(isinstance(size, bool) or not isinstance(size, int) or size < 1 for size in sizes):
        raise BenchmarkError(f"input_shape={shape!r:.80} is not the shape of a sample: give for example (3, 32, 32)")
    return sizes


def classes_of(network: nn.Module, input_shape: tuple[int, ...], name: str) -> int:
    """Return how many logits a network gives, two or more. Raises `ModelError` where it gives no tensor."""
    shown = shortened(name, LONGEST_NAME)
    kinds = [parameter.dtype for parameter in network.parameters() if parameter.is_floating_point()]
    with torch.no_grad(), evaluation_mode(network), running(f"the network '{shown}' cannot be run"):
        output = network(torch.zeros(1, *input_shape, dtype=kinds[0] if kinds else torch.float32))
    if not isinstance(output, Tensor) or output.dim() < 2:
        raise ModelError(
            f"the network '{shown}' gives a {type(output).__name__}, expected logits of samples x classes: give "
            "`classes`, or a model that returns one tensor"
        )
    return max(FEWEST_CLASSES, output.shape[1])


def _digest_of(batch: Batch) -> str:
    content = hashlib.sha256(batch.inputs.numpy().tobytes())
    content.update(batch.targets.numpy().tobytes())
    return content.hexdigest()


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
