"""Files of bytes with a checksum: one line that says what they are, then the content.

The line is `zcproxy KIND DIGEST HEADER`, the header a JSON object with the size and the sha256 of the content. The
digest is of the kind, of what the file belongs to, and of the header. So a file that was damaged, truncated, or written
for something else is told before anything parses its content, and what the header says is known without the rest.

Content may have parts, which the header places, each with a sha256 of its own: one is read without the others.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

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


def seal_parts(
    parts: Mapping[str, bytes], kind: str, owner: str = "", header: Mapping[str, Any] | None = None
) -> bytes:
    """Return the bytes of a sealed file whose content has named parts; arguments as those of `seal`."""
    places: dict[str, tuple[int, int, str]] = {}
    start = 0
    for name, content in parts.items():
        places[name] = start, len(content), hashlib.sha256(content).hexdigest()
        start += len(content)
    return seal(b"".join(parts.values()), kind, owner, {**(header or {}), "parts": places})


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


@dataclass(frozen=True)
class Parts:
    """A sealed file with parts that is open.

    Attributes:
        header: what was said of the content.
        stream: the file.
        start: where its content begins.
    """

    header: Mapping[str, Any]
    stream: IO[bytes]
    start: int

    def read(self, name: str) -> bytes:
        """Return a part after checking it.

        Raises:
            DamagedError: it is not what was written, or there is no such part.
            OSError: it cannot be read.
        """
        if name not in self.header["parts"]:
            raise DamagedError("a part is missing")
        place, size, digest = self.header["parts"][name]
        self.stream.seek(self.start + place)
        content = self.stream.read(size)
        if len(content) != size or hashlib.sha256(content).hexdigest() != digest:
            raise DamagedError("a part does not match its checksum")
        return content


@contextmanager
def opened_parts(path: Path, kind: str, owner: str = "") -> Iterator[Parts]:
    """Open a sealed file with parts.

    Raises:
        DamagedError: the header is not what was written.
        OSError: the file cannot be read, or is not a regular file.
    """
    with open_regular(path) as stream:
        header = _header(stream.readline(LONGEST_HEADER), kind, owner)
        yield Parts(header, stream, stream.tell())


def _header(line: bytes, kind: str, owner: str) -> Mapping[str, Any]:
    start = MAGIC + f"{kind} ".encode()
    digest, _, text = line.removeprefix(start).removesuffix(b"\n").partition(b" ")
    if not (line.startswith(start) and line.endswith(b"\n") and digest == _digest(kind, owner, text).encode()):
        raise DamagedError("no checksum, or one of another content")
    header: Mapping[str, Any] = json.loads(text)  # its digest matches: it was written by `seal`
    return header


def _digest(kind: str, owner: str, text: bytes) -> str:
    return hashlib.sha256(b"\0".join([kind.encode(), owner.encode(), text])).hexdigest()
