"""Names of the searches here, on disk and in the progress display."""

from __future__ import annotations

from pathlib import Path

from zcproxy.cli.display import RunDisplay
from zcproxy.workers.progress import Step


def folder_name(method: str) -> str:
    """Return the name of a method as a folder."""
    return method.replace(", ", "-").replace(" ", "-")


def folder_of(out: Path, task: str, method: str) -> Path:
    """Return where the searches of a task by a method are, one folder per seed."""
    return out / task.replace("/", "-") / folder_name(method)


def told(display: RunDisplay, name: str) -> Step:
    """Return a callback that shows the steps of a search under this name."""
    return lambda what, done, total: display.step(f"{name}: {what}", done, total)
