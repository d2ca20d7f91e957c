"""Descriptions of the images in a minibatch, shown beside every number that was measured on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from zcproxy.errors import RunError
from zcproxy.storage.fields import read_fields
from zcproxy.storage.records import read_record_file, write_record_file

FILE = "images.json"
"""In the directory of a run: what each task was shown when the run began, so that it resumes with the same."""

OWN, OFFICIAL, SAMPLE, PHOTOGRAPHS, BROUGHT, NOISE = "own", "official", "sample", "photographs", "task", "noise"
"""Images of the user; of the dataset's own files; of a sample of them; crops of two photographs; what a task brings."""

_AS_EVER = (SAMPLE, BROUGHT, NOISE)
"""Kinds that the column store does not tell apart: the task settles which one it is."""


@dataclass(frozen=True)
class ImageSet:
    """The images of a minibatch.

    Attributes:
        token: kind, then digest or version, then the user's name for them: any process finds the same images by it.
        description: what they are, in a few words, as files and tables say it.
        advice: how to use others, for the screen; empty where they are the dataset's own.
    """

    token: str
    description: str
    advice: str = ""

    @property
    def tag(self) -> str:
        """What tells columns measured on these images from those on others; empty for what a task has by itself."""
        kind, *rest = self.token.split(" ")
        return "" if kind in _AS_EVER else " ".join([kind, *rest[:1]])

    @property
    def line(self) -> str:
        """The line that the screen shows."""
        return f"images: {self.description}" + (f" ({self.advice})" if self.advice else "")


def keep_image_sets(folder: Path, found: Mapping[str, ImageSet]) -> None:
    """Write what each task of a run is shown into its directory. Raises `StorageError`."""
    shown = {task: {"token": each.token, "description": each.description} for task, each in found.items()}
    write_record_file(folder / FILE, {"shown": shown})


def kept_image_sets(folder: Path) -> dict[str, ImageSet]:
    """Return what `keep_image_sets` wrote into a directory; nothing where it did not. Raises `RunError`."""
    place = folder / FILE
    try:
        return read_fields(_Kept, read_record_file(place), str(place), RunError).shown
    except FileNotFoundError:
        return {}
    except RunError as error:
        raise RunError(f"{error}; or delete it to continue with the images at hand") from error


@dataclass(frozen=True)
class _Kept:
    shown: dict[str, ImageSet]
