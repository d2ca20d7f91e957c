"""Everything that accompanies a run of `zcproxy evolve`: the terminal, `run.toml`, `--log` and `--report`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from zcproxy.cli.display import RunDisplay
from zcproxy.cli.logs import logging_observer
from zcproxy.cli.run_file import RunOptions
from zcproxy.discovery.splits import Watch, go_on
from zcproxy.discovery.watching import Watching
from zcproxy.evolve.observer import Observer, Together


class RunWatch:
    """Makes the observers of a run once its directory is known.

    Args:
        context: of the command, before it changes its parameters.
        display: shows progress.

    Attributes:
        display: see above.
        observer: of the run.
        options: what `run.toml` is to hold; empty where the run that is resumed has no such file.
    """

    def __init__(self, context: typer.Context, display: RunDisplay) -> None:
        self.display = display
        self.observer: Observer = display
        self.options = ""
        self._given = dict(context.params)
        self._asked = RunOptions.of(context)
        self._logs: Watching | None = None

    @contextmanager
    def over(self, path: Path, **in_effect: Any) -> Iterator[None]:
        """Watch a run in a directory.

        Args:
            path: the directory.
            in_effect: values by option that the command decided on; limits that have grown, where a run is resumed.
        """
        options = self._asked.of_run(self._given["resume_from"], **in_effect)
        self.options = "" if options is None else options.text()
        self._logs = logging_observer(self._given, path, (options or self._asked).values)
        self.observer = self.display if self._logs is None else Together(self.display, self._logs)
        if self._given["report"] and not self._given["models"]:
            from zcproxy.reporting.live import LiveReport

            self.observer = LiveReport(self.observer, path)
        try:
            yield
        finally:
            if self._logs is not None:
                self._logs.close()

    @property
    def split(self) -> Watch:
        """What is called after each split of few labels."""
        return go_on if self._logs is None else self._logs.split
