"""A folder that belongs to one configuration: of a run, of a search, of a build. Each has a journal beside it."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from zcproxy.errors import RunError, first_difference
from zcproxy.storage.claims import claimed, is_unclaimed, remove_partials
from zcproxy.storage.files import write_text
from zcproxy.storage.records import Journal
from zcproxy.storage.run_options import RUN_FILE

Setting = TypeVar("Setting")


class ClaimedFolder(ABC, Generic[Setting]):
    """Reads and writes the files of one folder.

    Attributes:
        path: the folder.
        what: the kind of folder, for messages, such as `run`.
        file: name of the file that claims it.
        begun: names of files that are written before that, besides the options of a command.
        journal_file: name of the journal.
        when_damaged: what becomes of the lines of the journal that are damaged, for a notice.
    """

    what: ClassVar[str]
    file: ClassVar[str]
    begun: ClassVar[tuple[str, ...]] = ()
    journal_file: ClassVar[str] = "journal.jsonl"
    when_damaged: ClassVar[str] = ""

    def __init__(self, path: Path) -> None:
        self.path = path

    @abstractmethod
    def configuration(self) -> Setting:
        """Return what the folder belongs to. Raises `RunError` if that cannot be told."""

    def held(self) -> Setting | None:
        """Return what the folder belongs to; None where it is new. Raises `RunError` if it holds other files."""
        if os.path.lexists(self.path / self.file):
            return self.configuration()
        if not is_unclaimed(self.path, (RUN_FILE, *self.begun)):
            raise RunError(f"{self.path} exists and holds no {self.what}: choose another `out`")
        return None

    def check_same(self, known: Mapping[str, Any], wanted: Mapping[str, Any], advice: str = "") -> None:
        """Raise `RunError` where the folder belongs to other settings, and say what may be done besides."""
        if known != wanted:
            difference = first_difference(known, wanted)
            raise RunError(f"{self.path} holds a {self.what} with {difference}: choose another `out`{advice}")

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Hold the folder, so that no other process works in it, and clean it of what killed writes left."""
        with claimed(self.path):
            remove_partials(self.path)
            yield

    def write_options(self, text: str) -> None:
        """Write the options of the command, if there are any: before the file that makes it possible to go on."""
        if text:
            write_text(self.path / RUN_FILE, text)

    @property
    def _journal(self) -> Journal:
        place = self.path / self.journal_file
        return Journal(place, self.when_damaged) if self.when_damaged else Journal(place)
