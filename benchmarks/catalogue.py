"""The benchmarks by name, found in the folders beside this file."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from pathlib import Path

from zcproxy.benchmarks.shared.description import Benchmark
from zcproxy.errors import BenchmarkError, check_known


@cache
def benchmarks() -> dict[str, Benchmark]:
    """Return the `BENCHMARK` of every folder with a file `benchmark.py`, in alphabetical order of the folders."""
    here = Path(__file__).parent
    folders = [
        module.name for module in pkgutil.iter_modules([str(here)]) if (here / module.name / "benchmark.py").is_file()
    ]
    found: list[Benchmark] = [import_module(f"zcproxy.benchmarks.{folder}.benchmark").BENCHMARK for folder in folders]
    return {benchmark.name: benchmark for benchmark in found}


def released() -> dict[str, Benchmark]:
    """Return the benchmarks that are published as files."""
    return {name: benchmark for name, benchmark in benchmarks().items() if benchmark.release is not None}


def released_benchmark(name: str) -> Benchmark:
    """Return a benchmark that is published as files. Raises `BenchmarkError` if there is none of this name."""
    known = released()
    check_known("benchmark", name, known, BenchmarkError)
    return known[name]
