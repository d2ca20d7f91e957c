"""Runs a sweep over many networks: only what the store lacks, in a pool of processes, with progress."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, as_completed
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from zcproxy.errors import StorageError
from zcproxy.formula import Node, parse
from zcproxy.permission import carried
from zcproxy.random import derive_seed
from zcproxy.sweep.expressions import looks_at_images
from zcproxy.sweep.initialisation import OWN, initialise
from zcproxy.sweep.measure import Measurement, measure
from zcproxy.sweep.pool import (
    dead_workers_reported,
    single_threaded as single_threaded,
    worker_pool as worker_pool,
)
from zcproxy.sweep.store import ATTEMPTS, ColumnStore, Context, LostColumnsError, default_cache
from zcproxy.sweep.table import ColumnTable, table_of

CHUNK = 4
"""Networks a job measures before it reports back: what a killed sweep can lose for each worker."""

Chunk = tuple[list[str], tuple[Node, ...]]
"""Architectures and the columns they lack."""

Progress = Callable[[int, int], None]
"""Called with the number of networks done and the number to do."""


def silent(done: int, total: int) -> None:
    """Show nothing: the progress that nobody watches."""


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
        progress: told after each chunk of networks.

    Raises:
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
            table = table_of(store.read(architectures, columns), columns)
        except LostColumnsError:
            continue
        return replace(table, seconds=np.array([spent.get(name, 0.0) for name in architectures]))
    raise StorageError(f"cannot read back what was written to {store.folder}: choose another place (ZCPROXY_CACHE)")


def _measure_missing(
    store: ColumnStore,
    architectures: Sequence[str],
    columns: Sequence[Node],
    executor: Executor | None,
    progress: Progress | None,
    spent: dict[str, float],
) -> None:
    """Measure what the store lacks and write it there; add the seconds of each network to `spent`."""
    groups: dict[tuple[Node, ...], list[str]] = {}
    for architecture in dict.fromkeys(architectures):
        missing = store.missing(architecture, columns)
        if missing:
            groups.setdefault(missing, []).append(architecture)
    total = sum(map(len, groups.values()))
    done = 0
    if progress is not None:
        progress(done, total)
    chunks = [
        (names[start : start + CHUNK], missing)
        for missing, names in groups.items()
        for start in range(0, len(names), CHUNK)
    ]
    context = store.context
    if any(looks_at_images(column) for missing in groups for column in missing):
        context = replace(context, images=store.images.token)  # what is at hand may change while workers measure
    with dead_workers_reported():
        for (names, missing), measured in _run(executor, context, chunks):
            store.write(names, missing, measured)
            for name, measurement in zip(names, measured, strict=True):
                spent[name] = spent.get(name, 0.0) + measurement.seconds
            done += len(names)
            if progress is not None:
                progress(done, total)


def _run(
    executor: Executor | None, context: Context, chunks: Sequence[Chunk]
) -> Iterator[tuple[Chunk, list[Measurement]]]:
    if executor is None:
        for names, missing in chunks:
            yield (names, missing), measure_architectures(context, names, [str(column) for column in missing])
        return
    job = carried(measure_architectures)
    jobs = {
        executor.submit(job, context, names, [str(column) for column in missing]): (names, missing)
        for names, missing in chunks
    }
    for future in as_completed(jobs):
        yield jobs[future], future.result()


def untrained(
    build: Callable[[str], nn.Module], space: str, architecture: str, initialisation: int, rule: str = OWN
) -> nn.Module:
    """Return the network of an architecture with the weights that every score of it at this initialisation is for.

    Args:
        build: makes the network, its weights from torch's random state, which is left as it was.
        space: name of the space.
        architecture: its canonical text.
        initialisation: index of the initialisation.
        rule: that weights are drawn by, see `zcproxy.sweep.initialisation`.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(space, architecture, "initialisation", initialisation))
        network = build(architecture)
        initialise(network, rule)
    return network


def measure_architectures(context: Context, architectures: Sequence[str], texts: Sequence[str]) -> list[Measurement]:
    """Measure columns of a few architectures in this process; the job that a worker runs."""
    from zcproxy.benchmarks import get_task
    from zcproxy.benchmarks.minibatch import blank_batch, minibatch

    task = get_task(context.task)
    columns = [parse(text) for text in texts]
    if any(map(looks_at_images, columns)):
        batch = minibatch(task, context.batch_size, context.images)
    else:
        batch = blank_batch(task.input_shape, context.batch_size)
    inputs, targets = batch.inputs.to(context.device), batch.targets.to(context.device)
    result = []
    with single_threaded():
        for architecture in architectures:
            network = untrained(task.build, task.space.name, architecture, context.initialisation, context.rule)
            network = network.to(context.device)
            started = time.perf_counter()
            found = measure(network, inputs, targets, columns, input_seed=context.initialisation, disposable=True)
            result.append(replace(found, seconds=time.perf_counter() - started))
    return result
