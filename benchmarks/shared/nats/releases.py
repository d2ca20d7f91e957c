"""Official files of NAS-Bench-201 and NATS-Bench: their names, digits of their md5, and their layout.

A release lists its architectures in `meta_archs`, in official index order, and holds a record for the index of each:
for every training schedule the state of an `ArchResults`, a class of the packages nas-bench-201 and nats-bench.
"""

from __future__ import annotations

import bz2
import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zcproxy.errors import BenchmarkError
from zcproxy.reading.safe_pickle import read_pickle
from zcproxy.reading.unpacking import LARGEST_FILE, LARGEST_RELEASE, Bounded, most_unpacked
from zcproxy.storage.files import check_regular

BZ2 = b"BZh"
"""The first bytes of a bz2 file."""

_KEYS = ("meta_archs", "arch2infos")
_LISTED, _LONGEST = 8, 40
_META, _RECORD = "meta.pickle.pbz2", "[0-9]" * 6 + ".pickle.pbz2"


def release_of(path: Path, releases: Iterable[str]) -> str:
    """Return the release that the name of a file or folder starts with. Raises `BenchmarkError` if it is unknown."""
    name = path.absolute().name
    for release in releases:
        if name.startswith(f"{release}-"):
            return release
    raise BenchmarkError(f"'{name}' names no release that can be read: supported are {', '.join(releases)}")


def not_known(path: Path, releases: Mapping[str, str]) -> BenchmarkError:
    """Return why a release is read only with `trust`.

    The authors publish the last digits of the md5 of a file, in its name. Files with the same digits are made in
    seconds, so they reveal a damaged file and prove nothing else. A folder has those of the file it was made with.

    Args:
        path: path of a file or folder.
        releases: release -> last hexadecimal digits of the md5 of its file.

    Raises:
        BenchmarkError: the release is unknown, or the file is missing or unreadable.
    """
    expected = releases[release_of(path, releases)]
    if path.is_dir():
        return BenchmarkError(
            f"the content of the folder {path} is not known: import it with `trust`; nothing but numbers, text and "
            "containers of them is read"
        )
    try:
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    except OSError as error:
        raise BenchmarkError(f"{path} cannot be read ({error.strerror or error})") from error
    digits = found[-len(expected) :]
    if digits != expected:
        return BenchmarkError(
            f"{path} is truncated or changed: its md5 ends in {digits}, the official one in {expected}; fetch it "
            "again, or import it with `trust`"
        )
    return BenchmarkError(
        f"the content of {path} is not known: its md5 ends in {expected} as the authors say, which shows that it is "
        f"whole, but {len(expected)} digits are easily forged; import it with `trust` if you know where it comes from"
    )


@dataclass(frozen=True)
class Contents:
    """The content of a release.

    Attributes:
        architectures: all texts in official index order, with or without a record.
        count: how many records there are.
        records: official index, and schedule -> state of the results.
    """

    architectures: Sequence[str]
    count: int
    records: Iterable[tuple[Any, Any]]


def read_archive(path: Path, what: str) -> Contents:
    """Return what a release of NATS-Bench holds: a bz2-compressed pickle, or a folder of one per architecture.

    A single file is held in memory as a whole; the records of a folder are read one by one.

    Args:
        path: path of the file or folder.
        what: the release that is expected, for the errors.

    Raises:
        BenchmarkError: it is missing, unreadable, truncated, something else, too large once unpacked, or more than
            plain data.
        StorageError: a file is a pipe or device.
    """
    if not path.is_dir():
        return contents_of(_unpickled(path, what, LARGEST_RELEASE), path, what)
    meta = path / _META
    if not os.path.isfile(meta):
        raise BenchmarkError(f"{path} is not a folder of {what}: it has no {_META}")
    listed = contents_of(_unpickled(meta, what), meta, what)
    files = sorted(path.glob(_RECORD))
    return Contents(listed.architectures, len(files), ((int(file.name[:6]), _unpickled(file, what)) for file in files))


def contents_of(content: Any, path: Path, what: str) -> Contents:
    """Return what is in the dictionary of a release. Raises `BenchmarkError` if it is none."""
    if not isinstance(content, dict):
        raise BenchmarkError(f"{path} is not {what}: it holds a {type(content).__name__}, not a dictionary")
    held = dict(dict.items(content))
    missing = [key for key in _KEYS if key not in held]
    if missing:
        keys = [key[:_LONGEST] for key in held if isinstance(key, str)][:_LISTED]
        shown = ", ".join(keys) or "nothing"
        raise BenchmarkError(f"{path} is not {what}: it has no '{missing[0]}', it holds {shown}")
    architectures, records = held["meta_archs"], held["arch2infos"]
    records = {} if records is None else records
    if not isinstance(architectures, list) or not isinstance(records, dict):
        raise BenchmarkError(
            f"{path} is not {what}: its architectures are not a list, or its records are not a dictionary"
        )
    odd = next((number for number, text in enumerate(architectures) if not isinstance(text, str)), None)
    if odd is not None:
        raise BenchmarkError(f"{path} is not {what}: architecture {odd} is not text")
    return Contents(architectures, len(records), dict.items(records))


def _unpickled(path: Path, what: str, most: int = LARGEST_FILE) -> Any:
    check_regular(path)
    try:
        with path.open("rb") as stream:
            if stream.read(len(BZ2)) != BZ2:
                raise BenchmarkError(f"{path} is not {what}: it is not compressed with bz2")
            size = os.fstat(stream.fileno()).st_size
        with bz2.open(path) as unpacked:
            return read_pickle(Bounded(unpacked, most_unpacked(size, most), str(path)), str(path))
    except OSError as error:
        raise BenchmarkError(f"{path} cannot be read ({error.strerror or error})") from error
