"""The column store: what a sweep has measured, on disk, so that asking for a known column costs nothing.

A context (task, probe settings, initialisation) has a folder of files, each with the columns of a few networks: a line
with a checksum that says which, then Arrow (see `zcproxy.storage.sealed`). A file is written beside its place and
renamed, so that a killed sweep loses at most the networks it was working on. A damaged one is set aside and measured
again.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa

from zcproxy.columns.context import Context, column_key
from zcproxy.errors import StorageError
from zcproxy.formula import Node
from zcproxy.images.image_sets import ImageSet
from zcproxy.images.minibatch import images_of
from zcproxy.probing.beside import check_taught, reads_teacher
from zcproxy.probing.coverage import coverage_from
from zcproxy.probing.expressions import looks_at_images
from zcproxy.probing.measure import Measurement
from zcproxy.storage.files import cannot_read, replacing, write_text
from zcproxy.storage.notices import notice
from zcproxy.storage.sealed import DamagedError, read_header, read_sealed, seal

KIND = "columns-2"
LAYERS, BLOCKS, COVERAGE, STAGES, EDGES = "layers", "blocks", "coverage", "stages", "edges"
STRUCTURE = (LAYERS, BLOCKS, COVERAGE, STAGES, EDGES)
"""What every file says of its networks beside their columns."""
DAMAGED = ".damaged"
"""Suffix of files that were set aside."""
ATTEMPTS = 50
"""Times that a write or a deletion is tried while another process deletes or writes the same folder."""
OF_DELETIONS = (FileNotFoundError, FileExistsError)
"""What fails where a folder is deleted meanwhile: also making it, if it is gone when that is looked at."""
ABANDONED_SECONDS = 86400.0
"""Age from which an unfinished file is taken for one that a killed process left."""


class LostColumnsError(Exception):
    """Columns that the store had are gone or damaged and must be measured again."""


class ColumnStore:
    """Measured columns of one context.

    Args:
        root: the cache directory.
        context: what the columns depend on.

    Raises:
        StorageError: the folder of the context may not be read.
    """

    def __init__(self, root: Path, context: Context) -> None:
        self.folder = root / "columns" / context.key
        self.context = context
        self._known: dict[str, dict[str, Path]] = {}
        damaged = []
        for path in _files(self.folder):
            try:
                header = read_header(path, KIND, self.folder.name)
            except FileNotFoundError:
                continue
            except (DamagedError, OSError) as error:
                damaged.append((path, error))
                continue
            self._index(path, header["architectures"], header["columns"])
        _set_aside(damaged)

    def _index(self, path: Path, architectures: Sequence[str], names: Sequence[str]) -> None:
        for architecture in architectures:
            self._known.setdefault(architecture, {}).update(dict.fromkeys(names, path))

    @cached_property
    def images(self) -> ImageSet:
        """The images that minibatches are made of."""
        return images_of(self.context.task, self.context.images)

    @cached_property
    def teacher(self) -> str:
        """The teacher that columns read, with its digest."""
        return self.context.teacher_token()

    def _key(self, column: Node) -> str:
        """Return the key of a column, with the images where it looks at them, and the teacher where it reads one."""
        tag = self.images.tag if looks_at_images(column) else ""
        key = f"{column_key(column)} {tag}".rstrip()
        if not reads_teacher(column):
            return key
        check_taught([f"'{column}'"], self.teacher)
        return f"{key} teacher {self.teacher.rpartition('#')[2]}"

    def _stored(self, architecture: str) -> str:
        """Return the text that stands for a network in the files; a task whose networks may change has the method."""
        stored_as = getattr(self.context.task, "stored_as", None)
        return architecture if stored_as is None else str(stored_as(architecture))

    def missing(self, architecture: str, columns: Iterable[Node]) -> tuple[Node, ...]:
        """Return the columns that have not been measured for an architecture."""
        known = self._known.get(self._stored(architecture), {})
        return tuple(column for column in columns if self._key(column) not in known)

    def write(self, architectures: Sequence[str], columns: Sequence[Node], measured: Sequence[Measurement]) -> None:
        """Add the columns of a few architectures as one file. Raises `StorageError` if the disk is full."""
        arrays: dict[str, pa.Array] = {
            LAYERS: pa.array([item.layers for item in measured], pa.int32()),
            BLOCKS: pa.array([item.blocks for item in measured], pa.list_(pa.int32())),
            COVERAGE: pa.array([item.coverage.text for item in measured]),
            STAGES: pa.array([item.stages for item in measured], pa.list_(pa.int32())),
            EDGES: pa.array([item.edges for item in measured], pa.list_(pa.list_(pa.int32(), 2))),
        }
        for column in columns:
            precision = pa.from_numpy_dtype(np.result_type(*(item.values[column].dtype for item in measured)))
            arrays[self._key(column)] = pa.array([item.values[column] for item in measured], pa.list_(precision))
        names = list(arrays)[len(STRUCTURE) :]
        table = pa.table(arrays)
        stream = pa.BufferOutputStream()
        with pa.ipc.new_file(stream, table.schema) as writer:
            writer.write_table(table)
        stored = list(map(self._stored, architectures))
        header = {"context": self.context.shared(), "architectures": stored, "columns": names}
        content = seal(stream.getvalue().to_pybytes(), KIND, self.folder.name, header)
        path = self.folder / f"{hashlib.sha256(chr(10).join([*stored, *names]).encode()).hexdigest()[:20]}.arrow"
        _write_into(self.folder, path, content, self.context)
        self._index(path, stored, names)

    def read(self, architectures: Sequence[str], columns: Sequence[Node]) -> list[Measurement]:
        """Return the columns of architectures that are all measured, in the order given.

        Raises:
            LostColumnsError: a file is gone or damaged. It is set aside; `missing` then tells what has to be measured.
        """
        keys = {column: self._key(column) for column in columns}
        wanted: dict[Path, dict[str, set[Node]]] = {}
        for architecture in architectures:
            for column, key in keys.items():
                path = self._known[self._stored(architecture)][key]
                wanted.setdefault(path, {}).setdefault(architecture, set()).add(column)
        found = {name: Measurement(0, {}) for name in architectures}
        lost: dict[Path, Exception] = {}
        for path, rows in wanted.items():
            try:
                place, table = _table(path, self.folder.name)
            except (DamagedError, OSError, ValueError, LookupError, pa.ArrowException) as error:
                lost[path] = error
                continue
            needed = set().union(*rows.values())
            data = {column: table.column(keys[column]).combine_chunks() for column in needed}
            structures = [table.column(name).to_pylist() for name in STRUCTURE]
            for architecture, asked in rows.items():
                row = place[self._stored(architecture)]
                values = found[architecture].values
                values.update({column: np.array(data[column][row].values) for column in asked})
                count, blocks, coverage, stages, edges = (column[row] for column in structures)
                found[architecture] = Measurement(
                    count,
                    values,
                    coverage=coverage_from(coverage),
                    blocks=tuple(blocks),
                    stages=tuple(stages),
                    edges=tuple((source, target) for source, target in edges),
                )
        if lost:
            self._forget(lost)
        return [found[architecture] for architecture in architectures]

    def _forget(self, lost: Mapping[Path, Exception]) -> None:
        for known in self._known.values():
            for name in [name for name, path in known.items() if path in lost]:
                del known[name]
        _set_aside([(path, error) for path, error in lost.items() if not isinstance(error, FileNotFoundError)])
        raise LostColumnsError


def _table(path: Path, owner: str) -> tuple[dict[str, int], pa.Table]:
    """Return the row of each architecture and the columns of a file, parsed from the bytes that were checked."""
    sealed = read_sealed(path, KIND, owner)
    table = pa.ipc.open_file(pa.BufferReader(sealed.content)).read_all()
    return {name: row for row, name in enumerate(sealed.header["architectures"])}, table


def _write_into(folder: Path, path: Path, content: bytes, context: Context) -> None:
    """Write a file of a folder, which another process may be deleting (`zcproxy columns clear`)."""
    for attempt in range(ATTEMPTS):
        try:
            manifest = folder / "context.json"
            if not os.path.lexists(manifest):
                write_text(manifest, json.dumps(context.shared(), indent=2) + "\n")
            with replacing(path) as temporary:
                temporary.write_bytes(content)
            return
        except StorageError as error:
            if attempt == ATTEMPTS - 1 or not isinstance(error.__cause__, OF_DELETIONS):
                raise


def _set_aside(damaged: Sequence[tuple[Path, Exception]]) -> None:
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


def _files(folder: Path) -> list[Path]:
    """Return the files of a context, without those that killed writes left long ago, which are deleted."""
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
    return [folder / name for name in names if name.endswith(".arrow") and not name.startswith(".")]
