"""Scores of candidates on networks of a task, a super-network or a space, as they are needed for a choice."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from zcproxy.columns.context import Context
from zcproxy.columns.sweep import CHUNK, measure_architectures, sweep
from zcproxy.columns.table import ColumnTable, table_of
from zcproxy.contracts.task import Task
from zcproxy.formula import Node
from zcproxy.formula.evaluate import Evaluator
from zcproxy.names.subjects import Subject, get_subject
from zcproxy.probing.measure import Measurement
from zcproxy.proxy.proxy import Proxy
from zcproxy.ranking.scoring import Setting, columns_by_setting, setting_of
from zcproxy.workers.jobs import in_order
from zcproxy.workers.pool import dead_workers_reported, feeder
from zcproxy.workers.progress import Progress, silent

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Source:
    """The source of networks, as the user names it: other processes find it again by that.

    Attributes:
        reference: see `zcproxy.names.subjects.get_subject`.
        input_shape: shape of a sample, for a space without a dataset.
        classes: for such a space.
    """

    reference: str
    input_shape: tuple[int, ...] | None = None
    classes: int = 10

    def subject(self) -> Subject:
        """Return what networks are built from."""
        return get_subject(self.reference, self.input_shape, self.classes)


@dataclass(frozen=True)
class Measuring:
    """How networks are measured.

    Attributes:
        source: where they come from.
        device: `cpu` or `cuda`.
        images: token of the user's images, see `zcproxy.images.own`; empty for what is at hand.
        executor: where networks are measured; None for this process.
        cache: the cache directory; the default one if None.
        progress: called after each chunk of networks.
    """

    source: Source
    device: str = "cpu"
    images: str = ""
    executor: Executor | None = None
    cache: Path | None = None
    progress: Progress = silent

    def scores(self, proxies: Sequence[Proxy], architectures: Sequence[str], initialisation: int) -> Array:
        """Return proxies x networks, NaN where a score is undefined.

        Networks of a task are measured into the store of columns; those of anything else, which has no fingerprint, are
        measured anew.

        Args:
            proxies: measured with the batch size that each asks for.
            architectures: canonical texts.
            initialisation: index of the random initialisation.

        Raises:
            ModelError: a network cannot be measured.
        """
        found = np.full((len(proxies), len(architectures)), np.nan)
        for setting, columns in columns_by_setting(proxies).items():
            table = self._table(setting, columns, architectures, initialisation)
            evaluator = Evaluator(table.counts, table.values, table.blocks)
            for place, proxy in enumerate(proxies):
                if setting_of(proxy) == setting:
                    found[place] = evaluator(proxy.formula)
        return found

    def _table(
        self, setting: Setting, columns: Sequence[Node], architectures: Sequence[str], initialisation: int
    ) -> ColumnTable:
        subject = self.source.subject()
        if hasattr(subject, "fingerprint"):
            context = self._context(subject, setting, initialisation)
            return sweep(
                context, architectures, columns, executor=self.executor, cache=self.cache, progress=self.progress
            )
        texts = [str(column) for column in columns]
        chunks = [list(architectures[start : start + CHUNK]) for start in range(0, len(architectures), CHUNK)]
        plain = (self.source, setting, initialisation, self.device, self.images)
        measured: list[Measurement] = []
        with dead_workers_reported():
            jobs = [(*plain, chunk, texts) for chunk in chunks]
            for part in in_order(feeder(self.executor, self.device), _measure_by_reference, jobs):
                measured += part
                self.progress(len(measured), len(architectures))
        return table_of(measured, columns)

    def _context(self, subject: Subject, setting: Setting, initialisation: int) -> Context:
        return _context(subject, setting, initialisation, self.device, self.images)


def _measure_by_reference(
    source: Source,
    setting: Setting,
    initialisation: int,
    device: str,
    images: str,
    architectures: Sequence[str],
    texts: Sequence[str],
) -> list[Measurement]:
    """Measure networks in a process that knows their source by name; the job that a worker runs."""
    context = _context(_subject(source), setting, initialisation, device, images)
    return measure_architectures(context, architectures, texts)


def _context(subject: Subject, setting: Setting, initialisation: int, device: str, images: str) -> Context:
    return Context(cast(Task, subject), setting.batch_size, initialisation, device, images, setting.rule)


@cache
def _subject(source: Source) -> Subject:
    return source.subject()
