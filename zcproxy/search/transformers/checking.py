"""Checks that a transformer is what it was taken for: the smallest sub-network computes what the masked model does."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from zcproxy.errors import ModelError
from zcproxy.probing.recorder import call_model, reported
from zcproxy.search.transformers.shrinking import Size, masked, shrunk
from zcproxy.search.transformers.stack import Stack

TOLERANCE = 1e-3
"""Largest difference of a logit, absolute for small ones and relative for those above one."""


def check_same(separate: nn.Module, model: nn.Module, inputs: Tensor) -> None:
    """Raise `ModelError` unless a model computes with separate attention what it computes without."""
    if not _alike(separate, model, inputs):
        raise ModelError(
            f"cannot make the {type(model).__name__} elastic: it uses its nn.MultiheadAttention for more than attention"
        )


def check_shrinking(model: nn.Module, stack: Stack, depth: int, inputs: Tensor) -> None:
    """Raise `ModelError` unless the first layers with one head and one unit compute what the masked model computes.

    Args:
        model: the full model.
        stack: its encoder layers.
        depth: how many of them are left.
        inputs: a batch.
    """
    kind = type(model.get_submodule(f"{stack.name}.0")).__name__
    size = Size((1,) * depth, (1,) * depth)
    with reported(f"cannot make the model elastic: '{stack.name}', {len(stack.layers)} {kind}, fails with fewer heads"):
        alike = _alike(shrunk(model, stack, size), masked(model, stack, size), inputs)
    if not alike:
        raise ModelError(
            f"cannot make the model elastic: '{stack.name}', {len(stack.layers)} {kind}, computes something else than "
            "attention and a feed-forward part of its six linear maps"
        )


@torch.no_grad()
def _alike(first: nn.Module, second: nn.Module, inputs: Tensor) -> bool:
    """Whether two models give the same logits in evaluation mode."""
    found, expected = (call_model(copy.deepcopy(model).eval(), inputs) for model in (first, second))
    return torch.allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE)
