"""Pickles and torch files of plain data: containers, text and numbers are read; what names anything else is refused."""

from __future__ import annotations

import pickle
import re
import struct
import tarfile
import warnings
import zipfile
from pathlib import Path
from typing import IO, Any

from zcproxy.errors import BenchmarkError
from zcproxy.reading.pickle_machine import ForbiddenError, PickleMachine
from zcproxy.reading.plain_numpy import PlainType, scalar
from zcproxy.reading.unpacking import Readable
from zcproxy.storage.files import check_regular

_TORCH_ALLOWED: list[Any] = [
    *((scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")),
    (PlainType, "numpy.dtype"),
]
"""Stand-ins for the names that numbers of numpy need; torch's own reader allows containers, text and tensors."""

_TORCH_FORBIDDEN = re.compile(r"GLOBAL (\S+) (?:was not|whose module)")
_LONGEST_REASON = 120

# What the readers raise over other bytes, or over a stream that ends early; SystemError and TarError are torch's.
_MALFORMED = (
    pickle.UnpicklingError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SystemError,
    TypeError,
    ValueError,
    struct.error,
    tarfile.TarError,
    zipfile.BadZipFile,
)


def _refused(file: str, forbidden: str) -> BenchmarkError:
    """Return the error over a file that names a class or function which plain data does not need."""
    return BenchmarkError(
        f"{file} is refused: it names {forbidden[:_LONGEST_REASON]}, and a file of results may hold plain containers "
        "and numbers only"
    )


def _reason(error: BaseException) -> str:
    return " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__


def read_pickle(stream: Readable, name: str = "the pickle", encoding: str = "ascii") -> Any:
    """Return the object in a pickle made of plain containers, text, numbers, and numpy's numbers and arrays.

    Dictionaries of any kind are read as `dict`.

    Args:
        stream: stream of uncompressed bytes, at the start of the pickle.
        name: name of the file, for the error.
        encoding: encoding of text that Python 2 wrote; `bytes` leaves it as bytes.

    Raises:
        BenchmarkError: the pickle names another class or function (none is imported or called), or the stream is
            truncated or not a pickle of plain data.
    """
    machine = PickleMachine(stream, encoding)
    try:
        content = machine.load()
        if not machine.at_end():
            raise pickle.UnpicklingError("there is more after its end")
        return content
    except ForbiddenError as error:
        raise _refused(name, str(error)) from error
    except _MALFORMED as error:
        raise BenchmarkError(f"{name} is truncated or not a pickle ({_reason(error)}): fetch it again") from error


def load_torch(path: Path, what: str) -> Any:
    """Return the object in a file of `torch.save` made of plain containers, text, numbers and tensors.

    Args:
        path: path of the file.
        what: the content that is expected, for the error.

    Raises:
        BenchmarkError: the file names another class or function (none is imported or called), or is unreadable,
            truncated or not a torch file.
        StorageError: it is not a regular file.
    """
    check_regular(path)
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
        name: name of the file, for the error.
        what: the content that is expected, for the error.

    Raises:
        BenchmarkError: as `load_torch`.
    """
    import torch

    with torch.serialization.safe_globals(_TORCH_ALLOWED), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's remarks on old protocols, beside our error
        try:
            _check_stored(stream)
            # Given by name, `weights_only` is not overridden by TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD.
            return torch.load(stream, map_location="cpu", weights_only=True)
        except _MALFORMED as error:
            forbidden = _TORCH_FORBIDDEN.search(str(error))
            if forbidden:
                raise _refused(name, forbidden[1]) from error
            raise BenchmarkError(f"{name} is truncated or not {what}: torch cannot read it") from error


def _check_stored(stream: IO[bytes]) -> None:
    """Raise `ValueError` for a zip whose members are packed: torch stores them, and would unpack without a limit."""
    if zipfile.is_zipfile(stream):
        with zipfile.ZipFile(stream) as archive:
            if any(info.compress_type != zipfile.ZIP_STORED for info in archive.infolist()):
                raise ValueError("its parts are packed")
    stream.seek(0)
