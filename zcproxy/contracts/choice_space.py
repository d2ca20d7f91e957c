"""Spaces of independent choices, the short way to a space of your own, and a base for other spaces."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import ClassVar

from torch import nn

from zcproxy.errors import BenchmarkError, nearest_names

Option = int | str


class BaseSpace:
    """Methods of `SearchSpace` that follow from the others where no architecture has a dead part."""

    name: str

    def parse(self, text: str) -> str:
        """Return the canonical text of an architecture."""
        raise NotImplementedError(f"{type(self).__name__} does not say how to read an architecture")

    def neighbours(self, architecture: str) -> list[str]:
        """Return all architectures one edit away, in a fixed order."""
        raise NotImplementedError(f"{type(self).__name__} does not say what the neighbours are")

    def mutate(self, architecture: str, rng: Random) -> str:
        """Return a neighbour drawn uniformly."""
        return rng.choice(self.neighbours(architecture))

    def prune(self, architecture: str) -> str:
        """Return the canonical text: every choice is taken to matter."""
        return self.parse(architecture)

    def equivalence_class(self, architecture: str) -> str:
        """Return the canonical text: different choices are taken to compute different functions."""
        return self.parse(architecture)

    def outside(self, text: str, reason: str) -> BenchmarkError:
        """Return the error for a text that is not an architecture of the space."""
        shown = text if len(text) <= 120 else text[:117] + "..."
        return BenchmarkError(f"{shown!r} is not an architecture of {self.name}: {reason}")


class ChoiceSpace(BaseSpace):
    """A space whose architectures take one option for each of some named choices.

    Subclass it, set `name` and `choices`, and write `build`; everything else that `SearchSpace` asks for
    follows. An architecture is written `depth=2 width=16`. Options are whole numbers or words without spaces.

    Attributes:
        name: name of the space; random choices are seeded by it.
        choices: the options of each choice, by its name.
    """

    choices: ClassVar[Mapping[str, Sequence[Option]]]

    @property
    def size(self) -> int:
        """The number of architectures."""
        return math.prod(map(len, self.choices.values()))

    def encode(self, options: Mapping[str, Option]) -> str:
        """Return the text of an architecture."""
        return " ".join(f"{choice}={options[choice]}" for choice in self.choices)

    def decode(self, text: str) -> dict[str, Option]:
        """Return the option taken for each choice.

        Raises:
            BenchmarkError: the text is not an architecture of the space.
        """
        found: dict[str, Option] = {}
        for part in text.split():
            choice, _, written = part.partition("=")
            if choice not in self.choices or choice in found:
                what = "taken twice" if choice in found else f"unknown{nearest_names(choice, self.choices)}"
                raise self.outside(text, f"choice {choice!r} is {what}")
            option = {str(option): option for option in self.choices[choice]}.get(written)
            if option is None:
                raise self.outside(text, f"{choice} is one of {', '.join(map(str, self.choices[choice]))}")
            found[choice] = option
        missing = [choice for choice in self.choices if choice not in found]
        if missing:
            raise self.outside(text, f"{missing[0]} is missing")
        return found

    def build(self, architecture: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """Return the untrained network: the one method to write."""
        raise NotImplementedError(f"{type(self).__name__} does not say how to build a network")

    def parse(self, text: str) -> str:
        """Return the canonical text: the choices in the order of the space."""
        return self.encode(self.decode(text))

    def sample(self, rng: Random) -> str:
        """Return an architecture drawn uniformly."""
        return self.encode({choice: rng.choice(options) for choice, options in self.choices.items()})

    def enumerate(self) -> Iterator[str]:
        """Yield every architecture once, the last choice changing fastest."""
        for options in itertools.product(*self.choices.values()):
            yield self.encode(dict(zip(self.choices, options, strict=True)))

    def neighbours(self, architecture: str) -> list[str]:
        """Return the architectures that differ in one choice."""
        own = self.decode(architecture)
        return [
            self.encode({**own, choice: option})
            for choice, options in self.choices.items()
            for option in options
            if option != own[choice]
        ]

    def crossover(self, first: str, second: str, rng: Random) -> str:
        """Return an architecture that takes every choice from either parent with equal chance."""
        parents = self.decode(first), self.decode(second)
        return self.encode({choice: rng.choice(parents)[choice] for choice in self.choices})
