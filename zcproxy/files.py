"""Files that are never half-written: written beside their place, then renamed into it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from zcproxy.errors import StorageError

LONGEST_PATH = 240
"""Characters of a path in a message."""


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


def open_regular(path: Path) -> IO[bytes]:
    """Open a file for reading bytes. Raises `OSError` for what is not a regular file, without waiting for a pipe."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    return os.fdopen(descriptor, "rb")


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


def cannot_write(path: Path, error: OSError) -> StorageError:
    """Return the one-line error for a failed write."""
    return StorageError(
        f"cannot write {_short(path)}: {error.strerror or error}; free some space or choose another place"
    )


def cannot_read(path: Path, error: OSError) -> StorageError:
    """Return the one-line error for a failed look at a file or folder."""
    return StorageError(
        f"cannot read {_short(path)}: {error.strerror or error}; check its permissions or choose another place"
    )


def _short(path: Path) -> str:
    """Return a path as messages have it: of a very long one the ends."""
    text = str(path)
    return text if len(text) <= LONGEST_PATH else f"{text[: LONGEST_PATH // 2]}...{text[-LONGEST_PATH // 2 :]}"
