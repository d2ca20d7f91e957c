"""The torch-function mode of a backward pass: it sees the weights and normalisations of the forward pass."""

from __future__ import annotations

from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from zcproxy.probing.double_precision import layer_result
from zcproxy.probing.expansions import differentiate
from zcproxy.probing.operations import MATRIX_PRODUCTS, NAMED_LAYERS, NORMALISATIONS, Function
from zcproxy.probing.replacements import Replacements


class Replaying(TorchFunctionMode):
    """Puts in place of weights and normalisations what the last run had there."""

    def __init__(self, replacements: Replacements) -> None:
        super().__init__()
        self._replacements = replacements

    def __torch_function__(
        self, function: Function, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if function is torch.autograd.grad:
            with self:
                return differentiate(*args, **kwargs)
        if function in NORMALISATIONS:
            return self._replacements.normalised(function, args, kwargs)
        if function in NAMED_LAYERS or function in MATRIX_PRODUCTS:
            args, kwargs = self._replacements.arguments(args, kwargs)
            return layer_result(function, args, kwargs)
        return function(*args, **kwargs)
