"""The folder of a context: an index of which file has which columns of which networks, and reading by it.

A sweep adds a loose file per job. Once `FOLDED` of them have the same columns they are folded into a pack, which is
written for good before they are deleted: a process that is killed leaves a network in both, and one that knows only
the loose files finds the pack when it misses them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from zcproxy.columns.files import (
    ATTEMPTS,
    DAMAGED,
    LOOSE,
    PACK,
    STRUCTURE,
    UNREADABLE,
    ColumnFile,
    read_columns,
    read_heading,
    write_loose,
    write_pack,
)
from zcproxy.errors import RunError, StorageError
from zcproxy.storage.claims import claimed
from zcproxy.storage.files import cannot_read
from zcproxy.storage.notices import notice

FOLDED = 64
"""Loose files that are folded at a time."""
LARGEST_FOLDED = 1 << 26
"""Bytes from which fewer are: what folding holds in memory is bounded."""
ABANDONED_SECONDS = 86400.0
"""Age from which an unfinished file is taken for one that a killed process left."""


class LostColumnsError(Exception):
    """Columns that the store had are gone or damaged and must be measured again."""


@dataclass(frozen=True)
class Part:
    """What one file has of what is asked for.

    Attributes:
        places: places among the networks asked for, a row of each column for each.
        columns: by key what is wanted of them here; of each network, `STRUCTURE` is in one part. Who takes one out is
            the last who holds its memory.
    """

    places: NDArray[np.intp]
    columns: dict[str, pa.Array]


class ColumnFolder:
    """The columns of one context, by network and key.

    Args:
        path: the folder.
        settings: what its columns have in common, see `zcproxy.columns.context.Context.shared`.

    Raises:
        StorageError: the folder may not be read.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self.path = path
        self.settings = settings
        self._known: dict[str, tuple[ColumnFile, ...]] = {}
        self._loose: dict[frozenset[str], dict[Path, ColumnFile]] = {}
        self._sets: dict[frozenset[str], frozenset[str]] = {}
        self._indexed: set[str] = set()
        self._scan()

    def _scan(self) -> None:
        """Index the files that are not known yet; again where some were folded meanwhile."""
        for _ in range(ATTEMPTS):
            damaged: list[tuple[Path, Exception]] = []
            vanished = False
            for path in _files(self.path):
                if path.name in self._indexed:
                    continue
                try:
                    heading = read_heading(path)
                except FileNotFoundError:
                    vanished = not path.is_symlink()
                except UNREADABLE as error:
                    damaged.append((path, error))
                else:
                    file = ColumnFile(path, frozenset(heading["columns"]), heading["bytes"])
                    self._index(file, heading["architectures"])
            _set_aside(damaged)
            self._indexed |= {path.name for path, _ in damaged}
            if not vanished:
                return

    def _index(self, file: ColumnFile, networks: Sequence[str]) -> None:
        file = ColumnFile(file.path, self._sets.setdefault(file.columns, file.columns), file.size)
        alone = (file,)
        for network in networks:
            others = tuple(each for each in self._known.get(network, ()) if each.path != file.path)
            self._known[network] = (*others, file) if others else alone
        if not file.is_pack:
            self._loose.setdefault(file.columns, {})[file.path] = file
        self._indexed.add(file.path.name)

    @property
    def networks(self) -> Sequence[str]:
        """The texts of the networks that it has columns of, in the order of the files."""
        return list(self._known)

    def sets_of(self, network: str) -> tuple[frozenset[str], ...]:
        """Return the keys of the columns that each file with a network has: many networks have the same sets."""
        return tuple(file.columns for file in self._known.get(network, ()))

    def lacks(self, network: str, keys: Sequence[str]) -> bool:
        """Whether it lacks columns of a network."""
        return not frozenset(keys).issubset(frozenset().union(*self.sets_of(network)))

    def write(self, networks: Sequence[str], table: pa.Table) -> None:
        """Add the columns of a few networks, all or none. Raises `StorageError` where they cannot be written.

        Args:
            networks: texts that stand for them.
            table: see `zcproxy.columns.files.write_loose`.
        """
        file = write_loose(self.path, self.settings, networks, table)
        self._index(file, networks)
        self._fold(self._sets[file.columns])

    def write_pack(self, networks: Sequence[str], table: pa.Table) -> None:
        """Add the columns of many networks, as `write` does."""
        self._index(write_pack(self.path, self.settings, networks, table), networks)

    def read(self, networks: Sequence[str], keys: Sequence[str]) -> list[Part]:
        """Return columns that are all known, part by part.

        Raises:
            LostColumnsError: a file is gone or damaged. It is set aside; what has to be measured is then not known.
        """
        for _ in range(ATTEMPTS):
            parts, lost = self._parts(networks, keys)
            if not lost:
                return parts
            self._forget(lost)
            if any(self.lacks(network, keys) for network in networks):
                break
        raise LostColumnsError

    def _parts(self, networks: Sequence[str], keys: Sequence[str]) -> tuple[list[Part], dict[Path, Exception]]:
        lost: dict[Path, Exception] = {}
        found = []
        for (file, wanted, has_structure), places in self._plan(networks, keys).items():
            try:
                there, table = read_columns(file.path, wanted)
                rows = {name: row for row, name in enumerate(there)}
                chosen = [rows[networks[place]] for place in places]
                if not file.is_pack or chosen != list(range(len(there))):  # the columns of a loose file share memory
                    table = table.take(pa.array(chosen, pa.int64()))
                names = (*STRUCTURE, *wanted) if has_structure else wanted
                columns = {name: table.column(name).combine_chunks() for name in names}
                found.append(Part(np.array(places, np.intp), columns))
            except UNREADABLE as error:
                lost[file.path] = error
        return found, lost

    def _plan(
        self, networks: Sequence[str], keys: Sequence[str]
    ) -> dict[tuple[ColumnFile, tuple[str, ...], bool], list[int]]:
        """Return the places of the networks whose columns are to be read from a file, by file and columns."""
        everything = frozenset(keys)
        chosen: dict[tuple[frozenset[str], ...], list[tuple[int, tuple[str, ...]]]] = {}
        plan: dict[tuple[ColumnFile, tuple[str, ...], bool], list[int]] = {}
        for place, network in enumerate(networks):
            files = self._known[network]
            sets = tuple(file.columns for file in files)
            if sets not in chosen:
                chosen[sets] = _shared_out(everything, keys, sets)
            for order, (index, wanted) in enumerate(chosen[sets]):
                plan.setdefault((files[index], wanted, order == 0), []).append(place)
        return plan

    def _forget(self, lost: Mapping[Path, Exception]) -> None:
        """Drop files from the index, set those aside that are damaged, and look for packs that have their columns."""
        for network, files in list(self._known.items()):
            if any(file.path in lost for file in files):
                self._known[network] = tuple(file for file in files if file.path not in lost)
        for loose in self._loose.values():
            for path in lost:
                loose.pop(path, None)
        self._indexed -= {path.name for path, error in lost.items() if isinstance(error, FileNotFoundError)}
        _set_aside([(path, error) for path, error in lost.items() if not isinstance(error, FileNotFoundError)])
        self._scan()

    def _fold(self, columns: frozenset[str]) -> None:
        """Fold the loose files of some columns into a pack, once there are enough; they stay where that fails."""
        files = list(islice(self._loose[columns].values(), FOLDED))
        if len(files) < FOLDED and sum(file.size for file in files) < LARGEST_FOLDED:
            return
        with suppress(StorageError, RunError), claimed(self.path):  # the disk is full, or another process folds
            self._fold_files(files)

    def _fold_files(self, files: Sequence[ColumnFile]) -> None:
        lost: dict[Path, Exception] = {}
        groups: dict[pa.Schema, dict[ColumnFile, tuple[list[str], pa.Table]]] = {}
        for file in files:
            try:
                networks, table = read_columns(file.path, sorted(file.columns))
                groups.setdefault(table.schema, {})[file] = networks, table
            except UNREADABLE as error:
                lost[file.path] = error
        for group in groups.values():  # a precision each: a column keeps its own
            if len(group) > 1:
                rows: dict[str, int] = {}
                for row, network in enumerate(network for names, _ in group.values() for network in names):
                    rows.setdefault(network, row)  # two processes may have measured it
                table = pa.concat_tables([table for _, table in group.values()]).combine_chunks()
                self.write_pack(list(rows), table.take(pa.array(rows.values(), pa.int64())).combine_chunks())
            self._replace(group)
        if lost:
            self._forget(lost)

    def _replace(self, folded: Mapping[ColumnFile, tuple[list[str], pa.Table]]) -> None:
        """Delete loose files that a pack has the columns of; a single one is kept, and is not folded any more."""
        paths = {file.path for file in folded}
        for file in folded:
            del self._loose[file.columns][file.path]
        if len(folded) == 1:
            return
        for networks, _ in folded.values():
            for network in networks:
                self._known[network] = tuple(file for file in self._known[network] if file.path not in paths)
        for path in paths:
            with suppress(OSError):  # another process has it deleted; otherwise it is read once more and does no harm
                path.unlink()


def _shared_out(
    everything: frozenset[str], keys: Sequence[str], sets: Sequence[frozenset[str]]
) -> list[tuple[int, tuple[str, ...]]]:
    """Return which of the files with these sets each key is read from: the last that has it.

    Raises:
        KeyError: none has it.
    """
    left, found = everything, []
    for index in reversed(range(len(sets))):
        taken = left & sets[index]
        if taken:
            found.append((index, tuple(key for key in keys if key in taken)))
            left -= taken
    if left:
        raise KeyError(min(left))
    return found


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
    return [folder / name for name in names if Path(name).suffix in (LOOSE, PACK) and not name.startswith(".")]
