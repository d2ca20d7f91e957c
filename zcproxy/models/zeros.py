"""Inputs of zeros for networks whose costs are counted or timed."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def vocabulary_of(network: nn.Module) -> int:
    """Return how many token ids a network takes, 0 where it takes floats.

    It says so itself: by an attribute `vocabulary`, or by `config.vocab_size`, as models of Hugging Face do.
    """
    named = getattr(network, "vocabulary", None) or getattr(getattr(network, "config", None), "vocab_size", None)
    return named if isinstance(named, int) and named > 0 else 0


def zero_inputs(network: nn.Module, samples: int, input_shape: tuple[int, ...]) -> Tensor:
    """Return samples x `input_shape` zeros on the CPU, of the network's own precision; int64 for token ids."""
    if vocabulary_of(network):
        return torch.zeros(samples, *input_shape, dtype=torch.int64)
    kinds = [parameter.dtype for parameter in network.parameters() if parameter.is_floating_point()]
    return torch.zeros(samples, *input_shape, dtype=kinds[0] if kinds else torch.float32)
