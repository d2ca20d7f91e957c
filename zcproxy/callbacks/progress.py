"""The progress of work called from Python: a bar in a notebook, plain lines elsewhere."""

from __future__ import annotations

import math
import sys

from zcproxy.callbacks.lines import Lines, clock
from zcproxy.evolve.directory import State
from zcproxy.evolve.standing import Standing, Standings, best_of
from zcproxy.notebook.bar import Bar, in_notebook
from zcproxy.text.visible import shortened, visible

LONGEST = 60
"""Characters of a formula in a line."""


class Progress:
    """Shows the progress of `zcproxy.discover`, `zcproxy.evolve` or `zcproxy.table`, for their `observer=`.

    In a notebook it is a bar above a line on the best formula so far, elsewhere a line on standard error now and then.

    Example:
        >>> import zcproxy
        >>> from zcproxy.callbacks import Progress
        >>> proxy = zcproxy.load_proxy("naswot")
        >>> found = zcproxy.table("digits201", [proxy], zcproxy.Plan(networks=12), observer=Progress())
    """

    def __init__(self) -> None:
        self._bar = Bar() if in_notebook() else None
        self._lines = Lines(_say)
        self._best: Standing | None = None

    def step(self, what: str, done: int, total: int) -> None:
        """Show how much of some work is done."""
        if self._bar is None:
            self._lines.step(what, done, total)
        else:
            self._bar.step(what, done, total)

    def standing(self, hall: Standings) -> None:
        """Keep the best formula for the next line."""
        self._best = best_of(hall())

    def evolving(self, state: State, formula: str, merit: float, seconds_left: float | None) -> None:
        """Show the best formula after an epoch, and the time left."""
        self.saying(evolving_line(state, merit, self._best, seconds_left))

    def saying(self, text: str) -> None:
        """Show a line."""
        if self._bar is None:
            _say(text)
        else:
            self._bar.note(text)


def evolving_line(state: State, merit: float, best: Standing | None, seconds_left: float | None) -> str:
    """Return a line on a run after an epoch.

    Args:
        state: after it.
        merit: of the best formula on the training networks.
        best: the formula; None where nobody asked for the hall of fame.
        seconds_left: None where time is not limited.
    """
    left = "" if seconds_left is None else f"  {clock(seconds_left)} left"
    tau = math.nan if best is None else best.validation_tau
    validation = "" if math.isnan(tau) else f"  validation {tau:.3f}"
    formula = "" if best is None else f"  {shortened(best.formula, LONGEST)}"
    counts = f"generation {state.generations:4d}  {state.evaluations:9,d} formulas"
    return f"{counts}  training tau {merit:.3f}{validation}{left}{formula}"


def _say(text: str) -> None:
    print(f"zcproxy: {visible(text)}", file=sys.stderr)
