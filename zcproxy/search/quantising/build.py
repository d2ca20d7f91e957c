"""The fake-quantised network: weights and inputs of its layers are rounded in each pass, by functions of torch."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.ao.quantization.observer import MinMaxObserver

from zcproxy.errors import ModelError
from zcproxy.models.macs import evaluation_mode
from zcproxy.models.rounding import FLOAT_BITS, Rounding, channel_axis, levels, mark_of
from zcproxy.probing.recorder import reported

_HANDLES = "zcproxy_swaps"


def round_weights(network: nn.Module) -> None:
    """Let marked layers compute with rounded weights; the weights themselves stay, and gradients reach them.

    Put in before weights are trained or inherited, it lets these see the rounding: moments of normalisations, for
    example.

    Args:
        network: its layers are marked, see `zcproxy.models.rounding.mark`.
    """
    for layer, rounding in _rounded(network):
        _WeightSwap(rounding, channel_axis(layer)).begin(layer)


@torch.no_grad()
def store_rounded(network: nn.Module) -> None:
    """Replace the weights of marked layers by rounded ones, and end what `round_weights` began."""
    for layer, rounding in _rounded(network):
        _WeightSwap.end(layer)
        weight = layer.get_parameter("weight")
        weight.copy_(rounding(weight, channel_axis(layer)))


@torch.no_grad()
def calibrate(network: nn.Module, inputs: Tensor, bits: int) -> None:
    """Let marked layers round their inputs, between the least and the largest number of a batch in evaluation mode.

    Args:
        network: its layers are marked.
        inputs: samples x ...
        bits: of a rounded number; `FLOAT_BITS` leaves the inputs as they are.

    Raises:
        ModelError: the network does not take the batch.
    """
    if bits == FLOAT_BITS:
        return
    lowest, highest = levels(bits, symmetric=False)
    observers = [
        (
            layer,
            MinMaxObserver(dtype=torch.qint32, qscheme=torch.per_tensor_affine, quant_min=lowest, quant_max=highest).to(
                inputs.device
            ),
        )
        for layer, _ in _rounded(network)
    ]
    hooks = [layer.register_forward_pre_hook(partial(_observe, observer)) for layer, observer in observers]
    try:
        with evaluation_mode(network), reported(f"the calibration batch, {_shape(inputs)}, does not pass the network"):
            network(inputs)
    finally:
        for hook in hooks:
            hook.remove()
    for layer, observer in observers:
        scale, zero = observer.calculate_qparams()
        layer.register_forward_pre_hook(_InputRounding(float(scale), int(zero), lowest, highest))


def check_calibration(inputs: Tensor, input_shape: tuple[int, ...], name: str) -> None:
    """Raise `ModelError` for a calibration batch that is not of the inputs' shape.

    Args:
        inputs: the batch.
        input_shape: shape of one sample.
        name: what the batch is of.
    """
    if not len(inputs) or tuple(inputs.shape[1:]) != tuple(input_shape):
        raise ModelError(
            f"the calibration batch of {name} is {_shape(inputs)}, expected samples x "
            f"{'x'.join(map(str, input_shape))}: correct what its `batch` returns"
        )


def _observe(observer: MinMaxObserver, _: nn.Module, args: tuple[Any, ...]) -> None:
    observer(args[0])


class _WeightSwap:
    """Puts the rounded weight in the place of a layer's parameter while the layer is called."""

    def __init__(self, rounding: Rounding, axis: int) -> None:
        self._rounding, self._axis = rounding, axis
        self._kept: list[nn.Parameter] = []

    def begin(self, layer: nn.Module) -> None:
        """Swap from the next call on."""
        handles = [
            layer.register_forward_pre_hook(self.enter),
            layer.register_forward_hook(self.leave, always_call=True),
        ]
        setattr(layer, _HANDLES, handles)

    @staticmethod
    def end(layer: nn.Module) -> None:
        """Swap no more."""
        for handle in layer.__dict__.pop(_HANDLES, ()):
            handle.remove()

    def enter(self, layer: nn.Module, _: Any) -> None:
        """Put the rounded weight in."""
        weight = layer._parameters.pop("weight")
        assert weight is not None
        self._kept.append(weight)
        layer.__dict__["weight"] = self._rounding(weight, self._axis)

    def leave(self, layer: nn.Module, _: Any, __: Any) -> None:
        """Put the parameter back."""
        layer.__dict__.pop("weight", None)
        layer._parameters["weight"] = self._kept.pop()


class _InputRounding:
    """Rounds the first input of a layer."""

    def __init__(self, scale: float, zero: int, lowest: int, highest: int) -> None:
        self._levels = scale, zero, lowest, highest

    def __call__(self, _: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        return (torch.fake_quantize_per_tensor_affine(args[0], *self._levels), *args[1:])


def _rounded(network: nn.Module) -> list[tuple[nn.Module, Rounding]]:
    found = ((module, mark_of(module)) for module in network.modules())
    return [(module, rounding) for module, rounding in found if rounding is not None and rounding.bits != FLOAT_BITS]


def _shape(inputs: Tensor) -> str:
    return "x".join(map(str, inputs.shape))
