"""Files that are never half-written: written beside their place, then renamed into it."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO

from zcproxy.errors import StorageError
from zcproxy.text.visible import shortened

LONGEST_PATH = 240
"""Characters of a path in a message."""
LONGEST_KEPT = 40
"""Characters of a file's name that the name of its temporary file begins with: the whole must fit a file system."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path; what is written there is at `path` when the block ends without an error.

    A regular file is replaced, its mode and owner kept. A link is followed. Devices and pipes are never replaced: what
    was written is copied to them.

    Raises:
        StorageError: the disk is full, the folder cannot be written, or nothing can be written to such a path.
    """
    try:
        present = _present(path)
        target = Path(os.path.realpath(path))
        if (present is not None and not stat.S_ISREG(present.st_mode)) or _standard_stream(present) is not None:
            with TemporaryDirectory() as folder:
                yield Path(folder) / "content"
                _copy_to(path, Path(folder) / "content", _standard_stream(present))
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name[:LONGEST_KEPT]}.{os.getpid()}.partial")
        _create(temporary, present)
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        yield temporary
        os.replace(temporary, target)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with suppress(OSError):  # what went wrong is raised already
            temporary.unlink()


def check_target(path: Path, *, regular: bool = False) -> None:
    """Refuse a path that no file can be written to, before the work that the file is for.

    Args:
        path: path of the file to come.
        regular: refuse devices and pipes too.

    Raises:
        StorageError: it is a folder or no name of a file, or its folder cannot be written.
    """
    try:
        present = _present(path)
        if present is None or stat.S_ISREG(present.st_mode):
            _try_folder(Path(os.path.realpath(path)).parent)
    except OSError as error:
        raise cannot_write(path, error) from error
    if regular and present is not None and not stat.S_ISREG(present.st_mode):
        raise StorageError(f"cannot write {path}: it is not a regular file; give another name")


def _try_folder(folder: Path) -> None:
    """Write a file without a name to a folder, or to the one that it would be made in. Raises `OSError`."""
    while not folder.exists():
        folder = folder.parent
    with TemporaryFile(dir=folder):
        pass


def _present(path: Path) -> os.stat_result | None:
    """Return the state of what is at a path, a link followed; None if nothing is. Raises `StorageError`, `OSError`."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise StorageError(f"cannot write {str(path)!r}: {error}; give another name") from error
    if stat.S_ISDIR(found.st_mode):
        raise StorageError(f"cannot write {path}: it is a folder; give the name of a file")
    return found


def _create(temporary: Path, present: os.stat_result | None) -> None:
    """Make an empty file with the mode and the owner of the one that it will replace."""
    with suppress(FileNotFoundError):
        temporary.unlink()
    descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666 if present is None else 0o600)
    os.close(descriptor)
    if present is not None:
        with suppress(OSError):  # only root may give a file away
            shutil.chown(temporary, present.st_uid, present.st_gid)
        temporary.chmod(stat.S_IMODE(present.st_mode))


def _standard_stream(present: os.stat_result | None) -> int | None:
    """Return the descriptor of the standard output or error if a path leads there: what is written goes behind it."""
    for descriptor in (1, 2):
        with suppress(OSError):  # closed
            if present is not None and os.path.samestat(present, os.fstat(descriptor)):
                return descriptor
    return None


def is_standard_output(path: Path) -> bool:
    """Whether what is written to a path goes to the standard output, such as `/dev/stdout`."""
    with suppress(OSError, ValueError):  # it is missing, or no name of a file
        return _standard_stream(os.stat(path)) == 1
    return False


def _copy_to(path: Path, content: Path, descriptor: int | None) -> None:
    """Write the content of a file to a device or pipe, or to a standard stream. A pipe without a reader is refused."""
    if descriptor is None:
        opened = os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))
        os.set_blocking(opened, True)
    else:
        sys.stdout.flush()
        opened = os.dup(descriptor)
    with content.open("rb") as source, os.fdopen(opened, "wb") as sink:
        shutil.copyfileobj(source, sink)


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


def read_small_file(path: Path, most: int) -> bytes:
    """Return the content of a regular file of at most `most` bytes.

    Raises:
        OSError: it is missing or cannot be opened.
        StorageError: it is not a regular file, or larger.
    """
    check_size(path, most)
    with open_regular(path) as file:
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
    shown = shortened(str(path), LONGEST_PATH)
    return StorageError(f"cannot write {shown}: {error.strerror or error}; free some space or choose another place")


def cannot_read(path: Path, error: OSError) -> StorageError:
    """Return the one-line error for a failed look at a file or folder."""
    shown = shortened(str(path), LONGEST_PATH)
    return StorageError(
        f"cannot read {shown}: {error.strerror or error}; check its permissions or choose another place"
    )
