"""Arrays of numbers in untrusted npz files, read with limits and without numpy's own reader of their headers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from numpy.typing import NDArray

from zcproxy.errors import BenchmarkError
from zcproxy.reading.plain_numpy import filled, plain_dtype
from zcproxy.reading.plain_values import read_literal
from zcproxy.reading.unpacking import member

_MAGIC = b"\x93NUMPY"
_LENGTH_DIGITS = {1: 2, 2: 4, 3: 4}
"""Version of the format -> bytes of the length of its header."""


def read_npz(source: Path | IO[bytes], names: Sequence[str], shown: str) -> dict[str, NDArray[Any]]:
    """Return arrays of an npz file.

    Args:
        source: the file.
        names: names of the arrays.
        shown: name of the file, for the error.

    Raises:
        BenchmarkError: it is not such a file, lacks an array, or one holds objects, is damaged or too large.
        StorageError: it is not a regular file.
    """
    return {name: _array(member(source, f"{name}.npy", shown), f"{name} in {shown}") for name in names}


def _array(content: bytes, shown: str) -> NDArray[Any]:
    try:
        digits = _LENGTH_DIGITS[content[len(_MAGIC)]] if content.startswith(_MAGIC) else 0
        start = len(_MAGIC) + 2 + digits
        end = start + int.from_bytes(content[start - digits : start], "little")
        header = read_literal(content[start:end].decode("utf-8"))
        if not digits or not isinstance(header, dict):
            raise ValueError("it has no header")
        written = header["descr"]
        if not isinstance(written, str) or not written:
            raise ValueError("it holds no plain numbers")
        order = written[0] if written[0] in "<>" else "="
        dtype = plain_dtype(written.lstrip("<>|="), order)
        return filled(header["shape"], dtype, "F" if header["fortran_order"] is True else "C", content[end:])
    except (LookupError, OverflowError, TypeError, ValueError) as error:
        raise BenchmarkError(f"{shown} is not an array of plain numbers: {error}") from error
