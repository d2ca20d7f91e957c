"""Runs a sweep over many networks: only what the store lacks, in a pool of processes, with progress."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from zcproxy.columns.context import Context
from zcproxy.columns.files import ATTEMPTS
from zcproxy.columns.store import ColumnStore, LostColumnsError
from zcproxy.columns.table import ColumnTable
from zcproxy.contracts.task import Batch
from zcproxy.errors import ModelError, StorageError
from zcproxy.formula import Node
from zcproxy.images.minibatch import blank_batch, minibatch
from zcproxy.models.device import DeviceMemoryError, enough_memory, give_back_memory
from zcproxy.models.untrained import untrained
from zcproxy.primitives import parse
from zcproxy.probing.beside import reads_teacher
from zcproxy.probing.expressions import looks_at_images
from zcproxy.probing.measure import Measurement, measure
from zcproxy.probing.own_loss import OwnLoss
from zcproxy.probing.teacher import teacher_of
from zcproxy.random import generator
from zcproxy.storage.cache_directory import default_cache
from zcproxy.text.visible import shortened
from zcproxy.workers.cluster import is_cluster, sent_once
from zcproxy.workers.jobs import as_completed_jobs
from zcproxy.workers.pool import (
    dead_workers_reported,
    feeder,
    single_threaded as single_threaded,
    worker_pool as worker_pool,
)
from zcproxy.workers.progress import Progress

LONGEST_NAME = 80
"""Characters of a network's name in messages."""

CHUNK = 4
"""Networks a job measures before it reports back: what a killed sweep can lose for each worker."""


class TooLargeError(ModelError):
    """Networks do not fit in the memory of the device; the others of the sweep are in the store.

    Args:
        reasons: why, by network.
        total: networks of the sweep that were not known.
    """

    def __init__(self, reasons: Mapping[str, str], total: int) -> None:
        self.reasons = dict(reasons)
        rest = f"; {total - len(reasons):,} others are measured and kept" if total > len(reasons) else ""
        super().__init__(f"{next(iter(reasons.values()))} ({len(reasons):,} of {total:,} networks are too large{rest})")


