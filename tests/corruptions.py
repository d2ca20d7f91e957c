"""Seeded damage to files, for tests: every way must end in the right result, a notice, or a refusal."""

from __future__ import annotations

import random
from collections.abc import Callable

Damage = Callable[[bytes, random.Random], bytes]


def flip(content: bytes, rng: random.Random) -> bytes:
    """Flip one bit."""
    place = rng.randrange(8 * len(content))
    changed = bytearray(content)
    changed[place // 8] ^= 1 << place % 8
    return bytes(changed)


def truncate(content: bytes, rng: random.Random) -> bytes:
    """Leave a part of the beginning."""
    return content[: rng.randrange(len(content))]


def zero(content: bytes, rng: random.Random) -> bytes:
    """Put NUL in place of a part."""
    start = rng.randrange(len(content))
    return content[:start] + bytes(min(64, len(content) - start)) + content[start + 64 :]


def garbage(content: bytes, rng: random.Random) -> bytes:
    """Put random bytes in place of a part."""
    start = rng.randrange(len(content))
    return content[:start] + rng.randbytes(8) + content[start + 8 :]


def duplicate(content: bytes, rng: random.Random) -> bytes:
    """Repeat a line."""
    lines = content.splitlines(keepends=True)
    place = rng.randrange(len(lines))
    return b"".join([*lines[: place + 1], *lines[place:]])


def odd_line(content: bytes, rng: random.Random) -> bytes:
    """Put a line that is not an object of this kind between two."""
    lines = content.splitlines(keepends=True)
    deep = b"[" * 5000 + b"\n"
    choices = [b"5\n", b"null\n", b"[1]\n", b"{}\n", b"\xff\xfe\n", b'{"arch": 5}\n', deep, b"\n"]
    odd = rng.choice(choices)
    place = rng.randrange(len(lines) + 1)
    return b"".join([*lines[:place], odd, *lines[place:]])


ALL: tuple[Damage, ...] = (flip, flip, flip, truncate, zero, garbage)
OF_LINES: tuple[Damage, ...] = (*ALL, duplicate, odd_line, odd_line)
