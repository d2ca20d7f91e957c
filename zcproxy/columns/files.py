"""The files of columns: loose ones, of the few networks that a job measured, and packs that many were folded into.

Both are sealed (see `zcproxy.storage.sealed`): a line with a checksum says which networks and columns are inside, then
comes Arrow. A loose file is read whole. A pack has a part for each column: what is read of it is what is asked for.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from zcproxy.columns.rows import STRUCTURE, Rows, rows_of_table
from zcproxy.errors import StorageError
from zcproxy.storage.files import cannot_read, replacing, write_text
from zcproxy.storage.notices import notice
from zcproxy.storage.sealed import DamagedError, opened_parts, read_header, read_sealed, seal, seal_parts

LOOSE, PACK = ".arrow", ".pack"
"""Suffixes. Versions without packs read the loose files alone."""
DAMAGED = ".damaged"
"""Suffix of files that were set aside."""
KINDS = {LOOSE: "columns-2", PACK: "columns-pack-1"}
STRUCTURE_PART = "structure"
"""The part of a pack with what is no column."""
MANIFEST = "context.json"
"""Says, for people, what the columns of a folder have in common."""
UNREADABLE = (DamagedError, OSError, ValueError, LookupError, pa.ArrowException)
"""What reading a file raises that is not what was written."""
ATTEMPTS = 50
"""Times that a write or a deletion is tried while another process deletes or writes the same folder."""
OF_DELETIONS = (FileNotFoundError, FileExistsError)
"""What fails where a folder is deleted meanwhile: also making it, if it is gone when that is looked at."""
ABANDONED_SECONDS = 86400.0
"""Age from which an unfinished file is taken for one that a killed process left."""


@dataclass(frozen=True, eq=False)
class ColumnFile:
    """A file of columns.

    Attributes:
        path: path of the file.
        columns: keys of its columns; files with the same ones share the set.
        size: bytes of its content.
    """

    path: Path
    columns: frozenset[str]
    size: int

    @property
    def is_pack(self) -> bool:
        """Whether it is a pack."""
        return self.path.suffix == PACK


def read_heading(path: Path) -> Mapping[str, Any]:
    """Return what a file says of itself: `context`, `architectures`, `columns`, `bytes`. Raises one of `UNREADABLE`."""
    return read_header(path, KINDS[path.suffix], path.parent.name)


def read_rows(path: Path, keys: Collection[str] | None = None) -> Rows:
    """Return the networks of a file and their columns, parsed from bytes that were checked.

    Args:
        path: path of the file.
        keys: the columns to read beside the structure; None for all.

    Raises:
        UNREADABLE: it is gone, damaged, or lacks a column.
    """
    owner = path.parent.name
    if path.suffix == LOOSE:
        sealed = read_sealed(path, KINDS[LOOSE], owner)
        table = _parsed(sealed.content)
        wanted = sealed.header["columns"] if keys is None else keys
        return rows_of_table(sealed.header["architectures"], table.select([*STRUCTURE, *wanted]))
    with opened_parts(path, KINDS[PACK], owner) as parts:
        structure = _parsed(parts.read(STRUCTURE_PART))
        columns = {}
        for key in parts.header["columns"] if keys is None else keys:
            table = _parsed(parts.read(key))
            columns[key] = {name: table.column(name).combine_chunks() for name in table.column_names}
        return Rows(parts.header["architectures"], structure, columns)


def write_loose(folder: Path, settings: Mapping[str, Any], networks: Sequence[str], table: pa.Table) -> ColumnFile:
    """Write the columns of a few networks. Raises `StorageError`.

    Args:
        folder: of a context.
        settings: what its columns have in common.
        networks: texts that stand for the networks.
        table: a row for each: `STRUCTURE`, then columns under their keys.
    """
    keys = [name for name in table.column_names if name not in STRUCTURE]
    header = {"context": settings, "architectures": list(networks), "columns": keys}
    content = seal(_serialised(table), KINDS[LOOSE], folder.name, header)
    return _written(folder, LOOSE, settings, header, content)


def write_pack(folder: Path, settings: Mapping[str, Any], rows: Rows) -> ColumnFile:
    """Write a pack. When this returns it is on the disk for good, and what was folded may go. Raises `StorageError`."""
    header = {"context": settings, "architectures": list(rows.networks), "columns": list(rows.columns)}
    parts = {STRUCTURE_PART: _serialised(rows.structure)}
    parts |= {key: _serialised(pa.table(arrays)) for key, arrays in rows.columns.items()}
    content = seal_parts(parts, KINDS[PACK], folder.name, header)
    return _written(folder, PACK, settings, header, content)


def set_aside(damaged: Sequence[tuple[Path, Exception]]) -> None:
    """Rename files so that they are not read any more, where that is possible, and say so in one line."""
    if not damaged:
        return
    for path, _ in damaged:
        with suppress(OSError):  # of a read-only folder: it is left out
            os.replace(path, path.with_suffix(DAMAGED))
    (path, error), others = damaged[0], len(damaged) - 1
    more = f" (and {others} more)" if others else ""
    reason = " ".join(str(getattr(error, "strerror", None) or error).split()) or type(error).__name__
    notice(f"damaged, set aside and measured again: {path}{more}: {reason}")


def files_in(folder: Path) -> list[Path]:
    """Return the files of a context, without those that killed writes left long ago, which are deleted.

    Raises:
        StorageError: the folder may not be read.
    """
    try:
        names = sorted(os.listdir(folder))
        for name in names:
            if name.endswith(".partial") and time.time() - (folder / name).lstat().st_mtime > ABANDONED_SECONDS:
                with suppress(OSError):
                    (folder / name).unlink()
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise cannot_read(folder, error) from error
    return [folder / name for name in names if Path(name).suffix in (LOOSE, PACK) and not name.startswith(".")]


def _written(
    folder: Path, suffix: str, settings: Mapping[str, Any], header: Mapping[str, Any], content: bytes
) -> ColumnFile:
    """Write a file of a folder, which another process may be deleting (`zcproxy columns clear`)."""
    names = chr(10).join([*header["architectures"], *header["columns"]])
    path = folder / f"{hashlib.sha256(names.encode()).hexdigest()[:20]}{suffix}"
    for attempt in range(ATTEMPTS):
        try:
            if not os.path.lexists(folder / MANIFEST):
                write_text(folder / MANIFEST, json.dumps(settings, indent=2) + "\n")
            with replacing(path) as temporary, temporary.open("wb") as stream:
                stream.write(content)
                if suffix == PACK:
                    stream.flush()
                    os.fsync(stream.fileno())
            break
        except StorageError as error:
            if attempt == ATTEMPTS - 1 or not isinstance(error.__cause__, OF_DELETIONS):
                raise
    return ColumnFile(path, frozenset(header["columns"]), len(content))


def _serialised(table: pa.Table) -> bytes:
    stream = pa.BufferOutputStream()
    with pa.ipc.new_file(stream, table.schema) as writer:
        writer.write_table(table)
    return stream.getvalue().to_pybytes()


def _parsed(content: bytes) -> pa.Table:
    return pa.ipc.open_file(pa.BufferReader(content)).read_all()
