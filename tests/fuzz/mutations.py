"""Small damages to JSON values, texts, bytes and files, drawn from a generator."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from fuzz import hostile

Place = tuple[Any, Any]
"""A list or dictionary, and the index or key of one of its values."""


def _places(value: Any) -> Iterator[Place]:
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in list(keys):
        yield value, key
        yield from _places(value[key])


def odd_value(rng: Random) -> Any:
    """Return a value where another one is expected."""
    kind = rng.random()
    if kind < 0.6:
        return copy.deepcopy(rng.choice(hostile.ODD_VALUES))
    if kind < 0.9:
        return hostile.text(rng)
    value: Any = rng.choice((5, "x", {}))
    for _ in range(rng.choice((1, 3, 50, 150))):
        value = [value] if rng.random() < 0.5 else {"a": value}
    return value


def mutate_json(value: Any, rng: Random) -> Any:
    """Return a copy of a JSON value with one to three changes."""
    root = {"root": copy.deepcopy(value)}
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        places = list(_places(root))
        holder, key = rng.choice(places)
        change = rng.choice(("odd", "odd", "odd", "nudge", "nudge", "delete", "add", "swap", "duplicate"))
        if change == "delete" and holder is not root:
            del holder[key]
        elif change == "add" and isinstance(holder[key], dict):
            holder[key][rng.choice(("format", "x", "", "__class__", hostile.text(rng)))] = odd_value(rng)
        elif change == "swap":
            other, place = rng.choice(places)
            holder[key], other[place] = copy.deepcopy(other[place]), copy.deepcopy(holder[key])
        elif change == "duplicate" and isinstance(holder[key], list) and holder[key]:
            holder[key] += holder[key] * rng.choice((1, 3))
        elif change == "nudge":
            holder[key] = nudged(holder[key], rng)
        else:
            holder[key] = odd_value(rng)
    return root["root"]


def nudged(value: Any, rng: Random) -> Any:
    """Return a value near another one."""
    if isinstance(value, bool) or value is None:
        return rng.choice((True, False, None))
    if isinstance(value, int | float):
        return rng.choice((value + 1, value - 1, -value, 0, value * 1000, str(value), float(value)))
    if isinstance(value, str):
        return mutate_text(value, rng)
    return value


def mutate_text(text: str, rng: Random) -> str:
    """Return a text with one part deleted, doubled, moved, or replaced by something hostile."""
    start = rng.randint(0, len(text))
    end = min(len(text), start + rng.choice((0, 1, 1, 2, 5, 40)))
    change = rng.randrange(5)
    if change == 0:
        return text[:start] + text[end:]
    if change == 1:
        return text[:end] + text[start:]
    if change == 2:
        return text[:start] + hostile.text(rng) + text[end:]
    if change == 3:
        place = rng.randint(0, start)
        return text[:place] + text[start:end] + text[place:start] + text[end:]
    return text[:start]


def dumped(value: Any, rng: Random) -> bytes:
    """Return a value as the bytes of a JSON file, now and then damaged as a text."""
    text = json.dumps(value, indent=rng.choice((None, 1, 2)), ensure_ascii=rng.random() < 0.5)
    content = text.encode("utf-8", "surrogatepass")
    kind = rng.random()
    if kind < 0.75:
        return content
    if kind < 0.8:
        return content[: rng.randint(0, len(content))]
    if kind < 0.85:
        return damage_bytes(content, rng)
    if kind < 0.9:
        return mutate_text(text, rng).encode("utf-8", "surrogatepass")
    if kind < 0.93:
        return re.sub(rb"\d+", lambda _: b"9" * rng.choice((5, 400, 5000)), content, count=1)
    if kind < 0.96:
        deep = 10 ** rng.randint(2, 5)
        return rng.choice((b"[", b'{"a":')) * deep + (b"1" + b"]" * deep if rng.random() < 0.5 else b"")
    return rng.choice(
        (b"", b"\xef\xbb\xbf" + content, content.decode("utf-8", "replace").encode("utf-16"), b"\x00" * 100)
    )


def damage_bytes(content: bytes, rng: Random) -> bytes:
    """Return content with flipped bits, overwritten, inserted, missing or repeated bytes."""
    if not content:
        return rng.randbytes(rng.choice((1, 50)))
    start = rng.randrange(len(content))
    end = min(len(content), start + rng.choice((1, 1, 2, 8, 64)))
    change = rng.randrange(7)
    if change <= 1:
        return flip_bits(content, rng, rng.choice((1, 1, 2, 3, 10)))
    replacement = (b"", rng.randbytes(end - start), content[start:end] * 2, b"\x00" * (end - start), b"")[change - 2]
    return content[:start] if change == 6 else content[:start] + replacement + content[end:]


def flip_bits(content: bytes, rng: Random, count: int = 1) -> bytes:
    """Return content with some single bits flipped."""
    changed = bytearray(content)
    for _ in range(count):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


ENDLESS = ("fifo", "endless")
"""Damages to a file that never end."""


def damage_file(path: Path, rng: Random) -> str:
    """Put something else in the place of a file, and return what."""
    content = path.read_bytes()
    kind = rng.choice(("missing", "empty", "directory", "fifo", "endless", "cut", "bytes", "loop", "partial", "memory"))
    path.unlink()
    if kind == "empty":
        path.touch()
    elif kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "endless":
        path.symlink_to("/dev/zero")
    elif kind == "cut":
        path.write_bytes(content[: rng.randrange(len(content) + 1)])
    elif kind == "bytes":
        path.write_bytes(damage_bytes(content, rng))
    elif kind == "loop":
        path.symlink_to(path.name)
    elif kind == "memory":
        path.symlink_to("/proc/self/mem")
    elif kind == "partial":
        path.with_name(f".{path.name}.4242.partial").write_bytes(content[: len(content) // 2])
    return kind


def damage_folder(folder: Path, rng: Random) -> str:
    """Leave in a folder what a run killed at its first write left, or nothing; return what."""
    name = rng.choice([path.name for path in folder.iterdir()])
    shutil.rmtree(folder)
    folder.mkdir()
    if rng.random() < 0.7:
        (folder / f".{name}.4242.partial").write_bytes(b"")
        return f"only .{name}.4242.partial"
    return "empty folder"
