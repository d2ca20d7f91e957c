"""Files that are never half-written: written beside their place, then renamed into it."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from zcproxy.errors import StorageError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; it takes the place of `path` when the block ends without an error.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with suppress(OSError):  # what went wrong is raised already
            temporary.unlink()


def write_text(path: Path, text: str) -> None:
    """Write a whole text file or nothing. Raises `StorageError`."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def append_line(path: Path, text: str) -> None:
    """Append one line to a journal. Raises `StorageError`."""
    try:
        with path.open("a", encoding="utf-8") as journal:
            journal.write(text + "\n")
    except OSError as error:
        raise cannot_write(path, error) from error


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a journal, none if there is no file; a torn last line is left out."""
    if not path.exists():
        return []
    lines = []
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(text))
        except json.JSONDecodeError:
            break
    return lines


def check_regular(path: Path) -> None:
    """Refuse what is not a regular file before it is opened: a pipe waits for its writer, a device may never end.

    Links are followed; a missing file is left to the reader.

    Raises:
        StorageError: `path` exists and is not a regular file, or the system does not say.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise StorageError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    if not stat.S_ISREG(mode):
        raise StorageError(f"{path} is not a regular file (a pipe, a device or a folder); name a file")


def read_small_file(path: Path, most: int) -> bytes:
    """Return the content of a regular file of at most `most` bytes.

    Raises:
        OSError: it is missing or cannot be opened.
        StorageError: it is not a regular file, or larger.
    """
    check_size(path, most)
    with path.open("rb") as file:
        return file.read(most)


def check_size(path: Path, most: int) -> None:
    """Refuse what is not a regular file, or is larger than `most` bytes; a missing file is left to the reader.

    Raises:
        StorageError: see above.
    """
    check_regular(path)
    if path.exists() and path.stat().st_size > most:
        raise StorageError(f"{path} is larger than {most / 1e6:g} MB")


def cannot_write(path: Path, error: OSError) -> StorageError:
    """Return the one-line error for a failed write."""
    return StorageError(f"cannot write {path}: {error.strerror or error}; free some space or choose another place")
