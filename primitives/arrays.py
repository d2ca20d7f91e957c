"""Helpers that primitives share: tensors are torch's, columns of numbers are numpy's, and NaN marks the undefined."""

from __future__ import annotations

from typing import Any

import numpy
import torch
from torch import Tensor

from zcproxy.errors import ModelError
from zcproxy.formula.kinds import Kind

TENSORS = (Kind.WEIGHTS, Kind.WEIGHT_SAMPLES, Kind.ACTIVATIONS)
MATRICES = (Kind.SAMPLE_MATRIX, Kind.CHANNEL_MATRIX)
NUMBERS = (Kind.LAYER, Kind.STAGE, Kind.NETWORK)
LARGEST_MATRIX = 10_000
"""Most rows of a matrix between samples, channels or filters: its eigenvalues take gigabytes and hours beyond."""

TERMS = 1 << 13
"""Products that a matrix product adds up one after the other in float32, which costs some millionths."""


def namespace(value: Any) -> Any:
    """Return the module (torch or numpy) whose functions work on `value`."""
    return torch if isinstance(value, torch.Tensor) else numpy


def where_defined(condition: Any, value: Any) -> Any:
    """Return `value` where the condition holds and NaN elsewhere, keeping dtype and device."""
    xp = namespace(value)
    return xp.where(condition, value, xp.nan)


def absolute_sum(x: Tensor) -> Tensor:
    """Return sum |x|. `torch.linalg.vector_norm` adds one after the other: with size its float32 loses digits."""
    return x.abs().sum()


def euclidean_norm(x: Tensor) -> Tensor:
    """Return sqrt(sum x^2), added up in pairs, see `absolute_sum`."""
    return x.square().sum().sqrt()


def inner_products(x: Tensor, y: Tensor) -> Tensor:
    """Return x y^T; long rows are multiplied part by part.

    Raises:
        ModelError: the matrix is too large to be of use.
    """
    if max(len(x), len(y)) > LARGEST_MATRIX:
        raise ModelError(
            f"a matrix of {len(x)} x {len(y)} between the samples, channels or filters of a layer is too large, the "
            f"most are {LARGEST_MATRIX} rows: choose a proxy without this primitive"
        )
    if x.shape[1] <= TERMS:
        return x @ y.T
    parts = zip(torch.split(x, TERMS, dim=1), torch.split(y, TERMS, dim=1), strict=True)
    return torch.stack([one @ other.T for one, other in parts]).sum(dim=0)
