"""Regularised evolution: a queue of architectures, of which the oldest dies.

E. Real, A. Aggarwal, Y. Huang, Q. V. Le: Regularized Evolution for Image Classifier Architecture Search (AAAI 2019,
arXiv 1802.01548), algorithm 1.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from zcproxy.search.algorithms.ask_tell import MOST_DRAWS, Proposer
from zcproxy.search.goals import Candidate

TOURNAMENT = 0.25
"""Share of the population that a parent is the best of."""


class RegularisedEvolution:
    """Mutates the best of a random part of the population, for one objective.

    Args:
        proposer: proposer of the space.
        population: architectures alive at a time.
        start: architectures of the first population; random ones fill it up.
        children: architectures per question: one in the paper, more where they are evaluated side by side.
    """

    def __init__(self, proposer: Proposer, population: int, start: Sequence[str], children: int = 4) -> None:
        self._proposer, self._size, self._children = proposer, population, children
        self._start = list(start)
        self._alive: deque[Candidate] = deque(maxlen=population)

    def ask(self) -> list[str]:
        """Return the first population, then children that have not been proposed before."""
        if not self._alive:
            return self._proposer.filled(self._start, self._size)
        return [child for child in (self._child() for _ in range(self._children)) if child is not None]

    def tell(self, outcomes: Sequence[Candidate]) -> None:
        """Add the children; as many of the oldest die."""
        self._alive.extend(outcomes)

    def _child(self) -> str | None:
        """Return a mutant that is new, changed again and again until it is; None if none is found."""
        rng, space = self._proposer.rng, self._proposer.space
        drawn = rng.sample(list(self._alive), max(1, round(TOURNAMENT * len(self._alive))))
        child = min(drawn, key=lambda outcome: outcome.key).architecture
        for _ in range(MOST_DRAWS):
            child = space.mutate(child, rng)
            if child not in self._proposer.known:
                self._proposer.known.add(child)
                return child
        return None
