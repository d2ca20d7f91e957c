"""Evaluates architectures: each quantity of each is measured once, and noted as soon as it is known."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from zcproxy.columns.context import Context
from zcproxy.columns.store import ColumnStore
from zcproxy.columns.sweep import TooLargeError, sweep_fitting, sweep_into
from zcproxy.contracts.measurements import Measurements
from zcproxy.contracts.task import Task
from zcproxy.formula.evaluate import Evaluator
from zcproxy.primitives import parse
from zcproxy.search.quantities.networks import (
    LATENCY,
    MEASURES,
    ON_DEVICE,
    NetworkMeasurer,
    measure_by_setting,
    measure_networks,
)
from zcproxy.storage.cache_directory import default_cache
from zcproxy.storage.notices import notice
from zcproxy.workers.jobs import in_order
from zcproxy.workers.pool import feeder

Array = NDArray[np.float64]
Row = dict[str, float]

Measured = tuple[str, Row, float]
"""An architecture, quantities of it, and the seconds that measuring them took."""

CHUNK = 4
"""Networks that are measured between two notes: what a killed search can lose for each worker."""


class Source(Protocol):
    """Measures some quantities of architectures together."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the quantities."""
        ...

    def rows(self, architectures: Sequence[str]) -> Iterator[tuple[list[str], list[Row], float]]:
        """Yield some architectures, their quantities and the seconds that measuring took, until all are done."""
        ...


class Networks:
    """Builds and measures networks, in worker processes where there are some.

    Args:
        measure: one of `MEASURES`.
        measurer: what is built.
        executor: executor of processes that know the subject by its reference; None measures in this process.
        names: names of the quantities, where they follow from the setting.
    """

    def __init__(
        self, measure: str, measurer: NetworkMeasurer, executor: Executor | None, names: Sequence[str] = ()
    ) -> None:
        self.names = tuple(names) or MEASURES[measure][0]
        self._measure, self._measurer = measure, measurer
        executor = feeder(executor, measurer.setting.device if measure in ON_DEVICE else "cpu")
        self._executor = None if LATENCY in self.names else executor  # other work would be timed too

    def rows(self, architectures: Sequence[str]) -> Iterator[tuple[list[str], list[Row], float]]:
        """Yield chunk after chunk, in the order given."""
        chunks = [list(architectures[start : start + CHUNK]) for start in range(0, len(architectures), CHUNK)]
        here = self._executor is None
        what = (measure_networks, self._measurer) if here else (measure_by_setting, self._measurer.setting)
        jobs = [(what[1], self._measure, chunk) for chunk in chunks]
        started = time.perf_counter()
        for chunk, found in zip(chunks, in_order(self._executor, what[0], jobs), strict=True):
            yield chunk, found, time.perf_counter() - started
            started = time.perf_counter()


class ColumnScores:
    """Scores networks of a task by columns of the store: what was ever measured is not measured again.

    Args:
        formulas: text of each proxy, by the name of its quantity.
        context: task, batch size, initialisation and device.
        executor: where networks are measured.
        cache: the cache directory; the default one if None.
    """

    def __init__(
        self, formulas: Mapping[str, str], context: Context, executor: Executor | None, cache: Path | None
    ) -> None:
        self.names, self._executor = tuple(formulas), executor
        self._formulas = [parse(text) for text in formulas.values()]
        self._store = ColumnStore(cache or default_cache(), context)

    def rows(self, architectures: Sequence[str]) -> Iterator[tuple[list[str], list[Row], float]]:
        """Yield all at once: the store notes what is measured on the way."""
        started = time.perf_counter()
        columns = list(dict.fromkeys(column for formula in self._formulas for column in formula.columns()))
        scores = np.full((len(self._formulas), len(architectures)), np.nan)
        measuring = partial(sweep_into, self._store, columns=columns, executor=self._executor)
        try:
            table, places, reasons = sweep_fitting(measuring, architectures)
        except TooLargeError as error:
            reasons = error.reasons
        else:
            evaluator = Evaluator(table.counts, table.values, table.blocks, table.connections)
            scores[:, places] = [evaluator(formula) for formula in self._formulas]
        for reason in reasons.values():
            notice(f"no score: {reason}")
        rows = [dict(zip(self.names, map(float, row), strict=True)) for row in scores.T]
        yield list(architectures), rows, time.perf_counter() - started


@dataclass(frozen=True)
class Tabulated:
    """Reads quantities off a table.

    Attributes:
        names: names of the quantities.
        read: returns one array per architecture for each.
    """

    names: tuple[str, ...]
    read: Callable[[Sequence[str]], Mapping[str, Array]]

    def rows(self, architectures: Sequence[str]) -> Iterator[tuple[list[str], list[Row], float]]:
        """Yield all at once."""
        started = time.perf_counter()
        found = self.read(architectures)
        rows = [{name: float(found[name][index]) for name in self.names} for index in range(len(architectures))]
        yield list(architectures), rows, time.perf_counter() - started


def labels_of(task: Task, name: str) -> Tabulated:
    """Return the accuracies of a benchmark under a name; NaN for networks without one."""
    known = frozenset(task.architectures("all"))

    def read(architectures: Sequence[str]) -> Mapping[str, Array]:
        found = np.full(len(architectures), np.nan)
        places = [place for place, architecture in enumerate(architectures) if architecture in known]
        found[places] = task.labels([architectures[place] for place in places])
        return {name: found}

    return Tabulated((name,), read)


def looked_up(table: Measurements, name: str) -> Tabulated:
    """Return a quantity of a look-up table."""
    table.check(name)
    return Tabulated((name,), lambda architectures: {name: table.values(name, architectures)})


@dataclass
class Quantities:
    """Measures what is requested and not known yet.

    Attributes:
        sources: what measures each quantity, by its name.
        note: called with what was just measured.
        known: quantities by architecture.
        seconds: what measuring each architecture has taken.
        measuring: seconds that went by while measuring, in this process's life.
    """

    sources: Mapping[str, Source]
    note: Callable[[Sequence[Measured]], None]
    known: dict[str, Row] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    measuring: float = 0.0

    def values(self, architectures: Sequence[str], names: Iterable[str]) -> dict[str, Array]:
        """Return quantities of architectures, one array per architecture for each; NaN where one is undefined.

        Raises:
            ZcproxyError: a source cannot measure at all.
        """
        wanted = list(names)
        for source in dict.fromkeys(self.sources[name] for name in wanted):
            own = [name for name in source.names if name in wanted]
            distinct = dict.fromkeys(architectures)
            lacking = [item for item in distinct if not all(name in self.known.get(item, {}) for name in own)]
            if lacking:
                for measured, rows, seconds in source.rows(lacking):
                    found = [(item, row, seconds / len(measured)) for item, row in zip(measured, rows, strict=True)]
                    self.note(found)
                    self.add(found)
                    self.measuring += seconds
        return {name: np.array([self.known[item][name] for item in architectures], np.float64) for name in wanted}

    def take_over(self, measurements: Iterable[Measured]) -> None:
        """Add and note what others measured, where it is not known."""
        taken = []
        for architecture, row, seconds in measurements:
            new = {name: value for name, value in row.items() if name not in self.known.get(architecture, {})}
            if new:
                self.add([(architecture, new, seconds)])
                taken.append((architecture, new, seconds))
        if taken:
            self.note(taken)

    def add(self, measurements: Iterable[Measured]) -> None:
        """Add what was measured."""
        for architecture, row, seconds in measurements:
            self.known.setdefault(architecture, {}).update(row)
            self.seconds[architecture] = self.seconds.get(architecture, 0.0) + seconds
