"""What the shapes of an operation's tensors tell of it."""

from __future__ import annotations

from typing import Any

from torch import Tensor


def repeats(tensor: Tensor, result: Tensor) -> bool:
    """Whether a tensor is a larger one but for axes of size 1."""
    sizes = zip(tensor.shape, result.shape[result.dim() - tensor.dim() :], strict=True)
    return tensor.shape != result.shape and all(size in (1, whole) for size, whole in sizes)


def pools_all_positions(subject: Tensor, result: Any, samples: int) -> bool:
    """Whether a result has one number a sample and channel, and what it was computed from has more."""
    if not isinstance(result, Tensor) or result.dim() < 2:
        return False
    if len(result) != len(subject) and not (len(result) == samples and samples in subject.shape):
        return False
    return len(result) * max(result.shape[1:]) == result.numel() < subject.numel()
