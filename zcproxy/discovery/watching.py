"""Epochs of a fit as a callback sees them, in the log and on standard error."""

from __future__ import annotations

import logging
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from zcproxy.discovery.splits import Split
from zcproxy.errors import ConfigurationError
from zcproxy.evolve.directory import State
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
        training_tau: Kendall's tau there; with `families`, halfway between the worst and the mean of all goals.
        validation_tau: on the networks that the split left out; NaN where there is none.
        seconds: since the fit began.
    """

    number: int
    part: str
    generations: int
    formula: str
    training_tau: float
    validation_tau: float
    seconds: float

    def __str__(self) -> str:
        left_out = "" if math.isnan(self.validation_tau) else f", {self.validation_tau:.3f} on networks left out"
        taus = f"training tau {self.training_tau:.3f}{left_out}"
        return f"epoch {self.number}, {self.part}, {self.seconds:.0f} s: {taus}, {shortened(self.formula, LONGEST)}"


Callback = Callable[[Epoch], bool | None]
"""Called after each epoch; True ends the evolution early."""


class Watching:
    """Observer of a fit: hands epochs to the user's callback.

    Args:
        callback: see `Callback`; None for none.
        generations: of every island on a split.
        verbose: whether what is logged is shown although the program does not handle the log.

    Attributes:
        epochs: those so far.
    """

    def __init__(self, callback: Callback | None, generations: int, *, verbose: bool) -> None:
        self._callback, self._generations, self._verbose = callback, generations, verbose
        self._started = time.monotonic()
        self.epochs: list[Epoch] = []

    def step(self, what: str, done: int, total: int) -> None:
        """Say that some work begins."""
        if done == 0 and total:
            self.saying(f"{what}: {total}")

    def evolving(self, state: State, formula: str, merit: float, seconds_left: float | None) -> bool:
        """Hand on an epoch on all labels."""
        return self._over("all labels", state.generations, formula, merit, math.nan)

    def saying(self, text: str) -> None:
        """Log a line."""
        if self._verbose and not (LOGGER.isEnabledFor(logging.INFO) and LOGGER.hasHandlers()):
            print(f"zcproxy: {text}", file=sys.stderr)
        LOGGER.info("%s", text)

    def split(self, split: Split) -> bool:
        """Hand on a split: an epoch on a part of the labels."""
        part = f"split {split.number} of {split.of}"
        return self._over(part, self._generations, split.formula, split.training_tau, split.validation_tau)

    def _over(self, part: str, generations: int, formula: str, training: float, validation: float) -> bool:
        seconds = time.monotonic() - self._started
        epoch = Epoch(len(self.epochs) + 1, part, generations, formula, training, validation, seconds)
        self.epochs.append(epoch)
        self.saying(str(epoch))
        if self._callback is None:
            return False
        with running(f"the callback failed after epoch {epoch.number}", ConfigurationError):
            found: object = self._callback(epoch)
        return isinstance(found, bool | np.bool_) and bool(found)
