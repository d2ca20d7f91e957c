"""The column store: what a sweep has measured, on disk, so that asking for a known column costs nothing.

A context (task, probe settings, initialisation) has a folder of files, see `zcproxy.columns.folder`. A file is written
beside its place and renamed, so that a killed sweep loses at most the networks it was working on. A damaged one is set
aside and measured again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa

from zcproxy.columns.context import Context, column_key
from zcproxy.columns.folder import ColumnFolder, LostColumnsError as LostColumnsError
from zcproxy.columns.gathering import table_from
from zcproxy.columns.rows import BLOCKS, COVERAGE, EDGES, LAYERS, STAGES, STRUCTURE_SCHEMA
from zcproxy.columns.table import ColumnTable, table_of
from zcproxy.formula import Node
from zcproxy.images.image_sets import ImageSet
from zcproxy.images.minibatch import images_of
from zcproxy.probing.beside import check_taught, reads_teacher
from zcproxy.probing.expressions import looks_at_images
from zcproxy.probing.measure import Measurement

FOLDER = "columns"
"""In the cache directory: a folder per context."""


class ColumnStore:
    """Measured columns of one context.

    Args:
        root: the cache directory.
        context: what the columns depend on.

    Raises:
        StorageError: the folder of the context may not be read.
    """

    def __init__(self, root: Path, context: Context) -> None:
        self.context = context
        self.files = ColumnFolder(root / FOLDER / context.key, context.shared())

    @property
    def folder(self) -> Path:
        """The folder of the context."""
        return self.files.path

    @cached_property
    def images(self) -> ImageSet:
        """The images that minibatches are made of."""
        return images_of(self.context.task, self.context.images)

    @cached_property
    def teacher(self) -> str:
        """The teacher that columns read, with its digest."""
        return self.context.teacher_token()

    def key(self, column: Node) -> str:
        """Return the key of a column, with the images where it looks at them, and the teacher where it reads one."""
        tag = self.images.tag if looks_at_images(column) else ""
        key = f"{column_key(column)} {tag}".rstrip()
        if not reads_teacher(column):
            return key
        check_taught([f"'{column}'"], self.teacher)
        return f"{key} teacher {self.teacher.rpartition('#')[2]}"

    def stored(self, architecture: str) -> str:
        """Return the text that stands for a network in the files; a task whose networks may change has the method."""
        stored_as = getattr(self.context.task, "stored_as", None)
        return architecture if stored_as is None else str(stored_as(architecture))

    def missing(self, architecture: str, columns: Iterable[Node]) -> tuple[Node, ...]:
        """Return the columns that have not been measured for an architecture."""
        return next(iter(self.lacking([architecture], columns)), ())

    def lacking(self, architectures: Iterable[str], columns: Iterable[Node]) -> dict[tuple[Node, ...], list[str]]:
        """Return the architectures that lack columns, by the columns that they lack."""
        keys = {column: self.key(column) for column in columns}
        lacked: dict[tuple[frozenset[str], ...], tuple[Node, ...]] = {}
        groups: dict[tuple[Node, ...], list[str]] = {}
        for architecture in architectures:
            sets = self.files.sets_of(self.stored(architecture))
            if sets not in lacked:
                known = frozenset().union(*sets)
                lacked[sets] = tuple(column for column, key in keys.items() if key not in known)
            if lacked[sets]:
                groups.setdefault(lacked[sets], []).append(architecture)
        return groups

    def write(self, architectures: Sequence[str], columns: Sequence[Node], measured: Sequence[Measurement]) -> None:
        """Add the columns of a few architectures as one file. Raises `StorageError` if the disk is full."""
        structure = {
            LAYERS: [item.layers for item in measured],
            BLOCKS: [item.blocks for item in measured],
            COVERAGE: [item.coverage.text for item in measured],
            STAGES: [item.stages for item in measured],
            EDGES: [item.edges for item in measured],
        }
        arrays = {name: pa.array(values, STRUCTURE_SCHEMA.field(name).type) for name, values in structure.items()}
        for column in columns:
            precision = pa.from_numpy_dtype(np.result_type(*(item.values[column].dtype for item in measured)))
            arrays[self.key(column)] = pa.array([item.values[column] for item in measured], pa.list_(precision))
        self.files.write(list(map(self.stored, architectures)), pa.table(arrays))

    def table(self, architectures: Sequence[str], columns: Sequence[Node]) -> ColumnTable:
        """Return the columns of architectures that are all measured, in the order given.

        Raises:
            LostColumnsError: a file is gone or damaged. It is set aside; `missing` then tells what has to be measured.
        """
        keys = {column: self.key(column) for column in columns}
        if not keys:
            return table_of([Measurement(0, {})] * len(architectures), ())
        return table_from(self.files.read(list(map(self.stored, architectures)), list(keys.values())), keys)
