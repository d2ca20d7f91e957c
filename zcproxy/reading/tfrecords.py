"""Records of a TFRecord file, read without TensorFlow and checked against their checksums.

A record is its length (8 bytes, little-endian), a checksum of these bytes (4), its content, a checksum of that (4). The
checksum is CRC-32C (RFC 3720, appendix B.4), rotated right by 15 bits with a constant added: "TFRecords format details"
in TensorFlow's guide.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from zcproxy.errors import BenchmarkError
from zcproxy.reading.unpacking import Readable

LONGEST_RECORD = 2**16
"""Bytes of a record; those of NAS-Bench-101 have some 400."""

_POLYNOMIAL = 0x82F63B78
_ADDED = 0xA282EAD8
_START = 0xFFFFFFFF
_RECORDS, _BYTES = 4096, 2**24
"""Records and bytes whose checksums are computed at once."""


def read_records(stream: Readable, name: str) -> Iterator[bytes]:
    """Yield the contents of the records of a file.

    Args:
        stream: the file.
        name: its name, for the error.

    Raises:
        BenchmarkError: the file ends inside a record, a checksum is wrong, or a record is longer than
            `LONGEST_RECORD`. Records before the damaged one may have been given.
    """
    read = 0
    while True:
        contents, expected = _batch(stream, name, read)
        if not contents:
            return
        found = masked_checksums(contents)
        wrong = next((place for place, value in enumerate(expected) if value != found[place]), None)
        if wrong is not None:
            raise _damaged(name, read + wrong, "its content has another checksum")
        yield from contents
        read += len(contents)


def masked_checksums(contents: Sequence[bytes]) -> list[int]:
    """Return the checksum of each of some contents, as TFRecord files have it."""
    return [_masked(checksum) for checksum in _checksums(contents).tolist()]


def _batch(stream: Readable, name: str, read: int) -> tuple[list[bytes], list[int]]:
    """Return the contents of the next records, and the checksums that the file has of them; none at its end."""
    contents: list[bytes] = []
    expected: list[int] = []
    size = 0
    while len(contents) < _RECORDS and size < _BYTES:
        head = stream.read(12)
        if not head:
            break
        number = read + len(contents)
        if len(head) < 12:
            raise _damaged(name, number, "the file ends inside it")
        length, checksum = struct.unpack("<QI", head)
        if _masked(_checksum(head[:8])) != checksum:
            raise _damaged(name, number, "its length has another checksum")
        if length > LONGEST_RECORD:
            raise _damaged(name, number, f"it has {length:,} bytes, at most {LONGEST_RECORD:,} are read")
        content = stream.read(length + 4)
        if len(content) < length + 4:
            raise _damaged(name, number, "the file ends inside it")
        contents.append(content[:length])
        expected += struct.unpack("<I", content[length:])
        size += length
    return contents, expected


def _masked(checksum: int) -> int:
    """Return a checksum as TFRecord files have it."""
    return ((checksum >> 15 | checksum << 17 & _START) + _ADDED) & _START


def _checksum(content: bytes) -> int:
    """Return CRC-32C of a few bytes, quicker than `_checksums` for one content."""
    state = _START
    for byte in content:
        state = _ENTRIES[(state ^ byte) & 0xFF] ^ state >> 8
    return state ^ _START


def _checksums(contents: Sequence[bytes]) -> NDArray[np.uint32]:
    """Return CRC-32C of each of some contents, one byte of all of them after the other."""
    lengths = np.array([len(content) for content in contents])
    order = np.argsort(-lengths, kind="stable")
    flat = np.frombuffer(b"".join(contents), np.uint8)
    starts = (np.cumsum(lengths) - lengths)[order]
    states = np.full(len(contents), _START, np.uint32)
    longer = np.searchsorted(-lengths[order], -np.arange(lengths.max()), side="left")
    for position, count in enumerate(longer):
        current = states[:count]
        states[:count] = _TABLE[(current ^ flat[starts[:count] + position]) & 0xFF] ^ (current >> 8)
    found = np.empty_like(states)
    found[order] = states ^ np.uint32(_START)
    return found


def _table() -> NDArray[np.uint32]:
    """Return the checksum that each byte adds."""
    values = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        values = np.where(values & 1, values >> 1 ^ np.uint32(_POLYNOMIAL), values >> 1)
    return values


def _damaged(name: str, number: int, reason: str) -> BenchmarkError:
    return BenchmarkError(f"{name} is damaged at record {number} ({reason}): fetch the file again")


_TABLE = _table()
_ENTRIES = [int(value) for value in _TABLE]
