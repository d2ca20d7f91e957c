"""The populations of a benchmark: `all` labelled architectures, and `pruned`, those without dead parts."""

from __future__ import annotations

from collections.abc import Collection

from zcproxy.errors import BenchmarkError, check_known

POPULATIONS = ("all", "pruned")


def check_population(task: str, population: str, known: Collection[str] = POPULATIONS) -> None:
    """Raise `BenchmarkError` if the task has no such population."""
    check_known(f"population of {task}", population, known, BenchmarkError)
