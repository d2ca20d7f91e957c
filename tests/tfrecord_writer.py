"""Writes TFRecord files and messages of protocol buffers byte by byte, as their formats say."""

from __future__ import annotations

import struct


def checksum(content: bytes) -> int:
    """Return CRC-32C, bit by bit."""
    state = 0xFFFFFFFF
    for byte in content:
        state ^= byte
        for _ in range(8):
            state = (state >> 1) ^ (0x82F63B78 if state & 1 else 0)
    return state ^ 0xFFFFFFFF


def masked(content: bytes) -> int:
    """Return the checksum as TFRecord files have it."""
    found = checksum(content)
    return ((found >> 15 | found << 17) + 0xA282EAD8) % 2**32


def frame(content: bytes) -> bytes:
    """Return a record of a TFRecord file."""
    length = struct.pack("<Q", len(content))
    return length + struct.pack("<I", masked(length)) + content + struct.pack("<I", masked(content))


def varint(value: int) -> bytes:
    """Return a whole number in groups of seven bits."""
    groups = []
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*groups, value])


def whole_field(number: int, value: int) -> bytes:
    """Return a field with a whole number."""
    return varint(number << 3) + varint(value)


def double_field(number: int, value: float) -> bytes:
    """Return a field with a number of eight bytes."""
    return varint(number << 3 | 1) + struct.pack("<d", value)


def bytes_field(number: int, value: bytes) -> bytes:
    """Return a field with text or a message."""
    return varint(number << 3 | 2) + varint(len(value)) + value
