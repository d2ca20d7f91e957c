"""Messages of protocol buffers, read strictly and without a schema.

The wire format is that of protobuf.dev/programming-guides/encoding: a number with the field and its form, then a value.
Groups are not read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum

from zcproxy.reading.plain_values import finite_number


class Form(IntEnum):
    """How a value is written."""

    VARINT = 0
    EIGHT_BYTES = 1
    BYTES = 2
    FOUR_BYTES = 5


Value = int | bytes
_FORMS = frozenset(Form)
_SIZES = {Form.EIGHT_BYTES: 8, Form.FOUR_BYTES: 4}
_LONGEST_VARINT = 10


class Message:
    """The fields of a message.

    Args:
        content: its bytes.

    Raises:
        ValueError: it ends inside a field, or has one of a form that is not read.
    """

    def __init__(self, content: bytes) -> None:
        self._fields: dict[int, list[tuple[Form, Value]]] = {}
        for number, form, value in _fields(content):
            self._fields.setdefault(number, []).append((form, value))

    def messages(self, number: int) -> list[Message]:
        """Return the values of a field that holds messages, in order. Raises `ValueError` for another form."""
        return [Message(self._bytes(number, Form.BYTES, each)) for each in self._fields.get(number, [])]

    def double(self, number: int) -> float:
        """Return the value of a field that holds one finite number of eight bytes. Raises `ValueError`."""
        value = self._bytes(number, Form.EIGHT_BYTES, self._only(number))
        return finite_number(struct.unpack("<d", value)[0])

    def whole(self, number: int) -> int:
        """Return the value of a field that holds one whole number, not negative. Raises `ValueError`."""
        form, value = self._only(number)
        if form is not Form.VARINT or not isinstance(value, int):
            raise ValueError(f"field {number} has another form than {Form.VARINT.name}")
        return value

    def _only(self, number: int) -> tuple[Form, Value]:
        values = self._fields.get(number, [])
        if len(values) != 1:
            raise ValueError(f"field {number} occurs {len(values)} times, not once")
        return values[0]

    @staticmethod
    def _bytes(number: int, expected: Form, found: tuple[Form, Value]) -> bytes:
        form, value = found
        if form is not expected or not isinstance(value, bytes):
            raise ValueError(f"field {number} has another form than {expected.name}")
        return value


def _fields(content: bytes) -> Iterator[tuple[int, Form, Value]]:
    place = 0
    while place < len(content):
        key, place = _varint(content, place)
        number = key >> 3
        if not number or key & 7 not in _FORMS:
            raise ValueError(f"a field has the number {number} and the form {key & 7}")
        form = Form(key & 7)
        if form is Form.VARINT:
            value, place = _varint(content, place)
            yield number, form, value
            continue
        size = _SIZES.get(form)
        if size is None:
            size, place = _varint(content, place)
        if place + size > len(content):
            raise ValueError("a message ends inside a field")
        yield number, form, content[place : place + size]
        place += size


def _varint(content: bytes, place: int) -> tuple[int, int]:
    """Return a number written in groups of seven bits, the lowest first, and the place after it."""
    value = 0
    for count, byte in enumerate(content[place : place + _LONGEST_VARINT]):
        value |= (byte & 0x7F) << 7 * count
        if byte < 0x80:
            return value, place + count + 1
    raise ValueError("a message ends inside a number, or the number is too long")
