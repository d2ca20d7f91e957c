"""Pickles and torch files of plain data: containers, text and numbers are read; what names anything else is refused."""

from __future__ import annotations

import pickle
import re
import struct
from collections import OrderedDict, defaultdict
from pathlib import Path
from typing import IO, Any

import numpy as np

from zcproxy.errors import BenchmarkError

# Both functions are private to numpy, and so is the name of their module, which numpy 2 changed.
_NUMPY_SCALAR: Any = np.float64(0).__reduce__()[0]
_NUMPY_ARRAY: Any = np.zeros(0).__reduce__()[0]

_ALLOWED: dict[tuple[str, str], Any] = {
    ("builtins", "dict"): dict,
    ("builtins", "list"): list,
    ("builtins", "set"): set,
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "defaultdict"): defaultdict,
    ("numpy", "dtype"): np.dtype,
    ("numpy", "ndarray"): np.ndarray,
    **{(f"numpy.{core}.multiarray", "scalar"): _NUMPY_SCALAR for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _NUMPY_ARRAY for core in ("core", "_core")},
}

_TORCH_ALLOWED: list[Any] = [
    *((_NUMPY_SCALAR, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")),
    np.dtype,
    *(type(np.dtype(number)) for number in (np.float64, np.float32, np.int64)),
]
"""What numbers of numpy need; torch's own reader allows containers, text and tensors."""

_TORCH_FORBIDDEN = re.compile(r"GLOBAL (\S+) (?:was not|whose module)")

# What the readers raise over other bytes, or over a stream that ends early.
_MALFORMED = (
    pickle.UnpicklingError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    OSError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)


class _PlainUnpickler(pickle.Unpickler):
    """Finds the classes and functions of `_ALLOWED` only; nothing is imported."""

    def __init__(self, stream: IO[bytes], name: str) -> None:
        super().__init__(stream)
        self._name = name

    def find_class(self, module: str, name: str, /) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise _refused(self._name, f"{module}.{name}") from None


def _refused(file: str, forbidden: str) -> BenchmarkError:
    """Return the error over a file that names a class or function which plain data does not need."""
    return BenchmarkError(
        f"{file} is refused: it names {forbidden}, and a file of results may hold plain containers and numbers only"
    )


def read_pickle(stream: IO[bytes], name: str = "the pickle") -> Any:
    """Return the object in a pickle made of plain containers, text, numbers, and numpy's scalars and arrays.

    Args:
        stream: of uncompressed bytes, at the start of the pickle.
        name: of the file, for the error.

    Raises:
        BenchmarkError: the pickle names another class or function (none is imported or called), or the stream is
            truncated or no pickle.
    """
    try:
        content = _PlainUnpickler(stream, name).load()
        if stream.read(1):  # also makes a compressed stream check its end
            raise pickle.UnpicklingError("there is more after its end")
        return content
    except _MALFORMED as error:
        reason = " ".join(str(error).split())
        raise BenchmarkError(f"{name} is truncated or no pickle ({reason}): fetch it again") from error


def load_torch(path: Path, what: str) -> Any:
    """Return the object in a file of `torch.save` made of plain containers, text, numbers and tensors.

    Args:
        path: of the file.
        what: the content that is expected, for the error.

    Raises:
        BenchmarkError: the file names another class or function (none is imported or called), or is unreadable,
            truncated or no torch file.
    """
    try:
        stream = path.open("rb")
    except OSError as error:
        raise BenchmarkError(f"{path} cannot be read ({error.strerror or error})") from error
    with stream:
        return read_torch(stream, str(path), what)


def read_torch(stream: IO[bytes], name: str, what: str) -> Any:
    """Return the object in a stream of `torch.save`: see `load_torch`.

    Args:
        stream: at the start of what torch wrote.
        name: of the file, for the error.
        what: the content that is expected, for the error.

    Raises:
        BenchmarkError: as `load_torch`.
    """
    import torch

    with torch.serialization.safe_globals(_TORCH_ALLOWED):
        try:
            return torch.load(stream, map_location="cpu", weights_only=True)
        except _MALFORMED as error:
            forbidden = _TORCH_FORBIDDEN.search(str(error))
            if forbidden:
                raise _refused(name, forbidden[1]) from error
            raise BenchmarkError(f"{name} is truncated or not {what}: torch cannot read it") from error
