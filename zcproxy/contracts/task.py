"""The interfaces of a search space and a task. Implementations live in `zcproxy.benchmarks`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray


class SearchSpace(Protocol):
    """A set of architectures, each written as one canonical string.

    Methods that take an architecture raise `BenchmarkError` for text outside the space. `ChoiceSpace`
    implements all but `build` for spaces of independent choices.
    """

    name: str

    @property
    def size(self) -> int:
        """The number of architectures."""
        ...

    def parse(self, text: str) -> str:
        """Return the canonical text of an architecture, or raise `BenchmarkError` saying what is wrong."""
        ...

    def sample(self, rng: Random) -> str:
        """Return one architecture drawn uniformly."""
        ...

    def enumerate(self) -> Iterator[str]:
        """Yield every architecture once, in a fixed order."""
        ...

    def neighbours(self, architecture: str) -> list[str]:
        """Return all architectures one edit away, in a fixed order."""
        ...

    def mutate(self, architecture: str, rng: Random) -> str:
        """Return a random neighbour."""
        ...

    def crossover(self, first: str, second: str, rng: Random) -> str:
        """Return a child that takes every choice from one of its parents."""
        ...

    def prune(self, architecture: str) -> str:
        """Return the architecture without parts that its output does not depend on; itself if there are none."""
        ...

    def equivalence_class(self, architecture: str) -> str:
        """Return a key that architectures computing the same function share: splits never separate them."""
        ...

    def build(self, architecture: str, input_shape: tuple[int, ...], classes: int) -> torch.nn.Module:
        """Return the untrained network for inputs of samples x `input_shape`, giving samples x `classes` logits.

        Its weights come from torch's current random state.
        """
        ...


@dataclass(frozen=True)
class Batch:
    """A minibatch for the probes that need real data.

    Attributes:
        inputs: float32, samples x channels x height x width, normalised as the benchmark's training does.
        targets: int64, samples.
    """

    inputs: torch.Tensor
    targets: torch.Tensor


class Task(Protocol):
    """One (benchmark, label) that a formula is scored on: `nasbench201/cifar10`."""

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
