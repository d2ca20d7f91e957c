"""Progress as plain lines, now and then: for files, pipes and logs of jobs, which no bar can be drawn in."""

from __future__ import annotations

import time
from collections.abc import Callable

EVERY_SECONDS = 15.0
"""Seconds between two lines of the same work."""


class Lines:
    """Says how much of some work is done: every quarter of a minute, and when it is over.

    Args:
        say: shows a line.
        every: seconds between two lines of the same work.
    """

    def __init__(self, say: Callable[[str], None], every: float = EVERY_SECONDS) -> None:
        self._say, self._every = say, every
        self._what = ""
        self._started = self._said = 0.0
        self._first: tuple[float, int] | None = None

    def step(self, what: str, done: int, total: int) -> None:
        """Take note of how much is done, and say it where that is due."""
        now = time.monotonic()
        if total == 0:
            return
        if done == 0 or what != self._what:
            self._what, self._started, self._said, self._first = what, now, now, None
        if done and self._first is None:
            self._first = now, done
        spent = now - self._started
        if done >= total:
            self._say(f"{what}: {total:,} of {total:,}, {clock(spent)}")
            self._what = ""
        elif now - self._said >= self._every and done:
            self._said = now
            self._say(f"{what}: {done:,} of {total:,}{self._left(now, done, total)}")

    def _left(self, now: float, done: int, total: int) -> str:
        """Return the time left, by what was done since the first: before it, workers started."""
        since, first = self._first or (now, done)
        if done == first:
            return ""
        return f", {clock((now - since) * (total - done) / (done - first))} left"


def clock(seconds: float) -> str:
    """Return seconds as minutes and seconds, `3:05`, or hours before them."""
    whole = max(0, round(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"
