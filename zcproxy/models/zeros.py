"""Inputs of zeros for networks whose costs are counted or timed."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def zero_inputs(network: nn.Module, samples: int, input_shape: tuple[int, ...]) -> Tensor:
    """Return samples x `input_shape` zeros on the CPU, of the network's own precision.

    A network that takes token ids says so by an attribute `vocabulary`, the number of ids: it gets whole numbers.
    """
    if getattr(network, "vocabulary", 0):
        return torch.zeros(samples, *input_shape, dtype=torch.int64)
    kinds = [parameter.dtype for parameter in network.parameters() if parameter.is_floating_point()]
    return torch.zeros(samples, *input_shape, dtype=kinds[0] if kinds else torch.float32)
