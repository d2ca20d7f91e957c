"""Families: tasks whose networks are alike, so that a proxy that holds on one of them says little about another."""

from __future__ import annotations

from collections.abc import Iterable

from zcproxy.benchmarks.catalogue import benchmarks
from zcproxy.errors import BenchmarkError, ConfigurationError, check_known
from zcproxy.names.tasks import get_task

EMBEDDED = "embedded"
"""Stands for the families whose labels are part of the package."""


def families() -> dict[str, tuple[str, ...]]:
    """Return the families of the benchmarks here, each with the names of its tasks."""
    return {
        family: tuple(map(benchmark.task_name, datasets))
        for benchmark in benchmarks().values()
        for family, datasets in benchmark.families.items()
    }


def set_aside() -> frozenset[str]:
    """Return the families that judge finished methods: see `zcproxy.benchmarks.shared.description.Benchmark`."""
    return frozenset(family for benchmark in benchmarks().values() for family in benchmark.set_aside)


def embedded_families() -> list[str]:
    """Return the families whose labels are part of the package: a run on them needs no download."""
    return [family for benchmark in benchmarks().values() if benchmark.is_embedded for family in benchmark.families]


def families_named(names: Iterable[str]) -> list[str]:
    """Return the families that names stand for, each once.

    Args:
        names: families, benchmarks (those of their families that are not set aside), or `EMBEDDED`.

    Raises:
        ConfigurationError: a name stands for no family.
    """
    found: dict[str, None] = {}
    for name in names:
        together = _named(name)
        if not together:
            check_known("family", name, [EMBEDDED, *families()])
        found.update(dict.fromkeys(together))
    return list(found)


def tasks_by_goal(names: Iterable[str]) -> dict[str, str]:
    """Return the tasks that names stand for, each with its goal: a goal counts once, however many tasks it has.

    Args:
        names: families and benchmarks (`nds-cells`, `nds`), or `EMBEDDED`: each family is one goal; or tasks, one goal
            each. A benchmark of several families stands for those that are not set aside.

    Raises:
        BenchmarkError: a task is unknown.
        ConfigurationError: a task is named twice.
    """
    goals: dict[str, str] = {}
    known = families()
    for name in names:
        found = {task: family for family in _named(name) for task in known[family]} or {get_task(name).name: name}
        twice = next((task for task in found if task in goals), None)
        if twice is not None:
            raise ConfigurationError(f"the task '{twice}' is named twice")
        goals.update(found)
    return goals


def labelled_families() -> list[str]:
    """Return the families whose labels are all here, those left out that are set aside."""
    apart = set_aside()
    return [name for name, tasks in families().items() if name not in apart and all(map(_has_labels, tasks))]


def _named(name: str) -> tuple[str, ...]:
    """Return the families that a name stands for; none if it is that of a task."""
    if name == EMBEDDED:
        return tuple(embedded_families())
    if name in families():
        return (name,)
    benchmark = benchmarks().get(name)
    return () if benchmark is None else tuple(each for each in benchmark.families if each not in benchmark.set_aside)


def _has_labels(task: str) -> bool:
    try:
        return bool(get_task(task).architectures("all"))
    except BenchmarkError:
        return False


def check_not_set_aside(tasks: Iterable[str], *, use_set_aside: bool) -> None:
    """Raise `ConfigurationError` if a task has the networks of a family that is set aside.

    Args:
        tasks: names of tasks.
        use_set_aside: whether the user wants them all the same.
    """
    if use_set_aside:
        return
    spaces = {get_task(task).space.name: family for family in sorted(set_aside()) for task in families()[family]}
    for name in tasks:
        family = spaces.get(get_task(name).space.name)
        if family is not None:
            raise ConfigurationError(
                f"{name} has the networks of the family {family}, which is set aside to judge finished methods: leave "
                "it out, or confirm with `use_set_aside`"
            )


def check_apart(held_out: Iterable[str], training: Iterable[str]) -> None:
    """Raise `ConfigurationError` if a held-out task has its networks from the same space as a training task."""
    spaces = {get_task(name).space.name: name for name in training}
    for name in held_out:
        shared = spaces.get(get_task(name).space.name)
        if shared is not None:
            raise ConfigurationError(
                f"the held-out task {name} has the same networks as the training task {shared}: hold both out, or "
                "train on neither"
            )
