"""What the searches here are called, on disk and in the progress shown."""

from __future__ import annotations

from zcproxy.display import RunDisplay
from zcproxy.search.run import Step


def folder_name(method: str) -> str:
    """Return the name of a method as a folder."""
    return method.replace(", ", "-").replace(" ", "-")


def told(display: RunDisplay, name: str) -> Step:
    """Return what tells the display of the steps of a search by this name."""
    return lambda what, done, total: display.step(f"{name}: {what}", done, total)
