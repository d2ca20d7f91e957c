"""Costs of a network: parameters, multiply-adds, convolutional layers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from zcproxy.models.macs import count_macs, evaluation_mode
from zcproxy.models.zeros import zero_inputs

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Call:
    """One call of a module, with the shapes of its first input and of its output, without the batch."""

    module: nn.Module
    inputs: Shape
    outputs: Shape


@dataclass(frozen=True)
class Costs:
    """Parameters, multiply-adds for one sample (see `zcproxy.models.macs`), and convolutional layers."""

    params: int
    macs: int
    convolutions: int


def calls_of(network: nn.Module, input_shape: Shape) -> list[Call]:
    """Return the calls of all modules of a network on the CPU, in the order in which they end."""
    calls: list[Call] = []
    hooks = [
        module.register_forward_hook(
            lambda module, inputs, output: calls.append(
                Call(module, tuple(inputs[0].shape[1:]), tuple(output.shape[1:]))
            )
        )
        for module in network.modules()
    ]
    try:
        with torch.no_grad(), evaluation_mode(network):
            network(torch.empty(0, *input_shape))  # a batch of no samples: shapes are what counts
    finally:
        for hook in hooks:
            hook.remove()
    return calls


CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def count_costs(network: nn.Module, input_shape: Shape) -> Costs:
    """Return the costs of a network that is on the CPU, for floats of its own precision or token ids."""
    return Costs(
        params=sum(parameter.numel() for parameter in network.parameters()),
        macs=count_macs(network, zero_inputs(network, 1, input_shape)),
        convolutions=sum(isinstance(module, CONVOLUTIONS) for module in network.modules()),
    )
