"""What primitives share: tensors are torch's, columns of numbers are numpy's, and NaN marks the undefined."""

from __future__ import annotations

from typing import Any

import numpy
import torch

from zcproxy.formula.kinds import Kind

TENSORS = (Kind.WEIGHTS, Kind.WEIGHT_SAMPLES, Kind.ACTIVATIONS)
MATRICES = (Kind.SAMPLE_MATRIX, Kind.CHANNEL_MATRIX)
NUMBERS = (Kind.LAYER, Kind.NETWORK)


def namespace(value: Any) -> Any:
    """Return the module (torch or numpy) whose functions work on `value`."""
    return torch if isinstance(value, torch.Tensor) else numpy


def where_defined(condition: Any, value: Any) -> Any:
    """Return `value` where the condition holds and NaN elsewhere, keeping dtype and device."""
    xp = namespace(value)
    return xp.where(condition, value, xp.nan)
