"""The interface of search algorithms, and the draws that several of them share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

from zcproxy.contracts.task import SearchSpace
from zcproxy.search.goals import Candidate

MOST_DRAWS = 200
"""Draws for each new architecture after which a space is taken to have no more."""


class Algorithm(Protocol):
    """Proposes architectures. Everything random comes from the seed: the same answers give the same questions."""

    def ask(self) -> list[str]:
        """Return architectures to evaluate; none when the algorithm knows nothing more to try."""
        ...

    def tell(self, outcomes: Sequence[Candidate]) -> None:
        """Take the outcomes of the architectures that were asked for last, in their order."""
        ...


@dataclass
class Proposer:
    """Draws architectures of a space that have not been proposed before.

    Attributes:
        space: where they come from.
        rng: generator of all draws.
        known: what has been proposed.
    """

    space: SearchSpace
    rng: Random
    known: set[str]

    def filled(self, start: Sequence[str], count: int) -> list[str]:
        """Return `start`, filled up to `count` with fresh architectures."""
        return [*start, *self.fresh(count - len(start))]

    def fresh(self, count: int) -> list[str]:
        """Return up to `count` architectures drawn from the whole space, none proposed before."""
        found: list[str] = []
        for _ in range(MOST_DRAWS * count):
            if len(found) == count:
                break
            architecture = self.space.sample(self.rng)
            if architecture not in self.known:
                self.known.add(architecture)
                found.append(architecture)
        return found
