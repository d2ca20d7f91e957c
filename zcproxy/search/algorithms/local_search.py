"""Local search: go to the best neighbour until there is no better one, then start again elsewhere.

C. White, S. Nolen, Y. Savani: Exploring the Loss Landscape in Neural Architecture Search (UAI 2021, arXiv 2005.02960).
"""

from __future__ import annotations

from collections.abc import Sequence

from zcproxy.search.algorithms.ask_tell import Proposer
from zcproxy.search.goals import Candidate


class LocalSearch:
    """Hill climbing with restarts, for one objective.

    Args:
        proposer: proposer of the space.
        batch: architectures that a climb starts from the best of.
        start: architectures that the first climb starts from the best of; random ones if there are none.
    """

    def __init__(self, proposer: Proposer, batch: int, start: Sequence[str]) -> None:
        self._proposer, self._batch = proposer, batch
        self._waiting = list(start)
        self._here: Candidate | None = None

    def ask(self) -> list[str]:
        """Return all neighbours of where the climb stands that are new, else the start of a new climb."""
        if self._waiting:
            asked, self._waiting = self._waiting, []
            return asked
        if self._here is not None:
            known = self._proposer.known
            near = [item for item in self._proposer.space.neighbours(self._here.architecture) if item not in known]
            known.update(near)
            if near:
                return near
            self._here = None
        return self._proposer.fresh(self._batch)

    def tell(self, outcomes: Sequence[Candidate]) -> None:
        """Go to the best neighbour if it is better than where the climb stands, else end the climb."""
        best = min(outcomes, key=lambda outcome: outcome.key)
        self._here = best if self._here is None or best.key < self._here.key else None
