"""Chooses what measures the proxies that `robot` combines."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import cast

import numpy as np

from zcproxy.columns.context import Context
from zcproxy.contracts.task import Task
from zcproxy.proxy.function import load_function
from zcproxy.proxy.score_file import by_architecture
from zcproxy.search.measuring import ColumnScores, Networks, Source, Tabulated
from zcproxy.search.quantities.combined import Combined, by_setting
from zcproxy.search.quantities.networks import NetworkMeasurer


def combined_sources(
    measurer: NetworkMeasurer, executor: Executor | None, cache: Path | None, *, by_columns: bool
) -> Iterator[Source]:
    """Yield what measures the quantities of all proxies of a setting.

    Args:
        measurer: what is searched, and how it is measured.
        executor: executor of worker processes that know the subject by its reference.
        cache: the cache directory; the default one if None.
        by_columns: whether formulas are measured as columns of a task, which the store keeps.

    Raises:
        BenchmarkError: a file of scores has a text that is none of the space.
        ConfigurationError: a function is not found, or a file of scores has changed.
        ProxyFileError: a file of scores cannot be read.
    """
    setting = measurer.setting
    grouped = by_setting(setting.proxies)
    if by_columns:
        for (size, rule), formulas in grouped.items():
            task = cast(Task, measurer.subject)
            context = Context(task, size, setting.initialisation, setting.device, setting.images, rule)
            yield ColumnScores(formulas, context, executor, cache)
    elif grouped:
        yield Networks("formulas", measurer, executor, [name for formulas in grouped.values() for name in formulas])
    functions = [each for each in setting.proxies if each.function]
    for each in functions:
        load_function(each.function)  # what is wrong with it is said before anything is written
    if functions:
        yield Networks("functions", measurer, executor, [each.quantities[0] for each in functions])
    yield from (_tabulated(each, measurer) for each in setting.proxies if each.file)


def _tabulated(proxy: Combined, measurer: NetworkMeasurer) -> Tabulated:
    known, name = by_architecture(proxy.read(), measurer.subject.space), proxy.quantities[0]
    return Tabulated((name,), lambda texts: {name: np.array([known.get(text, np.nan) for text in texts], np.float64)})
