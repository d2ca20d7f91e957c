"""Official files of benchmarks: those whose content is known, or trusted, are read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from zcproxy.benchmarks.shared.label_table import ARCHITECTURE, Converted, TableSource
from zcproxy.errors import BenchmarkError
from zcproxy.reading.data_directory import digest_of, sha256_of
from zcproxy.reading.unpacking import content_of, member, member_names
from zcproxy.storage.files import check_regular
from zcproxy.workers.progress import Progress


@dataclass(frozen=True)
class Reading:
    """One table read from official files, or why that was not possible.

    Attributes:
        source: which table.
        digests: the files that it was read from, and the digest of each (see `data.digest_of`); of a folder none.
        known: whether the content is that of the official release.
        found: the table, or the error.
    """

    source: TableSource
    digests: Mapping[str, str]
    known: bool
    found: Converted | BenchmarkError


@dataclass(frozen=True)
class Release:
    """The published files of a benchmark.

    Attributes:
        title: name and source of the benchmark.
        labels: what they are: release, epochs, seeds.
        files: what has to be fetched, and where it is.
        size: size of these files.
        licence: licence of these files.
        read: reads tables from a file or folder, `(path, trust, progress)`; with `trust` also where the content is not
            the known one. Raises `BenchmarkError` if there is nothing to read.
    """

    title: str
    labels: str
    files: str
    size: str
    licence: str
    read: Callable[[Path, bool, Progress], Iterator[Reading]]


def read_known_files(tables: Sequence[TableSource], path: Path, trust: bool, progress: Progress) -> Iterator[Reading]:
    """Yield the tables whose files are at a path: one file, a folder of them, or a zip archive.

    Raises:
        BenchmarkError: no file of any table is there, or the archive is damaged.
    """
    members = _members(path)
    found = [table for table in tables if any(file.name in members for file in table.files)]
    if not found:
        known = [file.name for table in tables for file in table.files]
        shown = ", ".join(dict.fromkeys(known[:4])) + (", ..." if len(known) > 4 else "")
        raise BenchmarkError(f"{path} is or holds no file of {tables[0].benchmark}: expected are files such as {shown}")
    for number, table in enumerate(found):
        progress(number, len(found))
        yield _read_table(table, members, trust)
    progress(len(found), len(found))


def read_release(
    table: TableSource,
    not_known: Callable[[Path], BenchmarkError],
    read: Callable[..., pd.DataFrame],
    path: Path,
    trust: bool,
    progress: Progress,
) -> Iterator[Reading]:
    """Yield the table in a release of pickles, or in the other file that the table is made of.

    Args:
        table: what is made of it.
        not_known: says why a release is read only with `trust`.
        read: returns the table; never runs code that a file names.
        path: file or folder.
        trust: read a release, although its whole digest is not known.
        progress: called with the number of records read, and their total.
    """
    if path.name in {name for file in table.files for name in (file.name, f"{file.name}.gz")}:
        yield from read_known_files((table,), path, trust, progress)
        return
    if not path.exists():
        raise BenchmarkError(f"there is no file or folder {path}")
    if not trust:
        raise not_known(path)
    frame = read(path, progress=progress)
    digest = "" if path.is_dir() else sha256_of(path)
    yield Reading(table, {path.name: digest}, False, Converted(frame.rename(columns={"arch_str": ARCHITECTURE})))


def _read_table(table: TableSource, members: dict[str, Callable[[], bytes]], trust: bool) -> Reading:
    names = [file.name for file in table.files]
    digests: dict[str, str] = {}
    try:
        missing = next((name for name in names if name not in members), None)
        if missing is not None:
            raise BenchmarkError(f"{missing} is missing: the table {table.name} is made of {' and '.join(names)}")
        contents = [members[name]() for name in names]
        for file, content in zip(table.files, contents, strict=True):
            digest = digests[file.name] = digest_of(content, file.digest)
            if digest != file.digest and not trust:
                raise BenchmarkError(
                    f"{file.name} is not the official file: {len(content)} bytes with digest {digest[:12]}..., "
                    f"expected {file.digest[:12]}...; fetch it again, or import it with `trust`"
                )
        known = all(digests[file.name] == file.digest for file in table.files)
        return Reading(table, digests, known, table.convert(contents))
    except BenchmarkError as error:
        return Reading(table, digests, False, error)


def _members(path: Path) -> dict[str, Callable[[], bytes]]:
    """Return what reads each file at a path, by its name without folders and `.gz`."""
    if os.path.isdir(path):
        return {file.name.removesuffix(".gz"): partial(content_of, file) for file in sorted(_files_in(path))}
    check_regular(path)
    if not os.path.exists(path):
        raise BenchmarkError(f"there is no file or folder {path}")
    if path.suffix != ".zip":
        return {path.name.removesuffix(".gz"): partial(content_of, path)}
    return {Path(name).name: partial(member, path, name, str(path)) for name in member_names(path)}


def _files_in(folder: Path) -> list[Path]:
    """Return the regular files in a folder and those in it. Raises `BenchmarkError` for one that may not be read."""
    found: list[Path] = []
    try:
        for place, _, names in os.walk(folder, onerror=_raise):
            found += [Path(place, name) for name in names if os.path.isfile(os.path.join(place, name))]
    except OSError as error:
        raise BenchmarkError(f"{error.filename} cannot be read ({error.strerror or error})") from error
    return found


def _raise(error: OSError) -> None:
    raise error
