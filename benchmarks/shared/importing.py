"""Imports official files into the data directory, and checks what is there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zcproxy.benchmarks.shared.description import Benchmark
from zcproxy.benchmarks.shared.imported import imported_path, read_manifest, write_imported
from zcproxy.benchmarks.shared.label_table import check_table
from zcproxy.benchmarks.shared.table_task import TableTask
from zcproxy.errors import BenchmarkError
from zcproxy.random import generator
from zcproxy.storage.files import check_regular
from zcproxy.workers.progress import Progress

CHECKED_NETWORKS = 5
"""Networks per task that `check_labels` builds."""


@dataclass(frozen=True)
class Imported:
    """The result of importing one table.

    Attributes:
        table: its name.
        files: what it was read from.
        known: whether the content is that of the official release.
        rows: architectures in the table; 0 where it failed.
        left_out: entries that are not in it, and why.
        error: why there is no table; None where there is.
    """

    table: str
    files: tuple[str, ...]
    known: bool
    rows: int
    left_out: tuple[str, ...]
    error: BenchmarkError | None


def import_benchmark(
    benchmark: Benchmark, path: Path, *, trust: bool = False, progress: Progress
) -> Iterator[Imported]:
    """Convert official files to tables in the data directory; a table that is there already is replaced.

    Args:
        benchmark: a published one.
        path: file, folder or archive.
        trust: also take files that are not the known ones.
        progress: called with how much is done, and of how much.

    Yields:
        The result of importing each table. A failed one leaves the others, and its own older import, unchanged.

    Raises:
        BenchmarkError: there is nothing to read, or nothing of the benchmark is published.
        StorageError: the data directory cannot be written, or the path is a pipe or device.
    """
    release = benchmark.release
    if release is None:
        raise BenchmarkError(f"nothing of {benchmark.name} is published: there is nothing to import")
    if not os.path.isdir(path):
        check_regular(path)
    for reading in release.read(path, trust, progress):
        if isinstance(reading.found, BenchmarkError):
            yield Imported(reading.source.name, tuple(reading.digests), reading.known, 0, (), reading.found)
            continue
        try:
            check_table(reading.found.frame, reading.source)
        except BenchmarkError as error:
            yield Imported(reading.source.name, tuple(reading.digests), reading.known, 0, (), error)
            continue
        facts = {
            "benchmark": benchmark.name,
            "table": reading.source.name,
            "labels": release.labels,
            "source": dict(reading.digests),
            "official": reading.known,
            "left_out": list(reading.found.left_out),
        }
        write_imported(imported_path(benchmark.name, reading.source.name), reading.found.frame, facts)
        rows = len(reading.found.frame)
        yield Imported(reading.source.name, tuple(reading.digests), reading.known, rows, reading.found.left_out, None)


def present_datasets(benchmark: Benchmark) -> list[str]:
    """Return the datasets of a benchmark whose labels are in the data directory."""
    return [dataset for dataset in benchmark.datasets if _task(benchmark, dataset).source.is_here]


def check_labels(benchmark: Benchmark, dataset: str) -> str:
    """Check the labels of a task and some of its networks, and return what they are.

    Raises:
        BenchmarkError: a file is changed, a label is not a percentage, an architecture lies outside the space, or a
            network has other parameters than the table says.
    """
    task = _task(benchmark, dataset)
    architectures = task.architectures("all")
    labels = task.labels(architectures)
    wrong = np.flatnonzero(~((labels >= 0) & (labels <= 100)))
    if len(wrong):
        raise BenchmarkError(
            f"{task.name}: the label of '{architectures[wrong[0]]}' is {labels[wrong[0]]}, no percentage"
        )
    drawn = generator("verify", task.name).sample(list(architectures), min(CHECKED_NETWORKS, len(architectures)))
    for architecture, params in zip(drawn, task.baselines(drawn)["params"], strict=True):
        counted = sum(parameter.numel() for parameter in task.build(architecture).parameters())
        if counted != params:
            raise BenchmarkError(f"{task.name}: '{architecture}' has {counted} parameters, the table says {params:.0f}")
    imported = task.source.imported_file()
    origin = f"imported from {', '.join(read_manifest(imported)['source'])}" if imported else "official files"
    return f"{len(architectures):,} labels, {labels.min():.2f} to {labels.max():.2f} %, {origin}"


def _task(benchmark: Benchmark, dataset: str) -> TableTask:
    task = benchmark.task(dataset)
    if not isinstance(task, TableTask):
        raise BenchmarkError(f"{task.name} has no table of labels")
    return task
