"""The observer of a run: it is called with the progress."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from zcproxy.evolve.directory import State
from zcproxy.evolve.standing import Standing, Standings


class Observer(Protocol):
    """Shows the progress of a run; its methods are called from the main process alone."""

    def step(self, what: str, done: int, total: int) -> None:
        """Show how much of some work is done: see `zcproxy.workers.progress.Step`."""

    def evolving(self, state: State, formula: str, merit: float, seconds_left: float | None) -> bool | None:
        """An epoch is over: the best formula on the training networks, its merit, and the time left to evolve.

        True ends the run, as a limit does that is reached.
        """

    def standing(self, hall: Standings) -> None:
        """An epoch is over, which `evolving` tells next: the hall of fame, for those who show it."""

    def saying(self, text: str) -> None:
        """Another message that is worth a line."""


class Silent:
    """Shows nothing."""

    def step(self, what: str, done: int, total: int) -> None:
        pass

    def evolving(self, state: State, formula: str, merit: float, seconds_left: float | None) -> None:
        pass

    def standing(self, hall: Standings) -> None:
        pass

    def saying(self, text: str) -> None:
        pass


class Together:
    """Tells several observers everything, in order; the run ends where one of them ends it."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def step(self, what: str, done: int, total: int) -> None:
        for each in self._observers:
            each.step(what, done, total)

    def evolving(self, state: State, formula: str, merit: float, seconds_left: float | None) -> bool:
        answers = [each.evolving(state, formula, merit, seconds_left) for each in self._observers]
        return True in answers

    def standing(self, hall: Standings) -> None:
        found: list[Sequence[Standing]] = []

        def once() -> Sequence[Standing]:
            if not found:
                found.append(hall())
            return found[0]

        for each in self._observers:
            each.standing(once)

    def saying(self, text: str) -> None:
        for each in self._observers:
            each.saying(text)
