"""Guards around functions of plugins: what they raise, return and write is checked at every call."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zcproxy.errors import ModelError
from zcproxy.formula import Kind, RaggedLayers, Signature
from zcproxy.user_code.border import running

Function = Callable[..., Any]

DIMENSIONS = {
    Kind.LAYER: 0,
    Kind.SPECTRUM: 1,
    Kind.NETWORK: 0,
    Kind.SAMPLE_MATRIX: 2,
    Kind.CHANNEL_MATRIX: 2,
    Kind.NETWORK_MATRIX: 2,
    Kind.PATTERNS: 2,
}
"""Number of dimensions of what a function of tensors returns, where its kind settles them."""


def guarded(function: Function, title: str, signature: Signature) -> Function:
    """Return a primitive's function for one signature, as the language calls it.

    Args:
        function: of the user.
        title: what errors call it.
        signature: the kinds that it takes and yields.

    The result raises `ModelError` where the function raises, writes into an argument or returns something else than
    its signature says.
    """
    if not all(kind.is_number for kind in signature.arguments):
        return _of_tensors(function, title, signature)
    if signature.result is Kind.NETWORK and signature.arguments != (Kind.NETWORK,) * len(signature.arguments):
        return _of_layers(function, title, signature)
    return _of_numbers(function, title)


def _of_tensors(function: Function, title: str, signature: Signature) -> Function:
    wanted = DIMENSIONS.get(signature.result)

    @wraps(function)
    def call(*arguments: Tensor) -> Tensor:
        found = unwritten(function, title, *arguments)
        if isinstance(found, int | float):
            found = torch.tensor(float(found), dtype=arguments[0].dtype, device=arguments[0].device)
        if not isinstance(found, Tensor):
            raise ModelError(f"{title} returns a {type(found).__name__}, expected a tensor")
        if wanted is not None and found.dim() != wanted:
            raise ModelError(
                f"{title} returns a tensor of shape {tuple(found.shape)}, expected {wanted} dimensions for "
                f"{signature.result.value}"
            )
        if found.dtype != arguments[0].dtype:
            raise ModelError(f"{title} returns {found.dtype} for {arguments[0].dtype}: keep the dtype of the argument")
        return found

    return call


def _of_numbers(function: Function, title: str) -> Function:
    """Return a function of arrays that takes single numbers too: constants of a formula."""

    @wraps(function)
    def call(*arguments: Any) -> Any:
        arrays = np.broadcast_arrays(*(np.atleast_1d(np.asarray(each, np.float64)) for each in arguments))
        found = _numbers(title, unwritten(function, title, *arrays))
        if found.shape != arrays[0].shape:
            raise ModelError(f"{title} returns shape {found.shape} for numbers of shape {arrays[0].shape}")
        return found[0] if all(np.ndim(each) == 0 for each in arguments) else found

    return call


def _of_layers(function: Function, title: str, signature: Signature) -> Function:
    """Return a function of all networks that calls the user's with the numbers of one network after another."""
    per_layer = [kind is not Kind.NETWORK for kind in signature.arguments]

    @wraps(function)
    def call(*arguments: Any) -> NDArray[np.float64]:
        *values, layers = arguments
        counts = _counts(layers)
        starts = np.cumsum(counts) - counts
        spread = [
            np.asarray(each, np.float64) if is_listed else np.broadcast_to(each, counts.shape)
            for each, is_listed in zip(values, per_layer, strict=True)
        ]
        found = np.full(len(counts), np.nan)
        for network, (start, count) in enumerate(zip(starts.tolist(), counts.tolist(), strict=True)):
            if count:
                parts = [
                    each[start : start + count] if is_listed else each[network]
                    for each, is_listed in zip(spread, per_layer, strict=True)
                ]
                value = _numbers(title, unwritten(function, title, *parts))
                if value.ndim:
                    raise ModelError(f"{title} returns shape {value.shape}, expected one number for the network")
                found[network] = value
        return found

    return call


def _counts(layers: RaggedLayers) -> NDArray[np.int64]:
    return np.nan_to_num(np.asarray(layers.count)).astype(np.int64)


def unwritten(function: Function, title: str, *arguments: Any) -> Any:
    """Return what a function of a user makes of tensors or arrays. Raises `ModelError` where it writes into one."""
    writes = f"{title} writes into its argument: compute something new, for example x.clone()"
    before = [each._version if isinstance(each, Tensor) else 0 for each in arguments]
    given = [each if isinstance(each, Tensor) else _read_only(each) for each in arguments]
    try:
        with running(f"{title} failed"):
            found = function(*given)
    except ModelError as error:
        if isinstance(error.__cause__, ValueError) and "read-only" in str(error.__cause__):
            raise ModelError(writes) from error
        raise
    if any(isinstance(each, Tensor) and each._version != old for each, old in zip(arguments, before, strict=True)):
        raise ModelError(writes)
    return found


def _read_only(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    view = value.view()
    view.flags.writeable = False
    return view


def _numbers(title: str, value: Any) -> NDArray[np.float64]:
    try:
        return np.asarray(value, np.float64)
    except (TypeError, ValueError) as error:
        raise ModelError(f"{title} returns a {type(value).__name__}, expected numbers") from error
