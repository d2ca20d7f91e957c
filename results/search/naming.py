"""What the searches here are called, on disk and in the progress shown."""

from __future__ import annotations

from pathlib import Path

from zcproxy.cli.display import RunDisplay
from zcproxy.workers.progress import Step


def folder_name(method: str) -> str:
    """Return the name of a method as a folder."""
    return method.replace(", ", "-").replace(" ", "-")


def folder_of(out: Path, task: str, method: str) -> Path:
    """Return where the searches of a task by a method are, a folder a seed."""
    return out / task.replace("/", "-") / folder_name(method)


def told(display: RunDisplay, name: str) -> Step:
    """Return what tells the display of the steps of a search by this name."""
    return lambda what, done, total: display.step(f"{name}: {what}", done, total)
