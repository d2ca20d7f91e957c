"""Sizes of a network and of its weights."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn

from direct_proxies.records import weighted


def params(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    return float(
        sum(math.prod(value.shape) for value in model.state_dict(keep_vars=True).values() if value.requires_grad)
    )


def flops(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Multiply-adds, found by asking how many products each output needs: a network of ones fed with ones."""
    total = 0.0

    def count(module: nn.Module, arguments: tuple[Tensor], output: Tensor) -> None:
        nonlocal total
        total += output[0].numel() * module.weight[0].numel()  # type: ignore[index, operator]
        total += 0 if module.bias is None else output[0].numel()

    handles = [module.register_forward_hook(count) for module in weighted(model)]
    with torch.no_grad():
        copy.deepcopy(model)(inputs)
    for handle in handles:
        handle.remove()
    return total


def weight_layers(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    return len(weighted(model))


def l2_norm(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """NASLib, measures/l2_norm.py, get_l2_norm_array, for networks without dead layers: see `authors.l2_norm`."""
    return sum(math.sqrt((layer.weight.detach() ** 2).sum()) for layer in weighted(model))
