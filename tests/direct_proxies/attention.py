"""Published proxies for transformers, of the network `Attention`; networks of convolutions alone have no attention."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from direct_proxies.networks import Attention
from direct_proxies.records import gradient_of, weighted
from direct_proxies.weight_gradients import positive_network


def _mixed(model: Attention, inputs: Tensor) -> Tensor:
    """Queries, keys and values of all tokens, side by side."""
    with torch.no_grad():
        return model.mixed(model.norm(model.patches(inputs).flatten(2).transpose(1, 2)))


def softmax_confidence(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Voita et al.: the mean over samples, heads and queries of the largest weight of attention."""
    if not isinstance(model, Attention):
        return math.nan
    query, key, _ = _mixed(model, inputs).chunk(3, dim=2)
    weights = torch.softmax(query @ key.transpose(1, 2) / math.sqrt(query.shape[2]), dim=2)
    return float(weights.max(dim=2)[0].mean())


def attention_confidence(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """aaronserianni/training-free-nas, BERT_metrics.ipynb: of each projection the mean of the largest over tokens."""
    return float(_mixed(model, inputs).max(dim=1)[0].mean()) if isinstance(model, Attention) else 0.0


def dss(model: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Zhou et al., equations 5 to 7: nuclear norms in attention, saliency elsewhere, of all-ones and absolute weights.

    decemberzhou/TF_TAS keeps the normalisations of layers.
    """
    total = 0.0
    fresh = positive_network(model, inputs)
    names = [name for name, module in fresh.named_modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    for name, layer in zip(names, weighted(fresh), strict=True):
        weight, gradient = layer.weight.detach(), gradient_of(layer)
        if isinstance(model, Attention) and name in ("mixed", "joined"):
            total += float(torch.linalg.matrix_norm(weight, "nuc") * torch.linalg.matrix_norm(gradient, "nuc"))
        else:
            total += float((weight * gradient).abs().sum())
    return total
