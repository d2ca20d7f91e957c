"""Directories that one process works in at a time, and what killed ones leave in them."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from zcproxy.errors import RunError
from zcproxy.storage.files import cannot_read, cannot_write

if sys.platform != "win32":
    import fcntl


@contextmanager
def claimed(path: Path) -> Iterator[None]:
    """Hold a directory, which is made if there is none; the kernel releases it when the process ends.

    The lock is on the directory itself: no file is left. File systems without locks are used without one.

    Raises:
        RunError: another process holds it, or it is not a directory.
        StorageError: it cannot be made or opened.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDONLY)
    except FileExistsError as error:
        raise RunError(f"{path} exists and is not a directory: choose another `out`") from error
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        _lock(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    if sys.platform == "win32":
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise RunError(
            f"another zcproxy process works in {path}: wait until it has ended, or choose another `out`"
        ) from error
    except OSError:
        return  # no locks here


def is_unclaimed(path: Path, begun: Collection[str] = ()) -> bool:
    """Return whether a directory may be taken: it does not exist, or holds nothing but what a first write left.

    Args:
        path: the directory.
        begun: names of files that are written before the one that claims it.

    Raises:
        StorageError: it cannot be looked into.
    """
    try:
        names = os.listdir(path)
    except FileNotFoundError:
        return True
    except NotADirectoryError:
        return False
    except OSError as error:
        raise cannot_read(path, error) from error
    return all(name in begun or _is_partial(name) for name in names)


def remove_partials(path: Path) -> None:
    """Delete what killed writes left in a directory that this process holds."""
    for each in list(path.iterdir()):
        if _is_partial(each.name):
            with suppress(OSError):  # it stays where it is, and does no harm
                each.unlink()


def _is_partial(name: str) -> bool:
    """Return whether a file is one that `zcproxy.storage.files.replacing` had not finished."""
    return name.startswith(".") and name.endswith(".partial")
