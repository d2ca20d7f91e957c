"""The folder of a context: an index of which file has which columns of which networks, and reading by it.

A sweep adds a loose file per job. Once `FOLDED` of them have the same columns they are folded into a pack, which is
written for good before they are deleted: a process that is killed leaves a network in both, and one that knows only
the loose files finds the pack when it misses them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
    MANIFEST,
    OF_DELETIONS,
    UNREADABLE,
    ColumnFile,
    files_in,
    read_heading,
    read_rows,
    set_aside,
    write_loose,
    write_pack,
)
from zcproxy.columns.rows import STRUCTURE, Rows, joined_rows
from zcproxy.errors import RunError, StorageError
from zcproxy.storage.claims import claimed
from zcproxy.storage.files import check_target

FOLDED = 64
"""Loose files that are folded at a time."""
LARGEST_FOLDED = 1 << 26
"""Bytes from which fewer are: what folding holds in memory is bounded."""


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
        self._indexed: dict[str, ColumnFile | None] = {}
        self._scan()

    def _scan(self) -> None:
        """Index the files that are not known yet; again where some were folded meanwhile."""
        for _ in range(ATTEMPTS):
            damaged: list[tuple[Path, Exception]] = []
            vanished = False
            for path in files_in(self.path):
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
            set_aside(damaged)
            self._indexed |= {path.name: None for path, _ in damaged}
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
        self._indexed[file.path.name] = file

    def sets_of(self, network: str) -> tuple[frozenset[str], ...]:
        """Return the keys of the columns that each file with a network has: many networks have the same sets."""
        return tuple(file.columns for file in self._known.get(network, ()))

    def lacks(self, network: str, keys: Sequence[str]) -> bool:
        """Whether it lacks columns of a network."""
        return not frozenset(keys).issubset(frozenset().union(*self.sets_of(network)))

    def check_writable(self) -> None:
        """Raise `StorageError` where nothing can be written, before there is anything to write."""
        try:
            check_target(self.path / MANIFEST)
        except StorageError as error:
            if not isinstance(error.__cause__, OF_DELETIONS):
                raise

    def write(self, networks: Sequence[str], table: pa.Table) -> None:
        """Add the columns of a few networks, all or none. Raises `StorageError` where they cannot be written.

        Args:
            networks: texts that stand for them.
            table: see `zcproxy.columns.files.write_loose`.
        """
        file = write_loose(self.path, self.settings, networks, table)
        self._index(file, networks)
        self._fold(self._sets[file.columns])

    def write_pack(self, rows: Rows) -> None:
        """Add the columns of many networks, as `write` does."""
        self._index(write_pack(self.path, self.settings, rows), rows.networks)

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

    def rows(self) -> Iterator[Rows]:
        """Yield everything, a pack at a time or as much as is folded into one; what is damaged is set aside.

        A network whose columns are in several files comes several times.
        """
        seen: set[Path] = set()
        while files := [file for file in self._indexed.values() if file is not None and file.path not in seen]:
            seen |= {file.path for file in files}
            loose = [file for file in files if not file.is_pack]
            for columns in dict.fromkeys(file.columns for file in loose):
                alike = [file for file in loose if file.columns is columns]
                for start in range(0, len(alike), FOLDED):
                    yield from self._rows_of(alike[start : start + FOLDED])
            for file in files:
                if file.is_pack:
                    yield from self._rows_of([file])

    def _rows_of(self, files: Sequence[ColumnFile]) -> Iterator[Rows]:
        found, lost = _all_rows(files)
        if lost:
            self._forget(lost)
        if found:
            yield joined_rows(list(found.values())) if len(files) > 1 else next(iter(found.values()))

    def _parts(self, networks: Sequence[str], keys: Sequence[str]) -> tuple[list[Part], dict[Path, Exception]]:
        lost: dict[Path, Exception] = {}
        found = []
        for (file, wanted, has_structure), places in self._plan(networks, keys).items():
            try:
                rows = read_rows(file.path, wanted)
                order = {name: row for row, name in enumerate(rows.networks)}
                chosen = [order[networks[place]] for place in places]
                if not file.is_pack or chosen != list(range(len(order))):  # the columns of a loose file share memory
                    rows = rows.take(chosen)
                names = STRUCTURE if has_structure else ()
                columns = {name: rows.structure.column(name).combine_chunks() for name in names}
                columns |= {key: rows.column(key) for key in wanted}
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
        for path, error in lost.items():
            if isinstance(error, FileNotFoundError):
                self._indexed.pop(path.name, None)
            else:
                self._indexed[path.name] = None
        set_aside([(path, error) for path, error in lost.items() if not isinstance(error, FileNotFoundError)])
        self._scan()

    def _fold(self, columns: frozenset[str]) -> None:
        """Fold the loose files with some columns into a pack, once there are enough; they stay where that fails."""
        files = list(islice(self._loose[columns].values(), FOLDED))
        if len(files) < FOLDED and sum(file.size for file in files) < LARGEST_FOLDED:
            return
        with suppress(StorageError, RunError), claimed(self.path):  # the disk is full, or another process folds
            self._fold_files(files)

    def _fold_files(self, files: Sequence[ColumnFile]) -> None:
        folded, lost = _all_rows(files)
        if folded:
            self.write_pack(joined_rows(list(folded.values())))
        for file in files:
            self._loose[file.columns].pop(file.path, None)
        for path, rows in folded.items():
            self._indexed.pop(path.name, None)
            for network in rows.networks:
                self._known[network] = tuple(file for file in self._known[network] if file.path != path)
            with suppress(OSError):  # another process has it deleted; otherwise it is folded again, and does no harm
                path.unlink()
        if lost:
            self._forget(lost)


def _all_rows(files: Sequence[ColumnFile]) -> tuple[dict[Path, Rows], dict[Path, Exception]]:
    """Return what files with the same columns hold, and what is wrong with the others."""
    found: dict[Path, Rows] = {}
    lost: dict[Path, Exception] = {}
    for file in files:
        try:
            found[file.path] = read_rows(file.path, sorted(file.columns))
        except UNREADABLE as error:
            lost[file.path] = error
    return found, lost


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
