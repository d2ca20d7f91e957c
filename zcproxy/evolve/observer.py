"""The observer of a run: it is called with the progress."""

from __future__ import annotations

from typing import Protocol

from zcproxy.evolve.directory import State


class Observer(Protocol):
    """Shows the progress of a run; its methods are called from the main process alone."""

    def step(self, what: str, done: int, total: int) -> None:
        """Show how much of some work is done: see `zcproxy.workers.progress.Step`."""

    def evolving(self, state: State, formula: str, merit: float, seconds_left: float | None) -> bool | None:
        """An epoch is over: the best formula on the training networks, its merit, and the time left to evolve.

        True ends the run, as a limit does that is reached.
        """

    def saying(self, text: str) -> None:
        """Another message that is worth a line."""


class Silent:
    """Shows nothing."""

    def step(self, what: str, done: int, total: int) -> None:
        pass

    def evolving(self, state: State, formula: str, merit: float, seconds_left: float | None) -> None:
        pass

    def saying(self, text: str) -> None:
        pass
