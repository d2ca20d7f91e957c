"""Batch normalisation whose second derivative takes a few passes over memory: torch's own takes several times as many.

With z the normalised data, s its scale, a = weight s and a bar for the mean over a channel, the gradient by the data is
a (g - g_bar - z (gz)_bar). What a direction v of it contributes is again a combination of v, g and z, with one number
for each channel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

_batch_norm = torch.ops.aten.native_batch_norm
_batch_norm_backward = torch.ops.aten.native_batch_norm_backward


def normalised_by_batch(x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float) -> Tensor:
    """Return batch normalisation with the statistics of the batch: samples x channels x ...; twice differentiable.

    Args:
        x: samples x channels x ..., float64 on the CPU.
        weight: channels, or None for ones.
        bias: channels, or None for zeros.
        eps: what is added to the variance.
    """
    with torch._C.DisableTorchFunction():
        ones, zeros = x.new_ones(x.shape[1]), x.new_zeros(x.shape[1])
        return _normalise(x, ones if weight is None else weight, zeros if bias is None else bias, eps)


class _BatchNorm(torch.autograd.Function):
    """Takes data, weight and bias."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
        result: Tensor
        result, mean, scale = _batch_norm(x, weight, bias, None, None, True, 0.0, eps)
        ctx.save_for_backward(x, weight, mean, scale)
        ctx.eps = eps
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        return *_gradients(*gradients, *ctx.saved_tensors, ctx.eps), None


class _BatchNormGradient(torch.autograd.Function):
    """Takes the gradient by the result, data and weight; returns the gradients by data, weight and bias."""

    @staticmethod
    def forward(
        ctx: Any, gradient: Tensor, x: Tensor, weight: Tensor, mean: Tensor, scale: Tensor, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        found = _batch_norm_backward(gradient, x, weight, None, None, mean, scale, True, eps, [True, True, True])
        by_x, by_weight, by_bias = found
        ctx.save_for_backward(gradient, x, weight, mean, scale, by_weight, by_bias)
        return by_x, by_weight, by_bias

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *directions: Tensor) -> tuple[Tensor | None, ...]:
        v, of_weight, of_bias = directions
        gradient, x, weight, mean, scale, by_weight, by_bias = ctx.saved_tensors
        axes = [axis for axis in range(x.dim()) if axis != 1]
        count = x.numel() / x.shape[1]
        slope = weight * scale
        v_mean, g_mean, gz_mean = v.sum(axes) / count, by_bias / count, by_weight / count
        vz_mean = scale * ((v * x).sum(axes) / count - mean * v_mean)
        correlation = (v * gradient).sum(axes) - count * (v_mean * g_mean + vz_mean * gz_mean)
        by_gradient = _by_channel(
            [(v, slope), (x, scale * (of_weight - slope * vz_mean))],
            of_bias - slope * v_mean - mean * scale * (of_weight - slope * vz_mean),
        )
        # the gradient by z is h = of_z_v v + of_z_g g, up to what the scale adds
        of_z_v, of_z_g = -slope * gz_mean, of_weight - slope * vz_mean
        h_mean = of_z_v * v_mean + of_z_g * g_mean
        hz_mean = of_z_v * vz_mean + of_z_g * gz_mean
        of_z = -scale * hz_mean - scale * slope * correlation / count
        by_x = _by_channel(
            [(v, scale * of_z_v), (gradient, scale * of_z_g), (x, of_z * scale)],
            -scale * h_mean - of_z * scale * mean,
        )
        return by_gradient, by_x, scale * correlation, None, None, None


_normalise: Callable[..., Tensor] = _BatchNorm.apply
_gradients: Callable[..., tuple[Tensor, ...]] = _BatchNormGradient.apply


def _by_channel(terms: list[tuple[Tensor, Tensor]], constant: Tensor) -> Tensor:
    """Return the sum of tensors times a number for each channel, plus another one."""
    (first, factor), *rest = terms
    shape = (1, -1, *(1 for _ in first.shape[2:]))
    result = first * factor.view(shape)
    for tensor, factor in rest:
        result.addcmul_(tensor, factor.view(shape))
    return result.add_(constant.view(shape))
