"""The populations of a benchmark: `all` labelled architectures, and `pruned`, those without dead parts."""

from __future__ import annotations

from collections.abc import Collection

from zcproxy.errors import BenchmarkError, nearest_names

POPULATIONS = ("all", "pruned")


def check_population(task: str, population: str, known: Collection[str] = POPULATIONS) -> None:
    """Raise `BenchmarkError` if the task has no such population."""
    if population not in known:
        hint = nearest_names(population, known)
        raise BenchmarkError(f"unknown population {population!r} of {task}{hint}; known are {', '.join(known)}")
