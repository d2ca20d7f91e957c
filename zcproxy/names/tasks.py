"""Tasks by name: `nasbench201/cifar10`, the folder of a built benchmark, or one of your own."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache, partial
from pathlib import Path
from typing import Any, cast

from zcproxy.benchmarks.catalogue import benchmarks
from zcproxy.benchmarks.shared.built import MANIFEST, BuiltTask, listed_architectures, read_manifest
from zcproxy.contracts.listed_space import ListedSpace
from zcproxy.contracts.own_task import own_task
from zcproxy.contracts.task import TASK_MEMBERS, Task
from zcproxy.errors import BenchmarkError, ConfigurationError, unknown
from zcproxy.names.own_models import own_models
from zcproxy.names.spaces import get_space, is_own_space
from zcproxy.text.whole_numbers import whole_number
from zcproxy.user_code.border import running
from zcproxy.user_code.permission import check_permitted, permit, stored_in
from zcproxy.user_code.references import load_offered, made_by, offered_names

DEFAULT_TASK = "digits201"
"""The benchmark that is part of the package."""

ENTRY_POINTS = "zcproxy.tasks"
"""The group of entry points where other packages offer tasks: name -> task, or what makes one."""


def task_names() -> list[str]:
    """Return the names of all tasks of the package; the default one is first."""
    return [benchmark.task_name(dataset) for benchmark in benchmarks().values() for dataset in benchmark.datasets]


def get_task(name: str) -> Task:
    """Return a task.

    The label table is read when it is first needed.

    Args:
        name: name of a task of the package, `@SIDE` behind it where images of another size are wanted; of one that
            `Task.from_frame` made in this process; the folder of a benchmark that `zcproxy benchmark build` or
            `benchmark from-table` made; the name that an installed package gave to a task of its own; or
            `package.module:name` of one.

    Raises:
        BenchmarkError: no task has this name, and there is no finished benchmark in such a folder.
        ConfigurationError: the module or its attribute do not exist, or only a stored file names them, see
            `zcproxy.user_code.permission`.
        ModelError: code of your own fails.

    Example:
        >>> import zcproxy
        >>> task = zcproxy.get_task("digits201")
        >>> len(task.architectures("all")), task.input_shape, task.classes
        (500, (1, 12, 12), 10)
    """
    made_here = own_task(name)
    if made_here is not None:
        return made_here
    written, at, side = name.partition("@")
    benchmark, _, dataset = written.partition("/")
    known = benchmarks().get(benchmark)
    if known is not None and dataset in known.datasets:
        return known.task(dataset, _pixels(name, side) if at else None)
    if os.path.isdir(name):  # unlike `Path.is_dir`, it never raises
        return built_task(Path(name))
    offered = offered_names(ENTRY_POINTS)
    if name not in offered and ":" not in name:
        choices = [*task_names(), *offered]
        advice = (
            "`zcproxy benchmark list` shows the known ones; otherwise name the folder of a benchmark that you built, "
            "or package.module:name of your own"
        )
        raise UnknownTaskError(unknown("task", name, choices, advice))
    if name not in offered:
        check_permitted(name)  # `_own` asks only the first time
    return cast(Task, TaskByName(name, _own(name)))


class UnknownTaskError(BenchmarkError):
    """No task has this name."""


def built_task(path: Path, *, allow_code: Iterable[str] = ()) -> Task:
    """Return the task of a benchmark that `zcproxy benchmark build` or `benchmark from-table` made.

    Args:
        path: its folder.
        allow_code: `package.module:name` of the space or of the models, where they are your own: see
            `zcproxy.user_code.permission`.

    Raises:
        BenchmarkError: the folder holds no finished benchmark, or its files were changed.
        ConfigurationError: its manifest names code that you did not name.
    """
    permit(allow_code)
    path = path.resolve()
    manifest = read_manifest(path)
    with stored_in(path / MANIFEST):
        if manifest.model:
            models = own_models(manifest.model)
            listed = partial(listed_architectures, path, manifest)
            listing = ListedSpace(manifest.model, listed, models.make)
            return cast(Task, TaskByName(str(path), BuiltTask(path, manifest, listing, contents=models.content)))
        task = BuiltTask(path, manifest, get_space(manifest.space, manifest.space_options))
    return task if is_own_space(manifest.space) else cast(Task, TaskByName(task.name, task))


class TaskByName:
    """A task that involves code of a user: other processes are sent its name, and find it again by that."""

    def __init__(self, name: str, found: Task | None = None) -> None:
        self.name, self._found = name, found

    def __getattr__(self, attribute: str) -> Any:
        """Return what the task has, which is looked for when it is first needed."""
        if self._found is None:
            self._found = get_task(self.name)
        return getattr(self._found, attribute)

    def __reduce__(self) -> tuple[type[TaskByName], tuple[str]]:
        return TaskByName, (self.name,)


def _pixels(name: str, side: str) -> int:
    pixels = whole_number(side)
    if not pixels:
        raise ConfigurationError(
            f"cannot read the size of images in '{name:.80}': write for example nds/darts-imagenet@96"
        )
    return pixels


@cache
def _own(name: str) -> Task:
    """Return the task of an entry point or reference. Raises `BenchmarkError` if it is none."""
    made = load_offered(name, ENTRY_POINTS)
    task: Any = made_by(name, made) if callable(made) else made
    with running(f"the task {name} failed"):
        missing = next((attribute for attribute in TASK_MEMBERS if not hasattr(task, attribute)), None)
        if missing is not None:
            raise BenchmarkError(f"{name} is not a task, it has no '{missing}': see zcproxy.Task")
        if task.name != name:
            raise BenchmarkError(f"the task {name} calls itself {task.name!r}: other processes would not find it")
        return cast(Task, task)
