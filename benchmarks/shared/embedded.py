"""Benchmarks that are part of the package: `zcproxy benchmark build` made their files, which lie beside their code."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from zcproxy.benchmarks.shared.built import BuiltTask, read_manifest
from zcproxy.benchmarks.shared.description import Benchmark
from zcproxy.contracts.task import SearchSpace


def embedded_benchmark(
    name: str, folder: Path, make_space: Callable[..., SearchSpace], *, space_name: str | None = None
) -> Benchmark:
    """Return the description of one: a single task and a single family, both called like the benchmark.

    Args:
        name: name of the benchmark.
        folder: where its files are.
        make_space: makes the space of its networks, given the options in the manifest.
        space_name: what users write for that space; None where another benchmark offers it.
    """
    return Benchmark(
        name,
        datasets=("",),
        load_task=partial(_load_task, name, folder, make_space),
        families={name: ("",)},
        spaces={} if space_name is None else {space_name: make_space},
    )


def _load_task(name: str, folder: Path, make_space: Callable[..., SearchSpace], _: str) -> BuiltTask:
    manifest = read_manifest(folder)
    return BuiltTask(folder, manifest, make_space(**manifest.space_options), name)
