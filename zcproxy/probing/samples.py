"""The axis of a tensor that holds the samples of a batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

SMALL, LARGE = 2, 3
"""Batch sizes whose tensors are compared. The first two samples of the large batch are equal."""

_TOLERANCE = 1e-3
"""Rows of equal samples differ by less, relative to the largest number."""


@dataclass(frozen=True)
class SampleAxis:
    """The axis of a tensor that holds the samples, maybe mixed with windows or tokens.

    Attributes:
        axis: its number; -1 where there are no samples, or no single axis holds them.
        before: how many times all samples come one after the other.
        after: how many rows in a row each sample has.
        known: whether it could be found out.
    """

    axis: int = 0
    before: int = 1
    after: int = 1
    known: bool = True

    def moved_first(self, tensor: Tensor, *, channels_last: bool) -> Tensor:
        """Return samples x ...; what was mixed with the samples becomes positions.

        Args:
            tensor: with the samples as described.
            channels_last: whether channels are the last axis, not the one behind the samples.
        """
        if not self.known:
            return torch.full_like(tensor, torch.nan)
        if self.axis < 0 or (self.axis == 0 and self.before == self.after == 1):
            return tensor
        samples = tensor.shape[self.axis] // (self.before * self.after)
        split = _split(tensor, self.axis, self.before, samples, self.after).movedim(self.axis + 1, 0)
        extra = [size for size in (self.before, self.after) if size > 1]
        shape = split.shape
        joined = split.reshape(*shape[: self.axis + 1], *extra, *shape[self.axis + 3 :])
        if channels_last or self.axis > 0 or joined.dim() <= len(extra) + 1:
            return joined
        return joined.movedim(1 + len(extra), 1)


UNKNOWN = SampleAxis(-1, known=False)
NO_SAMPLES = SampleAxis(-1)


def sample_axis(small: torch.Size, large: Tensor) -> SampleAxis:
    """Return which axis holds the samples.

    Args:
        small: the shape of a tensor of a batch of `SMALL` samples.
        large: the same tensor of a batch of `LARGE` samples, of which the first two are equal.
    """
    if small == large.shape:
        return NO_SAMPLES
    if len(small) != large.dim():
        return UNKNOWN
    differing = [axis for axis, sizes in enumerate(zip(small, large.shape, strict=True)) if len(set(sizes)) > 1]
    axis = differing[0]
    factor = small[axis] // SMALL
    if len(differing) > 1 or (small[axis], large.shape[axis]) != (SMALL * factor, LARGE * factor):
        return UNKNOWN
    if factor == 1:
        return SampleAxis(axis)
    orders = [SampleAxis(axis, before, factor // before) for before in _divisors(factor)]
    equal = [order for order in orders if _differ(large, order)[0] <= _TOLERANCE]
    told = [order for order in equal if _differ(large, order)[1] > _TOLERANCE]
    found = equal if len(equal) == 1 else told
    return found[0] if len(found) == 1 else UNKNOWN


def _split(tensor: Tensor, axis: int, *sizes: int) -> Tensor:
    """Return a tensor with one axis taken apart."""
    return tensor.reshape(*tensor.shape[:axis], *sizes, *tensor.shape[axis + 1 :])


def _divisors(number: int) -> Iterator[int]:
    return (value for value in range(1, number + 1) if number % value == 0)


def _differ(large: Tensor, order: SampleAxis) -> tuple[float, float]:
    """Return by how much the rows of the two equal samples differ, and those of the third from them."""
    first, second, third = _split(large, order.axis, order.before, LARGE, order.after).unbind(order.axis + 1)
    scale = max(float(large.abs().max()), torch.finfo(large.dtype).tiny)
    return float((first - second).abs().max()) / scale, float((first - third).abs().max()) / scale
