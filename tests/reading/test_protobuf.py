"""Messages of protocol buffers, written byte by byte here."""

from __future__ import annotations

import math

import pytest
from tfrecord_writer import bytes_field, double_field, varint, whole_field

from zcproxy.reading.protobuf import Message


def test_fields_of_every_form() -> None:
    inner = double_field(4, 0.5) + bytes_field(6, b"a path")
    message = Message(
        whole_field(2, 8_555_530) + bytes_field(1, inner) + varint(9 << 3 | 5) + b"four" + bytes_field(1, b"")
    )
    assert message.whole(2) == 8_555_530
    assert [each.double(4) for each in message.messages(1)[:1]] == [0.5]
    assert len(message.messages(1)) == 2 and message.messages(7) == []


def test_the_example_of_the_documentation() -> None:
    assert Message(bytes.fromhex("089601")).whole(1) == 150


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (double_field(4, 0.5)[:-1], "ends inside a field"),
        (bytes_field(1, b"abc")[:-1], "ends inside a field"),
        (b"\x80", "ends inside a number"),
        (b"\x08" + b"\xff" * 11, "the number is too long"),
        (b"\x00\x01", "the number 0"),
        (b"\x0b", "the form 3"),
    ],
)
def test_damaged_messages(content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Message(content)


def test_fields_that_are_something_else() -> None:
    message = Message(double_field(1, math.nan) + whole_field(2, 1) + double_field(3, 1.0) + double_field(3, 1.0))
    with pytest.raises(ValueError, match="a number is nan"):
        message.double(1)
    with pytest.raises(ValueError, match="field 2 has another form than EIGHT_BYTES"):
        message.double(2)
    with pytest.raises(ValueError, match="field 3 occurs 2 times"):
        message.double(3)
    with pytest.raises(ValueError, match="field 5 occurs 0 times"):
        message.whole(5)
    with pytest.raises(ValueError, match="field 1 has another form than VARINT"):
        message.whole(1)
    with pytest.raises(ValueError, match="field 2 has another form than BYTES"):
        message.messages(2)
