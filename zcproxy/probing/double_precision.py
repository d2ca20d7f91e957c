"""Calls operations by what is quicker on a CPU than torch's own: in float64, and with second derivatives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from zcproxy.probing.double_convolution import ConvolutionGeometry, convolved, is_worth_it
from zcproxy.probing.double_normalisation import normalised_by_batch
from zcproxy.probing.operations import CONVOLUTION, CONVOLUTIONS, Function, bound


def layer_result(function: Function, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Return what a layer yields: a convolution of float64 on the CPU by other means, all else as it is."""
    if function in CONVOLUTIONS:
        given = bound(CONVOLUTION, args, kwargs)
        x, weight, bias, padding = given["input"], given["weight"], given.get("bias"), given.get("padding", 0)
        is_batch = x.dim() == weight.dim() and not isinstance(padding, str)
        if is_batch and _is_double_on_cpu(x) and _is_double_on_cpu(weight) and is_worth_it(x, weight):
            steps = given.get("stride", 1), padding, given.get("dilation", 1)
            stride, padding, dilation = (_in_each_dimension(step, x.dim() - 2) for step in steps)
            geometry = ConvolutionGeometry(stride, padding, dilation, given.get("groups", 1))
            result = convolved(x, weight, geometry)
            return result if bias is None else result + bias.view(-1, *(1 for _ in x.shape[2:]))
    return function(*args, **kwargs)


def normalisation_result(function: Function, given: Mapping[str, Any], *, twice: bool) -> Tensor:
    """Return what a normalisation yields: one by a batch on the CPU by other means where that is quicker.

    Args:
        function: the normalisation.
        given: its arguments by name.
        twice: whether it is differentiated twice.
    """
    x = given["input"]
    by_batch = function in (F.batch_norm, torch.batch_norm) and given["training"] and given.get("running_mean") is None
    is_slow = _is_double_on_cpu(x) or (twice and x.dtype == torch.float32 and x.device.type == "cpu")
    if by_batch and is_slow and x.dim() > 1 and x.numel() > x.shape[1]:
        return normalised_by_batch(x, given.get("weight"), given.get("bias"), given.get("eps", 1e-5))
    result: Tensor = function(**given)
    return result


def _is_double_on_cpu(tensor: Tensor) -> bool:
    return tensor.dtype == torch.float64 and tensor.device.type == "cpu"


def _in_each_dimension(value: int | Sequence[int], dimensions: int) -> list[int]:
    """Return a size for each dimension, as a convolution takes one number for all."""
    sizes = [value] if isinstance(value, int) else list(value)
    return sizes * dimensions if len(sizes) == 1 else sizes
