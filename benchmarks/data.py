"""The data directory: where the files of the benchmarks lie, and the proof that they are the expected ones."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

import platformdirs

from zcproxy.errors import BenchmarkError

VARIABLE = "ZCPROXY_DATA"


def data_directory() -> Path:
    """Return the folder named by the environment variable ZCPROXY_DATA, else the user's data folder for zcproxy.

    Raises:
        BenchmarkError: the folder does not exist.
    """
    configured = os.environ.get(VARIABLE)
    directory = Path(configured).expanduser() if configured else platformdirs.user_data_path("zcproxy")
    if not directory.is_dir():
        raise BenchmarkError(f"no data directory at {directory}: set {VARIABLE} to the folder with the benchmark files")
    return directory


def verified_file(relative: str, sha256: str) -> Path:
    """Return the path of a file of the data directory after checking its content.

    A file is hashed once per process and again only when its size or modification time changes.

    Args:
        relative: path inside the data directory.
        sha256: expected digest, 64 hexadecimal digits.

    Raises:
        BenchmarkError: the directory or the file is missing, unreadable, or has other content.
    """
    directory = data_directory()
    path = directory / relative
    if not path.is_file():
        raise BenchmarkError(f"{path} is missing: put {relative} there, or set {VARIABLE} to the folder that has it")
    try:
        state = path.stat()
        found = _digest(path, state.st_mtime_ns, state.st_size)
    except OSError as error:
        raise BenchmarkError(f"{path} cannot be read ({error.strerror}): check its permissions") from error
    if found != sha256:
        raise BenchmarkError(
            f"{path} is truncated or changed: {state.st_size} bytes with sha256 {found[:12]}..., "
            f"expected {sha256[:12]}...; fetch the file again"
        )
    return path


@cache
def _digest(path: Path, mtime_ns: int, size: int) -> str:
    """Return the sha256 of a file; the time and size only tell one state of the file from another."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
