"""Convolutions in float64 on a CPU, several times as fast as torch's own in large batches and in second derivatives.

Torch writes the patches of a whole batch to memory; here a few samples at a time stay in the cache of a core. A
convolution, its transpose and the gradient by its weight are bilinear, and the derivatives of each are the other two:
they have derivatives of any order without the detour by which torch differentiates twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

_PATCH_NUMBERS = 2**19
"""Numbers of the patches that are in memory at a time: 4 MB."""

_convolution = torch.ops.aten.convolution
_convolution_backward = torch.ops.aten.convolution_backward


@dataclass(frozen=True)
class ConvolutionGeometry:
    """How the kernel of a convolution moves: one number for each dimension of the images."""

    stride: Sequence[int]
    padding: Sequence[int]
    dilation: Sequence[int]
    groups: int

    @property
    def arguments(self) -> tuple[Any, ...]:
        """The arguments of torch after the tensors."""
        return self.stride, self.padding, self.dilation, False, [0] * len(self.stride), self.groups


def is_worth_it(x: Tensor, weight: Tensor) -> bool:
    """Whether the patches of a batch are more than stay in the cache: else torch's own convolution is as fast."""
    return weight[0].numel() * x[:, 0].numel() > _PATCH_NUMBERS


def convolved(x: Tensor, weight: Tensor, geometry: ConvolutionGeometry) -> Tensor:
    """Return a convolution: samples x output channels x positions.

    Args:
        x: samples x channels x positions, float64 on the CPU.
        weight: output channels x channels of a group x kernel, float64.
        geometry: how the kernel moves.
    """
    with torch._C.DisableTorchFunction():
        return _convolve(x, weight, geometry)


class _Convolution(torch.autograd.Function):
    """Takes data and weight."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, geometry: ConvolutionGeometry) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.geometry = geometry
        parts = [_convolution(part, weight, None, *geometry.arguments) for (part,) in _few_at_a_time(weight, x)]
        return torch.cat(parts) if len(parts) > 1 else parts[0]

    @staticmethod
    def backward(ctx: Any, *directions: Tensor) -> tuple[Tensor | None, ...]:
        (direction,) = directions
        x, weight = ctx.saved_tensors
        by_x, by_weight, _ = ctx.needs_input_grad
        return (
            _transpose(direction, weight, ctx.geometry, x.shape) if by_x else None,
            _by_weight(x, direction, ctx.geometry, weight.shape) if by_weight else None,
            None,
        )


class _TransposedConvolution(torch.autograd.Function):
    """Takes the gradient by the result, and the weight; returns the gradient by the data."""

    @staticmethod
    def forward(ctx: Any, gradient: Tensor, weight: Tensor, geometry: ConvolutionGeometry, shape: torch.Size) -> Tensor:
        ctx.save_for_backward(gradient, weight)
        ctx.geometry = geometry
        like = gradient.new_empty(shape)  # only its shape counts
        parts = [
            _convolution_backward(part, data, weight, None, *geometry.arguments, [True, False, False])[0]
            for part, data in _few_at_a_time(weight, gradient, like)
        ]
        return torch.cat(parts) if len(parts) > 1 else parts[0]

    @staticmethod
    def backward(ctx: Any, *directions: Tensor) -> tuple[Tensor | None, ...]:
        (direction,) = directions
        gradient, weight = ctx.saved_tensors
        by_gradient, by_weight, *_ = ctx.needs_input_grad
        return (
            _convolve(direction, weight, ctx.geometry) if by_gradient else None,
            _by_weight(direction, gradient, ctx.geometry, weight.shape) if by_weight else None,
            None,
            None,
        )


class _ConvolutionByWeight(torch.autograd.Function):
    """Takes data and the gradient by the result; returns the gradient by the weight."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, gradient: Tensor, geometry: ConvolutionGeometry, shape: torch.Size) -> Tensor:
        ctx.save_for_backward(x, gradient)
        ctx.geometry = geometry
        like = x.new_empty(shape)
        total = x.new_zeros(shape)
        for data, part in _few_at_a_time(like, x, gradient):
            total += _convolution_backward(part, data, like, None, *geometry.arguments, [False, True, False])[1]
        return total

    @staticmethod
    def backward(ctx: Any, *directions: Tensor) -> tuple[Tensor | None, ...]:
        (direction,) = directions
        x, gradient = ctx.saved_tensors
        by_x, by_gradient, *_ = ctx.needs_input_grad
        return (
            _transpose(gradient, direction, ctx.geometry, x.shape) if by_x else None,
            _convolve(x, direction, ctx.geometry) if by_gradient else None,
            None,
            None,
        )


_convolve: Callable[..., Tensor] = _Convolution.apply
_transpose: Callable[..., Tensor] = _TransposedConvolution.apply
_by_weight: Callable[..., Tensor] = _ConvolutionByWeight.apply


def _few_at_a_time(weight: Tensor, *batches: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Yield the same few samples of each batch."""
    patches = weight[0].numel() * max(batch[0, 0].numel() for batch in batches)
    return zip(*(torch.split(batch, max(_PATCH_NUMBERS // patches, 1)) for batch in batches), strict=True)
