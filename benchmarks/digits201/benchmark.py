"""The `BENCHMARK` that is part of the package."""

from __future__ import annotations

from pathlib import Path

from zcproxy.benchmarks.nasbench201.space import NASBench201Space
from zcproxy.benchmarks.shared.built import BuiltTask, read_manifest
from zcproxy.benchmarks.shared.description import Benchmark


def load_task(dataset: str) -> BuiltTask:
    """Return the task, whose files lie beside this one."""
    folder = Path(__file__).parent
    manifest = read_manifest(folder)
    return BuiltTask(folder, manifest, NASBench201Space(**manifest.space_options), "digits201")


BENCHMARK = Benchmark("digits201", datasets=("",), load_task=load_task, families={"digits201": ("",)})
