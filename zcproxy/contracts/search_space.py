"""The interface of a search space. Implementations live in `zcproxy.benchmarks`."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Protocol

import torch


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
