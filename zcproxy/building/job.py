"""Trains one architecture with every seed: the job that a worker of `zcproxy benchmark build` runs."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import nn

from zcproxy.benchmarks.datasets import load_dataset
from zcproxy.building.configuration import BuildConfiguration
from zcproxy.contracts.choice_space import Option
from zcproxy.contracts.dataset import ImageDataset
from zcproxy.contracts.task import SearchSpace
from zcproxy.errors import BenchmarkError
from zcproxy.models.costs import Costs, count_costs
from zcproxy.models.device import DeviceMemoryError, enough_memory, give_back_memory
from zcproxy.names.spaces import get_space
from zcproxy.probing.recorder import call_model, reported
from zcproxy.random import derive_seed
from zcproxy.training.train import Training, train
from zcproxy.user_code.border import running
from zcproxy.workers.pool import single_threaded


@dataclass(frozen=True)
class Trained:
    """One architecture and the results of its trainings.

    Attributes:
        arch: its text.
        params: parameters.
        macs: multiply-adds of one sample.
        convolutions: convolutional layers.
        trainings: one per seed.
        seconds: time that the whole job took.
    """

    arch: str
    params: int
    macs: int
    convolutions: int
    trainings: list[Training]
    seconds: float

    @property
    def label(self) -> float:
        """Mean test accuracy in percent of the trainings that did not diverge; NaN if all did."""
        values = [training.accuracy for training in self.trainings if not training.diverged]
        return math.fsum(values) / len(values) if values else math.nan

    def as_dict(self) -> dict[str, Any]:
        """Return the content as JSON can hold it."""
        return asdict(self)


def trained_or_too_large(configuration: BuildConfiguration, architecture: str) -> Trained | str:
    """Train one architecture as `train_architecture`; the reason stands for one that is too large for the device."""
    try:
        with enough_memory(torch.device(configuration.device), configuration.recipe.batch_size):
            return train_architecture(configuration, architecture)
    except DeviceMemoryError as error:
        reason = f"the network of '{architecture}' cannot be trained: {error}"
    give_back_memory(torch.device(configuration.device))
    return reason


def train_architecture(configuration: BuildConfiguration, architecture: str) -> Trained:
    """Train one architecture with every seed, on one thread.

    The seeds are the same for all architectures, as in NAS-Bench-201: they see the images in the same order and share
    the initial weights of what they have in common, so that chance makes them differ less.

    Raises:
        BenchmarkError: its network does not fit the dataset.
        ModelError: its network cannot be run.
    """
    space, dataset = materials_of(
        configuration.space, tuple(configuration.space_options.items()), configuration.dataset
    )
    started = time.perf_counter()
    with single_threaded():
        costs = costs_of(space, architecture, dataset)
        trainings = []
        for index in range(configuration.seeds):
            seed = derive_seed(space.name, "training", index)
            network = build_network(space, architecture, dataset, seed)
            trainings.append(train(network, dataset, configuration.recipe, seed, configuration.device))
    return Trained(architecture, **asdict(costs), trainings=trainings, seconds=time.perf_counter() - started)


@lru_cache(maxsize=1)
def materials_of(space: str, options: tuple[tuple[str, Option], ...], dataset: str) -> tuple[SearchSpace, ImageDataset]:
    """Return the space and the dataset, once per process."""
    return get_space(space, dict(options)), load_dataset(dataset)


def build_network(space: SearchSpace, architecture: str, dataset: ImageDataset, seed: int) -> nn.Module:
    """Return the network of an architecture, initialised from `seed`, without touching torch's random state."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        with running(f"the network of '{architecture}' cannot be built"):
            return space.build(architecture, dataset.input_shape, dataset.classes)


def costs_of(space: SearchSpace, architecture: str, dataset: ImageDataset) -> Costs:
    """Return the costs of an architecture's network.

    Raises:
        BenchmarkError: it does not give one logit per class.
        ModelError: it cannot be run.
    """
    network = build_network(space, architecture, dataset, 0)
    logits = call_model(network, dataset.train_inputs[:2])
    if logits.shape != (2, dataset.classes):
        raise BenchmarkError(
            f"the network of '{architecture}' gives logits of shape {tuple(logits.shape)} for 2 images, {dataset.name} "
            f"has {dataset.classes} classes: build it with the number of classes that `build` is given"
        )
    with reported(f"the multiply-adds of '{architecture}' cannot be counted"):
        return count_costs(network, dataset.input_shape)
