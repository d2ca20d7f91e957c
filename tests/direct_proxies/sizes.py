"""Sizes of a network and of its weights."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from direct_proxies.records import weighted


def params(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    return float(
        sum(math.prod(value.shape) for value in model.state_dict(keep_vars=True).values() if value.requires_grad)
    )


def flops(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Multiply-adds: half of what torch counts."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        copy.deepcopy(model)(inputs)
    return counter.get_total_flops() / 2 / len(inputs)


def weight_layers(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    return len(weighted(model))


def l2_norm(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """NASLib, measures/l2_norm.py, get_l2_norm_array, for networks without dead layers: see `authors.l2_norm`."""
    return sum(math.sqrt((layer.weight.detach() ** 2).sum()) for layer in weighted(model))
