"""TFRecord files, written byte by byte here: records are given as they are, damage is one clear line."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import pytest
from tfrecord_writer import checksum, frame, masked

from zcproxy.errors import BenchmarkError
from zcproxy.reading.tfrecords import LONGEST_RECORD, masked_checksums, read_records

PUBLISHED = {  # RFC 3720, appendix B.4, and the usual check value of CRC-32C
    b"123456789": 0xE3069283,
    bytes(32): 0x8A9136AA,
    b"\xff" * 32: 0x62A8AB43,
    bytes(range(32)): 0x46DD794E,
    bytes(range(31, -1, -1)): 0x113FDB5C,
}
CONTENTS = [b"", b"a", b"two", bytes(range(256)) * 3, b"x" * 1000]


def read(content: bytes) -> list[bytes]:
    return list(read_records(io.BytesIO(content), "cells.tfrecord"))


def test_checksums_are_the_published_ones() -> None:
    assert {content: checksum(content) for content in PUBLISHED} == PUBLISHED
    assert masked_checksums(list(PUBLISHED)) == [masked(content) for content in PUBLISHED]


def test_records_of_any_length_are_read_in_order() -> None:
    assert read(b"".join(map(frame, CONTENTS))) == CONTENTS
    many = [b"%d" % number * (number % 7) for number in range(9000)]
    assert read(b"".join(map(frame, many))) == many
    assert read(b"") == []


def flipped(place: int) -> Callable[[bytes], bytes]:
    return lambda content: content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (flipped(0), "record 0 .its length has another checksum"),
        (flipped(8), "record 0 .its length has another checksum"),
        (flipped(len(frame(b"first")) + 14), "record 1 .its content has another checksum"),
        (flipped(len(frame(b"first")) + 20), "record 1 .its content has another checksum"),
        (lambda content: content[:-1], "record 1 .the file ends inside it"),
        (lambda content: content[: len(frame(b"first")) + 5], "record 1 .the file ends inside it"),
        (lambda content: content + b"\0" * 12, "record 2 .its length has another checksum"),
        (lambda _: b"neither a record nor anything like it", "record 0 .its length has another checksum"),
        (lambda _: frame(b"x" * (LONGEST_RECORD + 1)), "record 0 .it has 65,537 bytes, at most 65,536"),
    ],
)
def test_damage_is_found(change: Callable[[bytes], bytes], message: str) -> None:
    content = frame(b"first") + frame(b"second")
    with pytest.raises(BenchmarkError, match=f"cells.tfrecord is damaged at {message}") as caught:
        read(change(content))
    assert "\n" not in str(caught.value)


def test_a_length_beyond_the_file_takes_no_memory() -> None:
    length = struct.pack("<Q", 2**60)
    with pytest.raises(BenchmarkError, match="1,152,921,504,606,846,976 bytes"):
        read(length + struct.pack("<I", masked(length)) + b"rest")
