"""Random search: what every other algorithm has to be better than (Li and Talwalkar, UAI 2019, arXiv 1902.07638)."""

from __future__ import annotations

from collections.abc import Sequence

from zcproxy.search.algorithms.ask_tell import Proposer
from zcproxy.search.goals import Candidate


class RandomSearch:
    """Draws distinct architectures uniformly.

    Args:
        proposer: proposer of the space.
        batch: architectures per question.
        start: architectures to begin with.
    """

    def __init__(self, proposer: Proposer, batch: int, start: Sequence[str]) -> None:
        self._proposer, self._batch = proposer, batch
        self._waiting = list(start)

    def ask(self) -> list[str]:
        """Return the next architectures."""
        asked, self._waiting = self._waiting, []
        return asked or self._proposer.fresh(self._batch)

    def tell(self, outcomes: Sequence[Candidate]) -> None:
        """Learn nothing."""
