"""Files of bytes with a checksum: one line that says what they are, then the content.

The line is `zcproxy KIND DIGEST HEADER`, the header a JSON object with the size and the sha256 of the content. The
digest is of the kind, of what the file belongs to, and of the header. So a file that was damaged, truncated, or written
for something else is told before anything parses its content, and what the header says is known without the rest.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zcproxy.storage.files import open_regular

MAGIC = b"zcproxy "
LONGEST_HEADER = 1 << 26
"""Bytes: a few hundred columns of a few networks need a hundredth of a percent of it."""


class DamagedError(Exception):
    """A sealed file is not what was written. Its text says why; it never reaches a user as an error."""


@dataclass(frozen=True)
class Sealed:
    """A sealed file.

    Attributes:
        header: what was said of the content.
        content: the bytes.
    """

    header: Mapping[str, Any]
    content: bytes


def seal(content: bytes, kind: str, owner: str = "", header: Mapping[str, Any] | None = None) -> bytes:
    """Return the bytes of a sealed file.

    Args:
        content: any bytes.
        kind: what it is, one word with its version.
        owner: what the file belongs to; a reader has to name the same.
        header: what is to be known without reading the content.
    """
    numbers = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    text = json.dumps({**(header or {}), **numbers}).encode()
    return MAGIC + f"{kind} {_digest(kind, owner, text)} ".encode() + text + b"\n" + content


def is_sealed(start: bytes) -> bool:
    """Return whether a file that begins so is a sealed one."""
    return start.startswith(MAGIC)


def read_header(path: Path, kind: str, owner: str = "") -> Mapping[str, Any]:
    """Return what a sealed file says of its content, which is as long as it should be; it is not checked otherwise.

    Raises:
        DamagedError: the file is not what was written.
        OSError: it cannot be read, or is not a regular file.
    """
    with open_regular(path) as stream:
        header = _header(stream.readline(LONGEST_HEADER), kind, owner)
        size = os.fstat(stream.fileno()).st_size - stream.tell()
    if size != header["bytes"]:
        raise DamagedError(f"{size:,} bytes instead of {header['bytes']:,}")
    return header


def read_sealed(path: Path, kind: str, owner: str = "") -> Sealed:
    """Return a sealed file after checking it: what is returned are the bytes that were checked.

    Raises:
        DamagedError: the file is not what was written.
        OSError: it cannot be read, or is not a regular file.
    """
    with open_regular(path) as stream:
        header = _header(stream.readline(LONGEST_HEADER), kind, owner)
        content = stream.read(header["bytes"] + 1)
    if len(content) != header["bytes"] or hashlib.sha256(content).hexdigest() != header["sha256"]:
        raise DamagedError("the content does not match its checksum")
    return Sealed(header, content)


def _header(line: bytes, kind: str, owner: str) -> Mapping[str, Any]:
    start = MAGIC + f"{kind} ".encode()
    digest, _, text = line.removeprefix(start).removesuffix(b"\n").partition(b" ")
    if not (line.startswith(start) and line.endswith(b"\n") and digest == _digest(kind, owner, text).encode()):
        raise DamagedError("no checksum, or one of another content")
    header: Mapping[str, Any] = json.loads(text)  # its digest matches: it was written by `seal`
    return header


def _digest(kind: str, owner: str, text: bytes) -> str:
    return hashlib.sha256(b"\0".join([kind.encode(), owner.encode(), text])).hexdigest()
