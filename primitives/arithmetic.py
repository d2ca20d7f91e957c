"""Arithmetic between two values of one kind, or between one number per layer or stage and one number per network."""

from __future__ import annotations

from typing import Any

from zcproxy.formula import Kind, Signature, primitive
from zcproxy.primitives.arrays import MATRICES, NUMBERS, TENSORS, namespace, where_defined

PAIRS = (
    *(Signature((kind, kind), kind) for kind in (*TENSORS, *NUMBERS)),
    *(Signature((kind, Kind.NETWORK), kind) for kind in (Kind.LAYER, Kind.STAGE)),
    *(Signature((Kind.NETWORK, kind), kind) for kind in (Kind.LAYER, Kind.STAGE)),
)
"""Every signature of a binary operation. Tensors of different shapes yield NaN: the sweep sees to it."""

MATRIX_PAIRS = tuple(Signature((kind, kind), kind) for kind in (*MATRICES, Kind.NETWORK_MATRIX))
"""Signatures of what is also done with two matrices, element by element."""


@primitive(*PAIRS, *MATRIX_PAIRS, name="add", formula="x + y", commutative=True)
def add(x: Any, y: Any) -> Any:
    return x + y


@primitive(*PAIRS, *MATRIX_PAIRS, name="subtract", formula="x - y")
def subtract(x: Any, y: Any) -> Any:
    return x - y


@primitive(*PAIRS, *MATRIX_PAIRS, name="multiply", formula="x y", commutative=True)
def multiply(x: Any, y: Any) -> Any:
    return x * y


@primitive(*PAIRS, name="divide", formula="x / y", domain="y != 0")
def divide(x: Any, y: Any) -> Any:
    return x / where_defined(y != 0, y)


@primitive(*PAIRS, formula="min(x, y)", commutative=True)
def minimum(x: Any, y: Any) -> Any:
    return namespace(x).minimum(x, y)


@primitive(*PAIRS, formula="max(x, y)", commutative=True)
def maximum(x: Any, y: Any) -> Any:
    return namespace(x).maximum(x, y)


@primitive(*PAIRS, formula="x^y", domain="x > 0")
def power(x: Any, y: Any) -> Any:
    return where_defined((x > 0) & ~namespace(y).isnan(y), x**y)
