"""The column store: what a sweep has measured, on disk, so that asking for a known column costs nothing.

A context (task, probe settings, initialisation) has a folder of Arrow files, each with the columns of a few networks. A
file is written beside its place and renamed, so that a killed sweep loses at most the networks it was working on.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import pyarrow as pa

from zcproxy.benchmarks.image_sets import ImageSet
from zcproxy.files import cannot_write, replacing, write_text
from zcproxy.formula import Node, vocabulary
from zcproxy.sweep.expressions import looks_at_images
from zcproxy.sweep.measure import Measurement

SHARED_BY_PRIMITIVES = "zcproxy.primitives.arrays"
CODE_VERSION = 2
"""Raised when probes, recorder or descriptors change what they measure: older columns are then not read any more."""


@dataclass(frozen=True)
class Context:
    """Everything besides the architecture and the expression that a column depends on.

    Attributes:
        task: name of the task whose networks and images are used.
        batch_size: samples of a minibatch.
        initialisation: index of the random initialisation and of the random inputs.
        device: `cpu` or `cuda`.
        images: token of what the minibatches are made of, see `zcproxy.benchmarks.image_sets`; empty for what is at
            hand. It is part of the key of the columns that look at images, not of the context's.
    """

    task: str
    batch_size: int = 8
    initialisation: int = 0
    device: str = "cpu"
    images: str = ""

    def shared(self) -> dict[str, Any]:
        """Return what all columns of the context's folder have in common."""
        return {name: value for name, value in asdict(self).items() if name != "images"}

    @property
    def key(self) -> str:
        """The name of the context's folder."""
        from zcproxy.benchmarks import get_task

        text = json.dumps([CODE_VERSION, self.shared(), get_task(self.task).fingerprint], sort_keys=True)
        name = re.sub(r"[^A-Za-z0-9_.]+", "-", self.task).strip("-")[-60:]
        return f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


@dataclass(frozen=True)
class ContextSummary:
    """What `zcproxy columns info` shows of one context."""

    folder: Path
    context: Context
    networks: int
    columns: int
    bytes: int


def default_cache() -> Path:
    """Return the cache directory: `ZCPROXY_CACHE`, else the user's."""
    chosen = os.environ.get("ZCPROXY_CACHE")
    return Path(chosen) if chosen else platformdirs.user_cache_path("zcproxy")


@cache
def column_key(column: Node) -> str:
    """Return the text of a column with the version of the code it is computed by: the files of its primitives.

    What primitives share counts for all of them.
    """
    names = {node.symbol for node in column.walk() if node.arguments}
    modules = {function.__module__ for name in names for function in vocabulary().primitives[name].functions.values()}
    versions = [_module_version(name) for name in sorted(modules | {SHARED_BY_PRIMITIVES})]
    return f"{column} #{hashlib.sha256(' '.join(versions).encode()).hexdigest()[:8]}"


@cache
def _module_version(name: str) -> str:
    return hashlib.sha256(inspect.getsource(sys.modules[name]).encode()).hexdigest()


