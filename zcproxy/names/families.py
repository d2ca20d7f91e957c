"""Families: tasks whose networks are alike, so that a proxy that holds on one of them says little about another."""

from __future__ import annotations

from collections.abc import Iterable

from zcproxy.errors import BenchmarkError, ConfigurationError
from zcproxy.names.tasks import DEFAULT_TASK, get_task

_NDS_CELLS = ("darts", "amoeba", "nasnet", "pnas", "enas")
_NATS_DATASETS = ("cifar10", "cifar100", "imagenet16-120")

FAMILIES: dict[str, tuple[str, ...]] = {
    "nasbench201": tuple(f"nasbench201/{dataset}" for dataset in _NATS_DATASETS),
    "nats_sss": tuple(f"nats_sss/{dataset}" for dataset in _NATS_DATASETS),
    "nds-cells": tuple(f"nds/{space}-imagenet" for space in _NDS_CELLS),
    "nds-resnext": ("nds/resnext-a-imagenet", "nds/resnext-b-imagenet"),
    "transnas101-micro": ("transnas101/micro-object", "transnas101/micro-scene"),
    "transnas101-macro": ("transnas101/macro-object", "transnas101/macro-scene"),
    "ofa_mobilenetv3": ("ofa_mobilenetv3/imagenet",),
    DEFAULT_TASK: (DEFAULT_TASK,),
}
"""The families of the benchmarks here. Jigsaw of TransNAS is left out: a network takes nine images, 5 GB a worker."""

_TOGETHER = {"nds": ("nds-cells", "nds-resnext"), "transnas101": ("transnas101-micro", "transnas101-macro")}
"""Benchmarks of several families."""


def tasks_by_goal(names: Iterable[str]) -> dict[str, str]:
    """Return the tasks that names stand for, each with its goal: what counts once, however many tasks it has.

    Args:
        names: of families and benchmarks (`nds-cells`, `nds`): each family is one goal; or of tasks: each is its own.

    Raises:
        BenchmarkError: a task is unknown.
        ConfigurationError: a task is named twice.
    """
    goals: dict[str, str] = {}
    for name in names:
        families = _TOGETHER.get(name, (name,) if name in FAMILIES else ())
        found = {task: family for family in families for task in FAMILIES[family]} or {get_task(name).name: name}
        twice = next((task for task in found if task in goals), None)
        if twice is not None:
            raise ConfigurationError(f"the task '{twice}' is named twice")
        goals.update(found)
    return goals


def labelled_families() -> list[str]:
    """Return the families whose labels are all here."""
    return [family for family, tasks in FAMILIES.items() if all(map(_has_labels, tasks))]


def _has_labels(task: str) -> bool:
    try:
        return bool(get_task(task).architectures("all"))
    except BenchmarkError:
        return False


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
