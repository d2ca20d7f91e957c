"""The data directory: where the files of the benchmarks lie, and the proof that they are the expected ones."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

import platformdirs

from zcproxy.errors import BenchmarkError
from zcproxy.reading.unpacking import content_of

VARIABLE = "ZCPROXY_DATA"
_GIT_DIGITS = 40


def configured_directory() -> Path:
    """Return the folder named by the environment variable ZCPROXY_DATA, else the user's data folder for zcproxy."""
    configured = os.environ.get(VARIABLE)
    return Path(configured).expanduser() if configured else platformdirs.user_data_path("zcproxy")


def data_directory() -> Path:
    """Return the data directory. Raises `BenchmarkError` if it does not exist."""
    directory = configured_directory()
    if not os.path.isdir(directory):
        raise BenchmarkError(
            f"no data directory at {directory}: set {VARIABLE} to the folder with the benchmark files"
            " (`zcproxy benchmark list` says where they come from)"
        )
    if not os.access(directory, os.R_OK | os.X_OK):
        raise BenchmarkError(f"the data directory {directory} may not be read: change its permissions, or {VARIABLE}")
    return directory


def verified_file(relative: str, digest: str) -> Path:
    """Return the path of a file of the data directory after checking its content.

    A file is hashed once per process and again only when its size or modification time changes.

    Args:
        relative: path inside the data directory.
        digest: see `digest_of`.

    Raises:
        BenchmarkError: the directory or the file is missing, unreadable, or has other content.
    """
    directory = data_directory()
    path = directory / relative
    if not os.path.isfile(path):
        raise BenchmarkError(f"{path} is missing: put {relative} there, or set {VARIABLE} to the folder that has it")
    check_digest(path, digest)
    return path


def check_digest(path: Path, digest: str, advice: str = "fetch the file again") -> None:
    """Raise `BenchmarkError`, ending in some advice, unless the content of a file has the digest: see `digest_of`."""
    try:
        state = path.stat()
        found = _digest_of_state(path, digest, state.st_mtime_ns, state.st_size)
    except OSError as error:
        raise BenchmarkError(f"{path} cannot be read ({error.strerror or error}): {advice}") from error
    if found != digest:
        kind = "git id" if len(digest) == _GIT_DIGITS else "sha256"
        raise BenchmarkError(
            f"{path} is truncated or changed: {state.st_size} bytes with {kind} {found[:12]}..., "
            f"expected {digest[:12]}...; {advice}"
        )


def digest_of(content: bytes, like: str) -> str:
    """Return the digest of a file's content.

    Args:
        content: the bytes.
        like: a digest of the same kind: 64 digits are a sha256, 40 the id that git gives a file.
    """
    if len(like) == _GIT_DIGITS:
        return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    return hashlib.sha256(content).hexdigest()


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file of any size, as it lies there."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@cache
def _digest_of_state(path: Path, like: str, mtime_ns: int, size: int) -> str:
    """Return the digest of a file's content; the time and size only tell one state of the file from another."""
    return digest_of(content_of(path), like)