class ColumnStore:
    """Measured columns of one context.

    Args:
        root: the cache directory.
        context: what the columns depend on.
    """

    def __init__(self, root: Path, context: Context) -> None:
        self.folder = root / "columns" / context.key
        self.context = context
        self._known: dict[str, dict[str, Path]] = {}
        for path in sorted(self.folder.glob("*.arrow")):
            self._index(path)

    def _index(self, path: Path) -> None:
        content = _content(path)
        if content is None:
            path.unlink()
            return
        architectures, names = content
        for architecture in architectures:
            self._known.setdefault(architecture, {}).update(dict.fromkeys(names, path))

    @cached_property
    def images(self) -> ImageSet:
        """What the minibatches are made of."""
        from zcproxy.benchmarks import get_task
        from zcproxy.benchmarks.minibatch import images_of

        return images_of(get_task(self.context.task), self.context.images)

    def _key(self, column: Node) -> str:
        """Return the key of a column, with the images where it looks at them."""
        tag = self.images.tag if looks_at_images(column) else ""
        return f"{column_key(column)} {tag}".rstrip()

    def missing(self, architecture: str, columns: Iterable[Node]) -> tuple[Node, ...]:
        """Return the columns that have not been measured for an architecture."""
        known = self._known.get(architecture, {})
        return tuple(column for column in columns if self._key(column) not in known)

    def write(self, architectures: Sequence[str], columns: Sequence[Node], measured: Sequence[Measurement]) -> None:
        """Add the columns of a few architectures as one file. Raises `StorageError` if the disk is full."""
        arrays: dict[str, pa.Array] = {
            "arch": pa.array(architectures, pa.string()),
            "layers": pa.array([item.layers for item in measured], pa.int32()),
        }
        for column in columns:
            precision = pa.from_numpy_dtype(np.result_type(*(item.values[column].dtype for item in measured)))
            arrays[self._key(column)] = pa.array([item.values[column] for item in measured], pa.list_(precision))
        table = pa.table(arrays)
        name = hashlib.sha256("\n".join([*architectures, *arrays]).encode()).hexdigest()[:20]
        manifest = self.folder / "context.json"
        if not manifest.exists():
            write_text(manifest, json.dumps(self.context.shared(), indent=2) + "\n")
        path = self.folder / f"{name}.arrow"
        with replacing(path) as temporary, pa.ipc.new_file(str(temporary), table.schema) as writer:
            writer.write_table(table)
        for architecture in architectures:
            self._known.setdefault(architecture, {}).update(dict.fromkeys(arrays, path))

    def read(self, architectures: Sequence[str], columns: Sequence[Node]) -> list[Measurement]:
        """Return the columns of architectures that are all measured, in the order given."""
        keys = {column: self._key(column) for column in columns}
        wanted: dict[Path, dict[str, set[Node]]] = {}
        for architecture in architectures:
            for column, key in keys.items():
                path = self._known[architecture][key]
                wanted.setdefault(path, {}).setdefault(architecture, set()).add(column)
        found: dict[str, tuple[int, dict[Node, np.ndarray]]] = {name: (0, {}) for name in architectures}
        for path, rows in wanted.items():
            with pa.memory_map(str(path)) as source:
                table = pa.ipc.open_file(source).read_all()
                place = {name: row for row, name in enumerate(table.column("arch").to_pylist())}
                needed = set().union(*rows.values())
                data = {column: table.column(keys[column]).combine_chunks() for column in needed}
                counts = table.column("layers").to_pylist()
                for architecture, asked in rows.items():
                    row = place[architecture]
                    values = found[architecture][1]
                    values.update({column: np.array(data[column][row].values) for column in asked})
                    found[architecture] = (counts[row], values)
        return [Measurement(*found[architecture]) for architecture in architectures]


def _content(path: Path) -> tuple[list[str], list[str]] | None:
    """Return the architectures and the keys of the columns in a file; None if it is torn."""
    try:
        with pa.memory_map(str(path)) as source:
            table = pa.ipc.open_file(source).read_all()
            return table.column("arch").to_pylist(), table.schema.names[2:]
    except pa.ArrowInvalid:
        return None


def summaries(root: Path) -> list[ContextSummary]:
    """Return what the cache holds, context by context; without what is torn."""
    result = []
    for manifest in sorted((root / "columns").glob("*/context.json")):
        try:
            context = Context(**json.loads(manifest.read_text(encoding="utf-8")))
        except (ValueError, TypeError):
            continue
        networks: set[str] = set()
        columns: set[str] = set()
        size = 0
        for path in manifest.parent.glob("*.arrow"):
            content = _content(path)
            if content is not None:
                networks.update(content[0])
                columns.update(content[1])
            size += path.stat().st_size
        result.append(ContextSummary(manifest.parent, context, len(networks), len(columns), size))
    return result


def clear(root: Path) -> int:
    """Delete all measured columns and return the bytes freed. Raises `StorageError` if the folder is protected."""
    folder = root / "columns"
    freed = sum(path.stat().st_size for path in folder.rglob("*.arrow"))
    try:
        if folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        raise cannot_write(folder, error) from error
    return freed
