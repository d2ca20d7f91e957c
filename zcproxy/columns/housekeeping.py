"""Inventory and deletion of the column store: the commands `zcproxy columns ...`."""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zcproxy.columns.context import column_key, is_key_of, plugin_digests
from zcproxy.columns.files import ATTEMPTS, DAMAGED, LOOSE, PACK, UNREADABLE, read_heading
from zcproxy.columns.store import FOLDER
from zcproxy.errors import FormulaError
from zcproxy.primitives import parse
from zcproxy.storage.files import cannot_read, cannot_write

PAUSE = 0.01
"""Seconds between two tries to delete a folder that another process writes to."""


@dataclass(frozen=True)
class ContextSummary:
    """One context, as `zcproxy columns info` shows it.

    Attributes:
        folder: where it is.
        settings: what its columns have in common, see `Context.shared`; None where no file can be read: of another
            version, or damaged.
        networks: number of networks with columns.
        keys: the keys of its columns, see `zcproxy.columns.context.column_key`.
        bytes: bytes of all files.
    """

    folder: Path
    settings: Mapping[str, Any] | None
    networks: int
    keys: frozenset[str]
    bytes: int

    @property
    def columns(self) -> int:
        """The number of distinct columns."""
        return len(self.keys)

    @property
    def of_plugins(self) -> int:
        """The number of columns that read words of the plugins that are loaded, with the content that they have now."""
        return sum(map(_is_of_plugin, self.keys))


def summaries(root: Path) -> list[ContextSummary]:
    """Return what the cache holds, context by context; of what cannot be read, its size.

    Raises:
        StorageError: the cache may not be read.
    """
    return [_summary(folder) for folder in _folders(root)]


def _summary(folder: Path) -> ContextSummary:
    settings: Mapping[str, Any] | None = None
    networks: set[str] = set()
    columns: set[str] = set()
    size = 0
    for path in _sized(folder):
        size += path[1]
        with suppress(*UNREADABLE):
            header = read_heading(path[0])
            settings = header["context"]
            networks.update(header["architectures"])
            columns.update(header["columns"])
    return ContextSummary(folder, settings, len(networks), frozenset(columns), size)


def _is_of_plugin(key: str) -> bool:
    try:
        column = parse(key.partition(" #")[0])
    except FormulaError:  # of a plugin that is not loaded, or an older language
        return False
    return bool(plugin_digests(column)) and is_key_of(key, column_key(column))


def _folders(root: Path) -> list[Path]:
    try:
        return sorted(Path(entry.path) for entry in os.scandir(root / FOLDER) if entry.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise cannot_read(root / FOLDER, error) from error


def _sized(folder: Path) -> Iterator[tuple[Path, int]]:
    """Yield the files of columns in a folder, those that were set aside too, and their bytes."""
    try:
        entries = [entry for entry in os.scandir(folder) if Path(entry.name).suffix in (LOOSE, PACK, DAMAGED)]
    except FileNotFoundError:
        return
    except OSError as error:
        raise cannot_read(folder, error) from error
    for entry in entries:
        with suppress(FileNotFoundError):
            yield Path(entry.path), entry.stat(follow_symlinks=False).st_size


def clear(root: Path) -> int:
    """Delete all measured columns and return the bytes freed. Raises `StorageError` if the folder is protected."""
    folder = root / FOLDER
    freed = sum(size for each in _folders(root) for _, size in _sized(each))
    for attempt in range(ATTEMPTS):
        try:
            if os.path.lexists(folder):
                shutil.rmtree(folder)
            break
        except OSError as error:
            busy = isinstance(error, FileNotFoundError) or error.errno == errno.ENOTEMPTY  # another process writes
            if attempt == ATTEMPTS - 1 or not busy:
                raise cannot_write(folder, error) from error
            time.sleep(PAUSE)
    return freed
