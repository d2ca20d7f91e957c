"""The columns of a run: measured before it evolves, and those that its best formulas propose on the way."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path

from zcproxy.columns.context import Context
from zcproxy.columns.sweep import sweep
from zcproxy.columns.table import ColumnTable
from zcproxy.evolve.configuration import Configuration
from zcproxy.evolve.directory import State
from zcproxy.evolve.invariance import conditions_of, varied_networks
from zcproxy.evolve.observer import Observer
from zcproxy.evolve.proposals import propose_columns, useful_columns
from zcproxy.evolve.sample import Sample
from zcproxy.formula import Node
from zcproxy.images.image_sets import ImageSet
from zcproxy.names.tasks import get_task
from zcproxy.primitives import parse
from zcproxy.workers.progress import Step

LEAST_PACE = 0.3
"""Seconds per network that the final test is expected to take where the columns of the run were all known already."""

PROPOSED_FOR_EACH = 5
"""Expressions proposed for each new column wanted: most are undefined somewhere."""

SCREENING_NETWORKS = 8
"""Networks that the proposed expressions are tried on before the others are measured."""


class RunColumns:
    """Measures the columns of a run.

    Args:
        configuration: configuration of the run.
        samples: its networks, by task.
        images: what each task is shown.
        cache: the cache directory.
        observer: called with the progress of the sweeps.

    Attributes:
        contexts: what the columns of each task depend on.
        varied: the networks of each task that are measured under other conditions too.
        pace: seconds that a network takes, as far as is known.
    """

    def __init__(
        self,
        configuration: Configuration,
        samples: Mapping[str, Sample],
        images: Mapping[str, ImageSet],
        cache: Path,
        observer: Observer,
    ) -> None:
        self._configuration, self._samples = configuration, samples
        self._cache, self._observer = cache, observer
        self.contexts = {
            name: Context(get_task(name), configuration.batch_size, 0, configuration.device, images[name].token)
            for name in samples
        }
        self._conditions = {
            name: conditions_of(self.contexts[name], configuration.invariance) for name in configuration.tasks
        }
        self.varied = {name: varied_networks(samples[name].fitted) for name in configuration.tasks}
        self.pace = LEAST_PACE

    def measure(self, executor: Executor | None, columns: Sequence[str]) -> None:
        """Measure columns of all labelled networks."""
        started = time.monotonic()
        networks = 0

        def counting(task: str, done: int, total: int) -> None:
            nonlocal networks
            networks += done == total and total
            self._observer.step(task, done, total)

        for name in self._configuration.tasks:
            self.table(executor, name, self._samples[name].fitted, [parse(text) for text in columns], counting)
        if networks:
            self.pace = max(LEAST_PACE, (time.monotonic() - started) / networks)
        self._measure_varied(executor, [parse(text) for text in columns])

    def _measure_varied(self, executor: Executor | None, columns: Sequence[Node]) -> None:
        """Measure columns of some labelled networks under the other conditions."""
        for name in self._configuration.tasks:
            for condition, context in zip(self._configuration.invariance, self._conditions[name], strict=True):
                progress = partial(self._observer.step, f"measuring {name}, other {condition}")
                sweep(context, self.varied[name], columns, executor=executor, cache=self._cache, progress=progress)

    def proposed(self, executor: Executor | None, state: State, formulas: Sequence[Node]) -> list[str]:
        """Return useful columns that formulas propose, measured."""
        wanted = self._configuration.new_columns
        found = propose_columns(
            formulas,
            map(parse, state.columns),
            PROPOSED_FOR_EACH * wanted,
            seed_names=(self._configuration.seed, state.epoch),
            accept=self._configuration.admits,
        )
        screened = self._useful(executor, found, networks=SCREENING_NETWORKS)[:wanted]
        self._observer.saying(f"measuring {len(screened)} new layer-level expressions of {len(found)} proposed")
        useful = self._useful(executor, screened)
        self._measure_varied(executor, useful)
        return [str(column) for column in useful]

    def _useful(self, executor: Executor | None, columns: Sequence[Node], networks: int | None = None) -> list[Node]:
        """Return the columns that are finite and not constant on the networks, or on about so many of each task."""
        tables = []
        for name in self._configuration.tasks:
            fitted = self._samples[name].fitted
            step = len(fitted) // networks if networks else 1  # equivalent networks stand beside each other
            tables.append(self.table(executor, name, fitted[::step], columns))
        return useful_columns(tables, columns)

    def table(
        self,
        executor: Executor | None,
        task: str,
        architectures: Sequence[str],
        columns: Sequence[Node],
        progress: Step | None = None,
    ) -> ColumnTable:
        """Return columns of some networks of a task."""
        return sweep(
            self.contexts[task],
            architectures,
            columns,
            executor=executor,
            cache=self._cache,
            progress=partial(progress or self._observer.step, f"measuring {task}"),
        )
