"""Chooses what measures each quantity of a subject."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from zcproxy.benchmarks.datasets import load_dataset
from zcproxy.columns.context import Context
from zcproxy.contracts.measurements import Measurements
from zcproxy.contracts.super_network import SuperNetwork
from zcproxy.contracts.task import Task
from zcproxy.errors import BenchmarkError, ConfigurationError, nearest_names
from zcproxy.names.subjects import Subject
from zcproxy.search.goals import ACCURACY, PROXY, TRAINED_ACCURACY
from zcproxy.search.measuring import ColumnScores, Networks, Source, Tabulated, labels_of, looked_up
from zcproxy.search.quantities.combined_sources import combined_sources
from zcproxy.search.quantities.lookup import published_look_up, read_look_up
from zcproxy.search.quantities.networks import LATENCY, MACS, PARAMS, PEAK_MEMORY, NetworkMeasurer, Weights

KNOWN = (PROXY, ACCURACY, TRAINED_ACCURACY, PARAMS, MACS, PEAK_MEMORY, LATENCY)
"""Quantities that need no look-up table."""


def sources_of(
    names: Iterable[str], measurer: NetworkMeasurer, table: Path | None, executor: Executor | None, cache: Path | None
) -> dict[str, Source]:
    """Return what measures each quantity, and each proxy that `robot` combines.

    Args:
        names: names of the other quantities.
        measurer: what is searched, and how it is measured.
        table: a look-up table of the user.
        executor: executor of worker processes that know the subject by its reference.
        cache: the cache directory; the default one if None.

    Raises:
        BenchmarkError: a table cannot be read, or does not have a quantity.
        ConfigurationError: the subject has nothing that measures a quantity.
    """
    own_table = None if table is None else read_look_up(table, measurer.subject.space)
    found: dict[str, Source] = {}
    for name in names:
        if name in found:
            continue
        source = _source(name, measurer, own_table, executor, cache)
        found.update(dict.fromkeys(source.names, source))
    for source in combined_sources(measurer, executor, cache, by_columns=_by_columns(measurer)):
        found.update(dict.fromkeys(source.names, source))
    return found


def _by_columns(measurer: NetworkMeasurer) -> bool:
    """Whether scores are of columns, which the store keeps: those of untrained networks of a task."""
    return is_task(measurer.subject) and measurer.setting.weights != Weights.INHERITED


def _source(
    name: str, measurer: NetworkMeasurer, table: Measurements | None, executor: Executor | None, cache: Path | None
) -> Source:
    subject, setting = measurer.subject, measurer.setting
    match name:
        case "proxy":
            if _by_columns(measurer):
                context = Context(
                    cast(Task, subject),
                    setting.proxy_batch_size,
                    setting.initialisation,
                    setting.device,
                    setting.images,
                )
                return ColumnScores({PROXY: setting.formula}, context, executor, cache)
            return Networks("score", measurer, executor)
        case "accuracy":
            if isinstance(subject, SuperNetwork):
                return Networks("validated", measurer, executor)
            if is_task(subject):
                return labels_of(cast(Task, subject), ACCURACY)
            raise ConfigurationError(f"{subject.name} has no measured accuracies: name a benchmark or a super-network")
        case "trained_accuracy":
            if not setting.dataset:
                raise ConfigurationError("'trained_accuracy' needs a dataset to train on: give `dataset`")
            load_dataset(setting.dataset)  # what is wrong with it is said before anything is written
            return Networks("trained", measurer, executor)
        case "params" | "macs":
            return (
                _published_costs(cast(Task, subject)) if _is_tabular(subject) else Networks("costs", measurer, executor)
            )
        case "peak_memory_mb":
            return Networks("memory", measurer, executor)
        case "latency_ms":
            return Networks("latency", measurer, executor)
    return _looked_up(name, subject, table)


def _looked_up(name: str, subject: Subject, table: Measurements | None) -> Source:
    table = table or published_look_up(subject)
    if table is None:
        raise BenchmarkError(
            f"nothing measures '{name}'{nearest_names(name, KNOWN)}: known are {', '.join(KNOWN)}; nothing else is "
            f"published of {subject.name}, give a table with `table`"
        )
    return looked_up(table, name)


def is_task(subject: Subject) -> bool:
    """Whether the subject has labels."""
    return hasattr(subject, "labels")


def _is_tabular(subject: Subject) -> bool:
    """Whether a benchmark has a row for every architecture, and so published costs."""
    return is_task(subject) and len(cast(Task, subject).architectures("all")) == subject.space.size


def _published_costs(task: Task) -> Source:
    def read(architectures: Sequence[str]) -> Mapping[str, NDArray[np.float64]]:
        found = task.baselines(architectures)
        return {PARAMS: found["params"], MACS: 1e6 * found["flops"]}

    return Tabulated((PARAMS, MACS), read)