def sweep(
    context: Context,
    architectures: Sequence[str],
    columns: Sequence[Node],
    *,
    executor: Executor | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> ColumnTable:
    """Return columns of architectures: `sweep_into` the store of a context.

    Args:
        context: task, batch size, initialisation and device.
        architectures: canonical texts; a repeated one is measured once.
        columns: expressions, see `Node.columns`.
        executor: where networks are measured, see `worker_pool`; None measures in this process.
        cache: the cache directory; the default one if None.
        progress: called after each chunk of networks.

    Raises:
        TooLargeError: networks do not fit in the memory of the device; the others are measured first.
        RunError: a worker process died (out of memory, most often).
    """
    store = ColumnStore(cache or default_cache(), context)
    return sweep_into(store, architectures, columns, executor=executor, progress=progress)


def sweep_into(
    store: ColumnStore,
    architectures: Sequence[str],
    columns: Sequence[Node],
    *,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> ColumnTable:
    """Return columns of architectures, measuring what the store lacks: for many small sweeps. See `sweep`.

    What is gone or damaged when it is read back is measured again.
    """
    spent: dict[str, float] = {}
    for _ in range(ATTEMPTS):
        _measure_missing(store, architectures, columns, executor, progress, spent)
        try:
            table = store.table(architectures, columns)
        except LostColumnsError:
            continue
        return replace(table, seconds=np.array([spent.get(name, 0.0) for name in architectures]))
    raise StorageError(f"cannot read back what was written to {store.folder}: choose another place (ZCPROXY_CACHE)")


def sweep_fitting(
    measuring: Callable[[Sequence[str]], ColumnTable], architectures: Sequence[str]
) -> tuple[ColumnTable, NDArray[np.intp], dict[str, str]]:
    """Return the table of the networks that fit in the memory of the device, their places, and why others do not fit.

    Args:
        measuring: a sweep over architectures that it is given.
        architectures: canonical texts.

    Raises:
        TooLargeError: none fits.
    """
    try:
        return measuring(architectures), np.arange(len(architectures)), {}
    except TooLargeError as error:
        places = [place for place, name in enumerate(architectures) if name not in error.reasons]
        if not places:
            raise
        return measuring([architectures[place] for place in places]), np.array(places), error.reasons


def sweep_failures(
    store: ColumnStore,
    architectures: Sequence[str],
    columns: Sequence[Node],
    *,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> dict[str, str]:
    """Measure what the store lacks, and return why networks cannot be measured, by name: the others are in the store.

    Arguments as those of `sweep_into`; the names are in the order of the architectures.
    """
    failed: dict[str, str] = {}
    _measure_missing(store, architectures, columns, executor, progress, {}, failed)
    return {name: failed[name] for name in dict.fromkeys(architectures) if name in failed}


def _measure_missing(
    store: ColumnStore,
    architectures: Sequence[str],
    columns: Sequence[Node],
    executor: Executor | None,
    progress: Progress | None,
    spent: dict[str, float],
    failed: dict[str, str] | None = None,
) -> None:
    """Measure what the store lacks and write it there; add the seconds of each network to `spent`.

    Networks that cannot be measured are entered in `failed` with the reason; without it, the first one raises, or at
    the end those that are too large for the device.
    """
    tolerated = DeviceMemoryError if failed is None else ModelError
    reasons: dict[str, str] = {} if failed is None else failed
    executor = feeder(executor, store.context.device)
    groups = store.lacking(dict.fromkeys(architectures), columns)
    if groups:
        store.files.check_writable()
    total = sum(map(len, groups.values()))
    done = 0
    if progress is not None:
        progress(done, total)
    chunks = [
        (names[start : start + CHUNK], missing)
        for missing, names in groups.items()
        for start in range(0, len(names), CHUNK)
    ]
    generator("sweep", store.context.name).shuffle(chunks)  # those done then tell how long the rest takes
    context = store.context
    needed = [column for missing in groups for column in missing]
    if any(map(looks_at_images, needed)):
        context = replace(context, images=store.images.token)  # what is at hand may change while workers measure
    if any(map(reads_teacher, needed)):
        context = replace(context, teacher=store.teacher)
    shown = sent_once(executor, _shown(context, needed)) if chunks and is_cluster(executor) else None
    with dead_workers_reported():
        texts = {missing: [str(column) for column in missing] for missing in groups}
        jobs = [(context, names, texts[missing], shown, tolerated) for names, missing in chunks]
        for index, found in as_completed_jobs(executor, measured_or_failed, jobs, _described):
            names, missing = chunks[index]
            done += len(names)
            reasons |= {name: each for name, each in zip(names, found, strict=True) if isinstance(each, str)}
            names = [name for name in names if name not in reasons]
            measured = [each for each in found if isinstance(each, Measurement)]
            if names:
                store.write(names, missing, measured)
            for name, measurement in zip(names, measured, strict=True):
                spent[name] = spent.get(name, 0.0) + measurement.seconds
            if progress is not None:
                progress(done, total)
    if failed is None and reasons:
        raise TooLargeError(reasons, total)


def _described(context: Context, architectures: Sequence[str], *_: object) -> str:
    return f"measuring {', '.join(architectures)} of {context.name}"


def _shown(context: Context, columns: Sequence[Node]) -> Batch:
    """Return what networks are shown: images where a column looks at them."""
    if any(map(looks_at_images, columns)):
        return minibatch(context.task, context.batch_size, context.images)
    return blank_batch(context.task.input_shape, context.batch_size, getattr(context.task, "vocabulary", 0))


def measured_or_failed(
    context: Context,
    architectures: Sequence[str],
    texts: Sequence[str],
    shown: Batch | None = None,
    tolerated: type[ModelError] = ModelError,
) -> list[Measurement | str]:
    """Measure a few architectures as `measure_architectures`; the reason stands for a tolerated failure."""
    measured = _measurer(context, texts, shown)
    found: list[Measurement | str] = []
    with single_threaded():
        for architecture in architectures:
            try:
                found.append(measured(architecture))
            except tolerated as error:
                found.append(str(error))
            if isinstance(found[-1], str):
                give_back_memory(torch.device(context.device))
    return found


def measure_architectures(
    context: Context, architectures: Sequence[str], texts: Sequence[str], shown: Batch | None = None
) -> list[Measurement]:
    """Measure columns of a few architectures in this process.

    Args:
        context: what columns depend on.
        architectures: canonical texts.
        texts: of the columns.
        shown: the minibatch, for a machine that has no images; None for that of the context.
    """
    measured = _measurer(context, texts, shown)
    with single_threaded():
        return [measured(architecture) for architecture in architectures]


def _measurer(context: Context, texts: Sequence[str], shown: Batch | None) -> Callable[[str], Measurement]:
    """Return what measures columns of an architecture, with everything in place that networks share."""
    task = context.task
    columns = [parse(text) for text in texts]
    batch = _shown(context, columns) if shown is None else shown
    inputs, targets = batch.inputs.to(context.device), batch.targets.to(context.device)
    loss = getattr(task, "loss", None)
    compared = targets if loss is None else OwnLoss(loss, targets)
    seed = context.initialisation
    taught = any(map(reads_teacher, columns)) and context.teacher
    teacher = teacher_of(context.teacher) if taught else None

    def measured(architecture: str) -> Measurement:
        network = untrained(task.build, task.space.name, architecture, seed, context.rule)
        try:
            with enough_memory(inputs.device, len(inputs)):
                network = network.to(context.device)
            started = time.perf_counter()
            found = measure(network, inputs, compared, columns, input_seed=seed, disposable=True, beside=teacher)
        except ModelError as error:
            name = shortened(architecture, LONGEST_NAME)
            raise type(error)(f"the network '{name}' cannot be measured: {error}") from error
        return replace(found, seconds=time.perf_counter() - started)

    return measured
