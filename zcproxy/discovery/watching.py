"""Epochs of a fit as a callback sees them, in the log and on standard error."""

from __future__ import annotations

import logging
import math
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from zcproxy.discovery.splits import Split
from zcproxy.errors import ConfigurationError
from zcproxy.evolve.directory import State
from zcproxy.evolve.standing import Standing, Standings, best_of
from zcproxy.notebook.bar import Bar, in_notebook
from zcproxy.storage.notices import LOGGER
from zcproxy.text.visible import shortened
from zcproxy.user_code.border import running

LONGEST = 100
"""Characters of a formula in a line."""


@dataclass(frozen=True)
class Epoch:
    """What a callback is given after each epoch.

    Attributes:
        number: from 1.
        part: the networks that formulas evolved on: `split 2 of 9`, or `all labels`.
        generations: that were evolved on them.
        formula: the best on these networks.
        size: its nodes.
        training_tau: Kendall's tau there; with several tasks, halfway between the worst and the mean of all goals.
        validation_tau: on the networks that the split left out, or that are kept for validation; NaN where there are
            none.
        seconds: since the fit began.
        formulas_per_second: formulas evaluated, distinct ones of each island, per second of this epoch; NaN where a run
            was resumed before it.
        settings: what the fit was called with, by name, as far as it is made of numbers and texts.
    """

    number: int
    part: str
    generations: int
    formula: str
    size: int
    training_tau: float
    validation_tau: float
    seconds: float
    formulas_per_second: float = math.nan
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def __str__(self) -> str:
        left_out = "" if math.isnan(self.validation_tau) else f", {self.validation_tau:.3f} on networks left out"
        taus = f"training tau {self.training_tau:.3f}{left_out}"
        return f"epoch {self.number}, {self.part}, {self.seconds:.0f} s: {taus}, {shortened(self.formula, LONGEST)}"


Callback = Callable[[Epoch], bool | None]
"""Called after each epoch; True ends the evolution early. Its method `close`, if it has one, is called at the end."""


class Watching:
    """Observer of a fit: hands epochs to the user's callback.

    Args:
        callback: see `Callback`; None for none.
        generations: of every island on a split.
        verbose: whether what is logged is shown although the program does not handle the log.
        settings: see `Epoch`.
        part: what an epoch that is not of a split evolves on.

    Attributes:
        epochs: those so far.
    """

    def __init__(
        self,
        callback: Callback | None,
        generations: int,
        *,
        verbose: bool,
        settings: Mapping[str, Any] | None = None,
        part: str = "all labels",
    ) -> None:
        self._callback, self._generations, self._verbose = callback, generations, verbose
        self._settings, self._part = dict(settings or {}), part
        self._started = self._epoch_started = time.monotonic()
        self._evaluations: int | None = None
        self._best: Standing | None = None
        self._bar = Bar() if verbose and in_notebook() else None
        self.epochs: list[Epoch] = []

    def step(self, what: str, done: int, total: int) -> None:
        """Say that some work begins, and show in a notebook how much of it is done."""
        if self._bar is not None:
            self._bar.step(what, done, total)
        if done == 0 and total:
            self.saying(f"{what}: {total}")
        if "evolving" not in what:  # what is measured before an epoch does not slow it down
            self._epoch_started = time.monotonic()

    def standing(self, hall: Standings) -> None:
        """Look at the best formula on networks that are kept for validation, if somebody is told of it."""
        self._best = best_of(hall())

    def evolving(self, state: State, formula: str, merit: float, seconds_left: float | None) -> bool:
        """Hand on an epoch on all labels."""
        before = 0 if state.epoch == 1 else self._evaluations
        evaluations = None if before is None else state.evaluations - before
        self._evaluations = state.evaluations
        known = self._best
        size, validation = (0, math.nan) if known is None else (known.size, known.validation_tau)
        number = max(len(self.epochs) + 1, state.epoch)
        return self._over(number, self._part, state.generations, (formula, size), (merit, validation), evaluations)

    def saying(self, text: str) -> None:
        """Log a line."""
        if self._verbose and self._bar is None and not (LOGGER.isEnabledFor(logging.INFO) and LOGGER.hasHandlers()):
            print(f"zcproxy: {text}", file=sys.stderr)
        LOGGER.info("%s", text)

    def split(self, split: Split) -> bool:
        """Hand on a split: an epoch on a part of the labels."""
        part = f"split {split.number} of {split.of}"
        best, taus = (split.formula, split.size), (split.training_tau, split.validation_tau)
        return self._over(len(self.epochs) + 1, part, self._generations, best, taus, split.evaluations)

    def close(self) -> None:
        """Tell the callback that no epoch follows."""
        if self._bar is not None:
            self._bar.close()
        ending = getattr(self._callback, "close", None)
        if callable(ending):
            with running("the callback failed when it was closed", ConfigurationError):
                ending()

    def _over(
        self,
        number: int,
        part: str,
        generations: int,
        best: tuple[str, int],
        taus: tuple[float, float],
        evaluations: int | None,
    ) -> bool:
        now = time.monotonic()
        rate = math.nan if evaluations is None else evaluations / max(now - self._epoch_started, 1e-9)
        self._epoch_started = now
        epoch = Epoch(number, part, generations, *best, *taus, now - self._started, rate, self._settings)
        self.epochs.append(epoch)
        if self._bar is not None:
            self._bar.note(str(epoch))
        self.saying(str(epoch))
        if self._callback is None:
            return False
        with running(f"the callback failed after epoch {epoch.number}", ConfigurationError):
            found: object = self._callback(epoch)
        return isinstance(found, bool | np.bool_) and bool(found)
