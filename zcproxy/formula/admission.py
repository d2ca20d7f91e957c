"""Checks a primitive when it is registered: purity, dtype, determinism and shape on awkward inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from zcproxy.formula.connections import connections_of
from zcproxy.formula.kinds import Kind, Signature
from zcproxy.formula.layers import RaggedLayers

_SHAPES: dict[Kind, tuple[tuple[int, ...], ...]] = {
    Kind.WEIGHTS: ((3, 2, 3, 3), (1, 1), (4, 3)),
    Kind.WEIGHT_SAMPLES: ((2, 3, 2, 3, 3), (2, 1, 1), (3, 4, 3)),
    Kind.ACTIVATIONS: ((4, 3, 2, 2), (1, 1), (3, 4)),
    Kind.SAMPLE_MATRIX: ((4, 4), (1, 1), (3, 3)),
    Kind.CHANNEL_MATRIX: ((3, 3), (1, 1), (4, 4)),
    Kind.NETWORK_MATRIX: ((4, 4), (1, 1), (3, 3)),
    Kind.PATTERNS: ((4, 3), (1, 1), (3, 4)),
    Kind.SPECTRUM: ((3,), (1,), (4,)),
}
_LAYERS = RaggedLayers(
    np.array([2, 1, 0, 3]),
    connections_of(
        [
            ([0, 1], [(-1, 0), (0, 1), (1, 2)]),
            ([0], [(-1, 0), (-1, 1), (0, 1)]),
            ([], []),
            ([0, 0, -1], [(-1, 0), (-1, 1), (0, 3), (1, 3), (3, 2), (3, 4), (2, 4)]),
        ]
    ),
)
_PLACES = {Kind.LAYER: _LAYERS, Kind.STAGE: _LAYERS.stages}


def probe_primitive(name: str, function: Callable[..., Any], signature: Signature) -> None:
    """Call `function` on ordinary values, zeros, negatives and single elements.

    Raises:
        ValueError: one sentence naming the primitive and the law it breaks.
    """
    for case in range(3):
        for values in (_ordinary, _zeros, _negatives):
            arguments = [_argument(kind, case, values) for kind in signature.arguments]
            if signature.result is Kind.NETWORK_MATRIX:
                arguments = [torch.stack([argument, argument]) for argument in arguments]
            if signature.result in _PLACES and signature.result in signature.arguments:
                places = _PLACES[signature.result]
                arguments = [places.broadcast(item) if len(item) != places.layers else item for item in arguments]
            _check_call(f"primitive {name} {signature}", function, signature, arguments)


def _check_call(title: str, function: Callable[..., Any], signature: Signature, arguments: list[Any]) -> None:
    before = [_copy(argument) for argument in arguments]
    reduced = reduced_kind(signature)
    extra = () if reduced is None else (_PLACES[reduced],)
    with np.errstate(all="ignore"):
        first = function(*arguments, *extra)
        second = function(*arguments, *extra)
    if any(not _same(old, new) for old, new in zip(before, arguments, strict=True)):
        raise ValueError(f"{title} writes into its argument")
    if not _same(first, second):
        raise ValueError(f"{title} is not deterministic")
    if all(kind.is_number for kind in signature.arguments):
        length = _length(signature.result)
        if np.shape(first) != (length,):
            raise ValueError(f"{title} yields shape {np.shape(first)}, expected ({length},)")
        return
    if first.dtype != arguments[0].dtype:
        raise ValueError(f"{title} changes dtype {arguments[0].dtype} to {first.dtype}")
    dimensions = {Kind.LAYER: 0, Kind.NETWORK: 0, Kind.SPECTRUM: 1}.get(signature.result)
    if dimensions is not None and first.dim() != dimensions:
        raise ValueError(f"{title} yields {first.dim()} dimensions, expected {dimensions}")


def reduced_kind(signature: Signature) -> Kind | None:
    """Return the kind whose structure an implementation gets as a last argument: layers or stages that it reduces."""
    found = next((kind for kind in (Kind.LAYER, Kind.STAGE) if kind in signature.arguments), None)
    return found if signature.result in (Kind.STAGE, Kind.NETWORK) and signature.result is not found else None


def _length(kind: Kind) -> int:
    return _PLACES[kind].layers if kind in _PLACES else _LAYERS.networks


def _argument(kind: Kind, case: int, values: Callable[[int], NDArray[np.float64]]) -> Any:
    if kind.is_number:
        return values(_length(kind))
    shape = _SHAPES[kind][case]
    flat = torch.from_numpy(values(int(np.prod(shape)))).float().reshape(shape)
    if kind in (Kind.SAMPLE_MATRIX, Kind.CHANNEL_MATRIX, Kind.NETWORK_MATRIX):
        return flat @ flat.T
    return flat


def _ordinary(length: int) -> NDArray[np.float64]:
    return np.asarray(np.sin(1.7 * np.arange(1, length + 1)) + 0.3)


def _zeros(length: int) -> NDArray[np.float64]:
    return np.zeros(length)


def _negatives(length: int) -> NDArray[np.float64]:
    return -np.linspace(0.5, 2.0, length)


def _copy(value: Any) -> Any:
    return value.clone() if isinstance(value, torch.Tensor) else np.array(value)


def _same(first: Any, second: Any) -> bool:
    return bool(np.array_equal(np.asarray(first), np.asarray(second), equal_nan=True))
