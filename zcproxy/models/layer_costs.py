"""What each layer of a network costs that can be quantised, and what the rest does."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from zcproxy.models.macs import MacCounter, by_products, evaluation_mode
from zcproxy.models.rounding import QUANTISABLE, channel_axis


@dataclass(frozen=True)
class LayerCost:
    """A layer whose weight can be rounded.

    Attributes:
        name: path of the module.
        weights: numbers of the weight.
        channels: output channels, each with a scale of its own.
        macs: multiply-adds for one sample, in all calls.
    """

    name: str
    weights: int
    channels: int
    macs: int


@dataclass(frozen=True)
class NetworkCost:
    """The layers of a network that can be quantised, in the order in which they are first called, and the rest.

    Attributes:
        layers: those layers.
        other_params: parameters that stay as they are.
        other_macs: multiply-adds for one sample that stay as they are.
    """

    layers: tuple[LayerCost, ...]
    other_params: int
    other_macs: int


@torch.no_grad()
def cost_by_layer(network: nn.Module, input_shape: tuple[int, ...]) -> NetworkCost:
    """Return what the layers of a network cost that can be quantised: those that its forward pass calls.

    A weight that several modules share belongs to the first that is called. Projections inside of
    `torch.nn.MultiheadAttention` are no calls of layers: they count to the rest.

    Args:
        network: on the CPU; left in the mode it was in.
        input_shape: shape of one sample.
    """
    macs: dict[str, int] = {}
    hooks = []
    with evaluation_mode(network), by_products(), MacCounter() as counter:

        def note(name: str, sign: int) -> None:
            macs[name] = macs.get(name, 0) + sign * counter.macs

        for name, module in network.named_modules():
            if isinstance(module, QUANTISABLE):
                hooks.append(module.register_forward_pre_hook(lambda _, __, name=name: note(name, -1)))
                hooks.append(module.register_forward_hook(lambda _, __, ___, name=name: note(name, 1)))
        try:
            network(torch.zeros(1, *input_shape))
        finally:
            for hook in hooks:
                hook.remove()
    layers, seen = [], set()
    for name, count in macs.items():
        module = network.get_submodule(name)
        weight = module.get_parameter("weight")
        if id(weight) not in seen:
            seen.add(id(weight))
            layers.append(LayerCost(name, weight.numel(), weight.shape[channel_axis(module)], count))
    params = sum(parameter.numel() for parameter in network.parameters())
    return NetworkCost(
        tuple(layers),
        params - sum(layer.weights for layer in layers),
        counter.macs - sum(layer.macs for layer in layers),
    )
