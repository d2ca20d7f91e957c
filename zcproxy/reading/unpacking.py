"""Bounded reading: whole files, and gz, bz2 and zip members unpacked piece by piece up to a limit."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from pathlib import Path
from typing import IO, Protocol

from zcproxy.errors import BenchmarkError
from zcproxy.storage.files import check_regular

LARGEST_FILE = 2**30
"""Bytes of a json, csv, npz or Parquet file, packed or not; the largest official one has some 100 MB."""

LARGEST_RELEASE = 2**36
"""Bytes of an unpacked release of pickles in one file."""

ALWAYS_ALLOWED = 2**26
LARGEST_RATIO = 64
"""Whatever its size, a file may unpack to `ALWAYS_ALLOWED` bytes, beyond that to `LARGEST_RATIO` times its size.

Measured numbers, as text or pickled, unpack to 3 to 10 times their size.
"""

_PIECE = 2**20
_LONGEST_REASON = 150
_ENCRYPTED = 1
_READABLE_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Readable(Protocol):
    """A source of bytes."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; none at the end."""
        ...


def most_unpacked(packed: int, most: int = LARGEST_FILE) -> int:
    """Return how many bytes `packed` bytes may unpack to."""
    return min(most, max(ALWAYS_ALLOWED, LARGEST_RATIO * packed))


class Bounded:
    """A stream that refuses to give more than a number of bytes.

    Args:
        stream: what is read.
        most: bytes that it may give.
        name: name of the file, for the error.
    """

    def __init__(self, stream: Readable, most: int, name: str) -> None:
        self._stream, self._left, self._most, self._name = stream, most, most, name

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes. Raises `BenchmarkError` beyond the limit."""
        piece = self._stream.read(min(size, self._left + 1))
        if len(piece) > self._left:
            raise BenchmarkError(
                f"{self._name} is refused: it holds more than {self._most / 1e6:,.0f} MB once unpacked, and measured "
                "results of its size do not"
            )
        self._left -= len(piece)
        return piece


def whole(stream: Readable, most: int, name: str) -> bytes:
    """Return all that a stream gives, in pieces, so that memory follows what is there. Raises `BenchmarkError`."""
    bounded = Bounded(stream, most, name)
    pieces = []
    while piece := bounded.read(_PIECE):
        pieces.append(piece)
    return b"".join(pieces)


def content_of(path: Path) -> bytes:
    """Return the bytes of a file, decompressed where its name ends in `.gz`.

    Raises:
        BenchmarkError: the file cannot be read, is damaged, or is larger than `LARGEST_FILE`.
        StorageError: it is not a regular file.
    """
    check_regular(path)
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise BenchmarkError(f"{path} is refused: {size / 1e6:,.0f} MB, at most {LARGEST_FILE / 1e6:,.0f} are read")
        if path.suffix != ".gz":
            return path.read_bytes()
        with gzip.open(path) as stream:
            return whole(stream, most_unpacked(size), str(path))
    except (OSError, EOFError, zlib.error) as error:
        raise BenchmarkError(f"{path} cannot be read ({_short(error)}): fetch the file again") from error


def member_names(path: Path) -> list[str]:
    """Return the names of the files in a zip archive. Raises `BenchmarkError`; `StorageError` if it is not a file."""
    check_regular(path)
    try:
        with zipfile.ZipFile(path) as archive:
            return [name for name in archive.namelist() if not name.endswith("/")]
    except _DAMAGED as error:
        raise BenchmarkError(f"{path} is not a zip archive ({_short(error)}): fetch it again") from error


def member(source: Path | IO[bytes], name: str, shown: str) -> bytes:
    """Return the content of a file in a zip archive, which is stored or deflated; other methods are not read.

    Args:
        source: the archive.
        name: name of the file in it.
        shown: name of the archive, for the error.

    Raises:
        BenchmarkError: it is not there, encrypted, packed by another method, damaged, or unpacks to more than it may.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            info = archive.getinfo(name)
            if info.flag_bits & _ENCRYPTED or info.compress_type not in _READABLE_METHODS:
                raise BenchmarkError(f"{name} in {shown} is encrypted or packed by another method than deflate")
            with archive.open(info) as stream:
                return whole(stream, most_unpacked(info.compress_size), f"{name} in {shown}")
    except KeyError as error:
        raise BenchmarkError(f"{shown} has no '{name}'") from error
    except _DAMAGED as error:
        raise BenchmarkError(f"{name} in {shown} is damaged ({_short(error)}): fetch the archive again") from error


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:_LONGEST_REASON]


# What zipfile raises over damaged archives; RuntimeError and NotImplementedError are encryption and features of zip.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)
