"""A space that is a list of networks: what somebody trained, without a rule that leads from one to another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from random import Random

from torch import nn

from zcproxy.contracts.choice_space import BaseSpace
from zcproxy.errors import nearest_names


class ListedSpace(BaseSpace):
    """The networks of a list. Any is one edit away from any other.

    Args:
        name: random choices and initialisations are seeded by it.
        listed: returns the texts of the architectures, each once; asked for when they are first needed.
        make: makes the untrained network of a text.
    """

    def __init__(self, name: str, listed: Callable[[], Sequence[str]], make: Callable[[str], nn.Module]) -> None:
        self.name, self._listed, self._make = name, listed, make

    @cached_property
    def _architectures(self) -> dict[str, None]:
        return dict.fromkeys(self._listed())

    @property
    def size(self) -> int:
        """The number of architectures."""
        return len(self._architectures)

    def parse(self, text: str) -> str:
        """Return the text, without spaces around it, of a network that is listed."""
        found = text if text in self._architectures else text.strip()
        if found not in self._architectures:
            hint = nearest_names(found, self._architectures)
            raise self.outside(text, f"it is none of the {self.size} networks{hint}")
        return found

    def sample(self, rng: Random) -> str:
        """Return one of the networks."""
        return rng.choice(list(self._architectures))

    def enumerate(self) -> Iterator[str]:
        """Yield the networks in the order of the list."""
        yield from self._architectures

    def neighbours(self, architecture: str) -> list[str]:
        """Return all other networks."""
        own = self.parse(architecture)
        return [each for each in self._architectures if each != own]

    def crossover(self, first: str, second: str, rng: Random) -> str:
        """Return one of the two."""
        return self.parse(rng.choice((first, second)))

    def build(self, architecture: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """Return the untrained network; it is made for one shape of inputs and one number of classes."""
        return self._make(self.parse(architecture))
