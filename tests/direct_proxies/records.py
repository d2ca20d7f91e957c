"""What flows through the layers of a network, seen by hooks and autograd."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from zcproxy.random import derive_seed


def weighted(model: nn.Module) -> list[nn.Module]:
    return [module for module in model.modules() if isinstance(module, nn.Conv2d | nn.Linear)]


def gradients(model: nn.Module, inputs: Tensor, targets: Tensor) -> list[Tensor]:
    """Gradients of the cross-entropy, computed by `backward` on a copy in training mode; zeros where none arrives."""
    fresh = copy.deepcopy(model).train()
    functional.cross_entropy(fresh(inputs), targets).backward()
    return [gradient_of(module) for module in weighted(fresh)]


def gradient_of(module: nn.Module) -> Tensor:
    """The gradient that `backward` left by the weight of a layer."""
    return torch.zeros_like(module.weight) if module.weight.grad is None else module.weight.grad.clone()


@dataclass
class Call:
    """What flows through a weighted layer, in a graph: gradients are kept."""

    source: Tensor
    units: Tensor
    output: Tensor
    normalized: Tensor
    activation: Tensor
    weight: Tensor


def calls_of(model: nn.Module, inputs: Tensor) -> tuple[Tensor, list[Call]]:
    """Return the logits in training mode and the calls of weighted layers, linked to what surrounds them."""
    fresh = copy.deepcopy(model).train()
    calls: list[Call] = []
    before: dict[int, Tensor] = {}
    behind: dict[int, Call] = {}
    alive: list[Tensor] = []

    def record(module: nn.Module, arguments: tuple[Tensor], output: Tensor) -> None:
        (source,) = arguments
        alive.extend([source, output])
        if output.requires_grad:
            output.retain_grad()
        call = behind.get(id(source))
        if isinstance(module, nn.ReLU):
            before[id(output)] = source
            if call is not None:
                call.activation = output
        elif isinstance(module, nn.BatchNorm2d | nn.LayerNorm):
            if call is not None:
                call.normalized = call.activation = output
                behind[id(output)] = call
        else:
            calls.append(Call(source, before.get(id(source), source), output, output, output, module.weight))
            behind[id(output)] = calls[-1]

    for module in fresh.modules():
        if isinstance(module, nn.ReLU | nn.BatchNorm2d | nn.LayerNorm | nn.Conv2d | nn.Linear):
            module.register_forward_hook(record)
    return fresh(inputs.clone().requires_grad_()), calls


def noise(inputs: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(derive_seed("probe input", "noise", 0))
    return torch.randn(inputs.shape, generator=generator).to(inputs)


def numbers(tensor: Tensor | None) -> Any:
    assert tensor is not None
    return tensor.detach().numpy()


def channels(features: Tensor) -> Any:
    return numbers(features.transpose(0, 1).flatten(1))
