"""Numbers and arrays of numpy as pickles hold them, rebuilt without calling what numpy would call.

`numpy.dtype`, `numpy.ndarray` and their helpers take states that make them point anywhere in memory. The stand-ins here
know plain types alone, and check every length before numpy sees the bytes.
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

PLAIN = re.compile(r"[biufc](?:1|2|4|8|16|32)|[SU][1-9]\d{0,5}")
"""Types of bits, integers, floating and complex numbers, bytes and text, with their size."""

_ORDERS = "|<>="
_MOST_DIMENSIONS = 32


def plain_dtype(text: object, order: Any = "=") -> np.dtype[Any]:
    """Return the type that a text such as `f8` or `U12` names. Raises `ValueError` for any that is not plain."""
    name = text.decode("ascii") if isinstance(text, bytes) else text
    if not isinstance(name, str) or not PLAIN.fullmatch(name):
        raise ValueError("it has an array whose type is not plain numbers or text")
    try:
        return np.dtype(name).newbyteorder(order)
    except TypeError as error:
        raise ValueError(f"numpy has no type {name}") from error


class PlainType:
    """Stands in for `numpy.dtype`: takes the text of a plain type, and from its state the order of bytes alone.

    Raises:
        ValueError: the type is not plain, or its state has fields, a shape, or names.
    """

    __slots__ = ("dtype",)

    def __init__(self, text: object, align: object = False, copy: object = True) -> None:
        self.dtype = plain_dtype(text)

    def __setstate__(self, state: object) -> None:
        """Take the order of bytes; the version, and numbers that follow from the type, are left aside."""
        if not isinstance(state, tuple) or len(state) < 5:
            raise ValueError("the state of a numpy type is not plain")
        order = state[1].decode("ascii") if isinstance(state[1], bytes) else state[1]
        if not isinstance(order, str) or order not in tuple(_ORDERS) or state[2:5] != (None, None, None):
            raise ValueError("the state of a numpy type is not plain")
        if order in "<>":
            self.dtype = self.dtype.newbyteorder(order)  # type: ignore[arg-type]  # one of both


def scalar(kind: object, data: object) -> np.generic:
    """Return the number in bytes; stands in for `numpy.core.multiarray.scalar`. Raises `ValueError`."""
    if type(kind) is not PlainType or type(data) is not bytes or len(data) != kind.dtype.itemsize:
        raise ValueError("a number of numpy does not fit its type")
    found: np.generic = np.frombuffer(data, kind.dtype)[0]
    return found


def array(state: object) -> NDArray[Any]:
    """Return the array in the state `(version, shape, type, is Fortran, bytes)`. Raises `ValueError`."""
    if not isinstance(state, tuple) or len(state) != 5:
        raise ValueError("the state of an array is not plain")
    _, shape, kind, is_fortran, data = state
    if type(kind) is not PlainType or type(data) is not bytes:
        raise ValueError("an array is not made of plain numbers or text")
    return filled(shape, kind.dtype, "F" if is_fortran else "C", data)


def filled(shape: object, dtype: np.dtype[Any], order: Any, data: bytes) -> NDArray[Any]:
    """Return an array of bytes, of its own memory. Raises `ValueError` unless the shape asks for as many bytes."""
    if not isinstance(shape, tuple) or len(shape) > _MOST_DIMENSIONS or any(type(side) is not int for side in shape):
        raise ValueError("the shape of an array is not whole numbers")
    if any(side < 0 for side in shape) or math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError(f"an array has {len(data)} bytes, its shape asks for others")
    return np.frombuffer(data, dtype).reshape(shape, order=order).copy()
