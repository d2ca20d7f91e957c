"""The command, or the call, that makes a run again."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, fields
from typing import Any

from zcproxy.evolve.configuration import Configuration, Limits

_OF_PYTHON = ("validation_share", "islands", "island_size", "epoch_generations", "new_columns_after", "images")
"""Fields that no option has, or whose option takes something else."""
_WRITTEN_APART = ("tasks", "goals", "hold_out", "plugins", "teacher", "use_set_aside")


@dataclass(frozen=True)
class Reproduction:
    """How a run is made again.

    Attributes:
        is_command: whether it is a command of a shell, not a program in Python.
        text: what to run.
        note: what to know of it; empty for nothing.
    """

    is_command: bool
    text: str
    note: str = ""


def reproduction(configuration: Configuration, limits: Limits, out: str) -> Reproduction:
    """Return how a run of evolution is made again.

    Args:
        configuration: of the run.
        limits: of the run.
        out: the folder to write.
    """
    note = ""
    if limits.seconds is not None:
        note = (
            "How many generations fit into the time depends on the machine. The same number of generations gives the "
            "same result on any: see --generations."
        )
    changed = _changed(configuration)
    if any(name in changed for name in _OF_PYTHON):
        return Reproduction(False, _in_python({"tasks": configuration.tasks, **changed}, limits, out), note)
    return Reproduction(True, shlex.join(_command(configuration, changed, limits, out)), note)


def _changed(configuration: Configuration) -> dict[str, Any]:
    """Return the fields that are not as a run has them where nothing is given."""
    default = Configuration(configuration.tasks)
    values = {each.name: getattr(configuration, each.name) for each in fields(configuration)}
    return {name: value for name, value in values.items() if value != getattr(default, name)}


def _command(configuration: Configuration, changed: dict[str, Any], limits: Limits, out: str) -> list[str]:
    words = ["zcproxy", "evolve", *dict.fromkeys(configuration.goals or configuration.tasks)]
    for task in configuration.hold_out:
        words += ["--hold-out", task]
    for name, value in changed.items():
        if name not in _WRITTEN_APART:
            words += [option_of(name), ",".join(value) if isinstance(value, tuple) else str(value)]
    if configuration.use_set_aside:
        words.append("--use-set-aside")
    for record in configuration.plugins:
        words += ["--plugin", record.rpartition("#")[0]]
    if configuration.teacher:
        words += ["--teacher", configuration.teacher.partition("#")[0]]
    if limits.seconds is not None:
        words += ["--budget", f"{limits.seconds:g}s"]
    for name in ("generations", "evaluations"):
        if getattr(limits, name) is not None:
            words += [option_of(name), str(getattr(limits, name))]
    return [*words, "--out", out]


def option_of(name: str) -> str:
    """Return the option that is named like a field."""
    return f"--{name.replace('_', '-')}"


def _in_python(settings: dict[str, Any], limits: Limits, out: str) -> str:
    given = {each.name: getattr(limits, each.name) for each in fields(limits)}
    stops = ", ".join(f"{name}={value!r}" for name, value in given.items() if value is not None)
    written = "".join(f"    {name}={value!r},\n" for name, value in settings.items())
    return (
        "from pathlib import Path\n\nfrom zcproxy import Configuration, Limits, evolve\n\n"
        f"configuration = Configuration(\n{written})\n"
        f"evolve(configuration, Limits({stops}), Path({out!r}))"
    )
