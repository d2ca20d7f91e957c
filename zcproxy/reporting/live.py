"""The page of a run while it goes on: an observer that writes it again after every epoch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from zcproxy.errors import ZcproxyError
from zcproxy.evolve.directory import RunDirectory, State
from zcproxy.evolve.observer import Observer
from zcproxy.evolve.sample import Sample
from zcproxy.evolve.standing import Standings
from zcproxy.evolve.start import draw_samples
from zcproxy.reporting.evolve_page import evolve_page
from zcproxy.reporting.report import PAGE, check_installed
from zcproxy.storage.cache_directory import default_cache
from zcproxy.storage.files import write_text

REFRESH_SECONDS = 5
"""Seconds after which a browser reads the page of a run that goes on again."""


class LiveReport:
    """Tells another observer everything, and writes the page after every epoch.

    A page that cannot be written does not stop the run: the observer is told once.

    Args:
        observer: of the run.
        path: the run directory.
        cache: the cache directory; the default one if None.

    Raises:
        ConfigurationError: a package that pages need is not installed.
    """

    def __init__(self, observer: Observer, path: Path, cache: Path | None = None) -> None:
        check_installed("a report")
        self._observer, self._path, self._cache = observer, path, cache or default_cache()
        self._has_failed = False
        self._samples: Mapping[str, Sample] | None = None

    def step(self, what: str, done: int, total: int) -> None:
        """Pass on how much of some work is done."""
        self._observer.step(what, done, total)

    def evolving(self, state: State, formula: str, merit: float, seconds_left: float | None) -> bool | None:
        """Pass on that an epoch is over, and write the page; return whether the other observer ends the run."""
        ends = self._observer.evolving(state, formula, merit, seconds_left)
        try:
            if self._samples is None:
                self._samples = draw_samples(RunDirectory(self._path).configuration())
            page = evolve_page(self._path, self._cache, refresh_seconds=REFRESH_SECONDS, samples=self._samples)
            write_text(self._path / PAGE, page)
        except ZcproxyError as error:
            if not self._has_failed:
                self._observer.saying(f"no report: {error}")
            self._has_failed = True
        return ends

    def standing(self, hall: Standings) -> None:
        """Pass on the hall of fame."""
        self._observer.standing(hall)

    def saying(self, text: str) -> None:
        """Pass on a message."""
        self._observer.saying(text)
