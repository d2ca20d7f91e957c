"""Benchmarks: search spaces with measured accuracies, reached by task name (`nasbench201/cifar10`) or by folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from zcproxy.contracts.task import Task
from zcproxy.errors import BenchmarkError, ConfigurationError, nearest_names
from zcproxy.text.whole_numbers import whole_number
from zcproxy.user_code.border import running
from zcproxy.user_code.permission import check_permitted
from zcproxy.user_code.references import load_offered, made_by, offered_names

DEFAULT_TASK = "digits201"
"""The benchmark that is part of the package: the folder of this name, made by `zcproxy benchmark build`."""

ENTRY_POINTS = "zcproxy.tasks"
"""The group of entry points where other packages offer tasks: name -> task, or what makes one."""

# Benchmark -> the package that offers its tasks: `DATASETS`, `load_task(dataset)`, and where images are photographs
# `load_task(dataset, side)`. Packages are imported on use.
_PACKAGES = {
    "nasbench201": "nasbench201",
    "nats_sss": "nats_sss",
    "nds": "nds",
    "transnas101": "transnas101",
    "ofa_mobilenetv3": "once_for_all",
}
_WITH_SIDE = ("nds", "transnas101", "ofa_mobilenetv3")
_ASKED_OF_A_TASK = (
    "name",
    "space",
    "input_shape",
    "classes",
    "fingerprint",
    "architectures",
    "labels",
    "build",
    "batch",
)


def task_names() -> list[str]:
    """Return the names of all tasks of the package, `<benchmark>/<dataset>` but for the default one, which is first."""
    return [DEFAULT_TASK, *(f"{family}/{dataset}" for family in _PACKAGES for dataset in datasets_of(family))]


def benchmark_names() -> list[str]:
    """Return the names of the published benchmarks."""
    return list(_PACKAGES)


def datasets_of(benchmark: str) -> Sequence[str]:
    """Return the names of a benchmark's tasks without its own."""
    return cast(Sequence[str], tuple(import_module(f"zcproxy.benchmarks.{_PACKAGES[benchmark]}").DATASETS))


def get_task(name: str) -> Task:
    """Return a task.

    The label table is read when it is first needed.

    Args:
        name: of a task of the package, `@SIDE` behind it where images of another size are wanted; the folder of a
            benchmark that `zcproxy benchmark build` made; the name that an installed package gave to a task of its own;
            or `package.module:name` of one.

    Raises:
        BenchmarkError: no task has this name, and there is no finished benchmark in such a folder.
        ConfigurationError: the module or its attribute do not exist, or only a stored file names them, see
            `zcproxy.user_code.permission`.
        ModelError: code of one's own fails.
    """
    from zcproxy.benchmarks.shared.built import BuiltTask

    if name == DEFAULT_TASK:
        return BuiltTask(Path(__file__).with_name(name), name)
    written, _, side = name.partition("@")
    family, _, dataset = written.partition("/")
    if family in _PACKAGES and dataset in datasets_of(family):
        return _published(family, dataset, side, name)
    if os.path.isdir(name):  # unlike `Path.is_dir`, it never raises
        return BuiltTask(Path(name))
    offered = offered_names(ENTRY_POINTS)
    if name not in offered and ":" in name:
        check_permitted(name)  # `_own` asks only the first time
        return _own(name)
    if name in offered:
        return _own(name)
    known = [*task_names(), *offered]
    raise BenchmarkError(
        f"unknown task {name!r}{nearest_names(name, known)}: `zcproxy benchmark list` shows the known ones; otherwise "
        "name the folder of a benchmark that you built, or package.module:name of your own"
    )


def _published(family: str, dataset: str, side: str, name: str) -> Task:
    load = import_module(f"zcproxy.benchmarks.{_PACKAGES[family]}").load_task
    if "@" not in name:
        return cast(Task, load(dataset))
    if family not in _WITH_SIDE or dataset.endswith("cifar10"):
        raise ConfigurationError(f"{family}/{dataset} has images of one size: leave out '@{side}'")
    pixels = whole_number(side)
    if not pixels:
        raise ConfigurationError(
            f"cannot read the size of images in '{name:.80}': write for example {family}/{dataset}@96"
        )
    return cast(Task, load(dataset, pixels))


@cache
def _own(name: str) -> Task:
    """Return the task of an entry point or reference. Raises `BenchmarkError` if it is none."""
    made = load_offered(name, ENTRY_POINTS)
    task: Any = made_by(name, made) if callable(made) else made
    with running(f"the task {name} failed"):
        missing = next((attribute for attribute in _ASKED_OF_A_TASK if not hasattr(task, attribute)), None)
        if missing is not None:
            raise BenchmarkError(f"{name} is no task, it has no '{missing}': see zcproxy.contracts.task.Task")
        if task.name != name:
            raise BenchmarkError(f"the task {name} calls itself {task.name!r}: other processes would not find it")
        return cast(Task, task)
