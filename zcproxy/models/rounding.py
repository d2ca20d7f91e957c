"""Weights of few bits: rounded by torch's fake quantisation, and marks on layers that say how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.ao.quantization.observer import PerChannelMinMaxObserver

from zcproxy.errors import ConfigurationError

FLOAT_BITS = 32
"""Bits of a number that is not rounded."""

LEAST_BITS, MOST_BITS = 2, 16
"""Bits that torch's fake quantisation computes with: one bit has no scale, and float32 counts no further than 24."""

QUANTISABLE = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d, nn.Linear)
"""Layers whose weight is rounded; all else stays as it is."""

_TRANSPOSED_LAYERS = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_MARK_OF_BITS = "zcproxy_rounding"


def check_bits(bits: int, name: str) -> None:
    """Raise `ConfigurationError` for a bit width that torch cannot round to.

    Args:
        bits: the bit width.
        name: the argument that it was given by.
    """
    if bits != FLOAT_BITS and not LEAST_BITS <= bits <= MOST_BITS:
        raise ConfigurationError(
            f"{name}={bits}: torch's fake quantisation computes with {LEAST_BITS} to {MOST_BITS} bits; give one of "
            f"those, or {FLOAT_BITS} for numbers that stay as they are"
        )


@dataclass(frozen=True)
class Rounding:
    """How the weight of a layer is rounded: per output channel, between its least and its largest number.

    Attributes:
        bits: bits of a number; `FLOAT_BITS` leaves it as it is.
        symmetric: whether zero is in the middle of the levels, so that a channel needs a scale alone.
    """

    bits: int
    symmetric: bool = True

    def __call__(self, weight: Tensor, axis: int = 0) -> Tensor:
        """Return the rounded weight; gradients pass as if it were not rounded.

        Args:
            weight: any shape.
            axis: its output channels.
        """
        if self.bits == FLOAT_BITS:
            return weight
        lowest, highest = levels(self.bits, symmetric=self.symmetric)
        scheme = torch.per_channel_symmetric if self.symmetric else torch.per_channel_affine
        observer = PerChannelMinMaxObserver(
            ch_axis=axis, dtype=torch.qint32, qscheme=scheme, quant_min=lowest, quant_max=highest
        ).to(weight.device)
        values = weight.float()
        observer(values.detach())
        scales, zeros = observer.calculate_qparams()
        rounded = torch.fake_quantize_per_channel_affine(values, scales.float(), zeros.int(), axis, lowest, highest)
        return rounded.to(weight.dtype)


def levels(bits: int, *, symmetric: bool) -> tuple[int, int]:
    """Return the lowest and the highest whole number that are used of so many bits.

    Symmetric ones leave out the lowest of two's complement: with it, the largest number of a channel would lie half-way
    between two levels.
    """
    highest = 2 ** (bits - 1) - 1
    return (-highest, highest) if symmetric else (0, 2**bits - 1)


def channel_axis(layer: nn.Module) -> int:
    """Return the axis of the output channels in the weight of a layer."""
    return 1 if isinstance(layer, _TRANSPOSED_LAYERS) else 0


def mark(network: nn.Module, bits: Mapping[str, int], *, symmetric: bool = True) -> None:
    """Note on layers how their weights are to be rounded; the weights stay.

    Args:
        network: any module.
        bits: bit widths by the name of the layer.
        symmetric: see `Rounding`.
    """
    for name, width in bits.items():
        setattr(network.get_submodule(name), _MARK_OF_BITS, (width, symmetric))


def mark_of(layer: nn.Module) -> Rounding | None:
    """Return how the weight of a layer is to be rounded; None where nothing is noted."""
    noted: tuple[int, bool] | None = getattr(layer, _MARK_OF_BITS, None)
    return None if noted is None else Rounding(*noted)


def marked(network: nn.Module) -> dict[int, Rounding]:
    """Return how weights are to be rounded, by the identity of the weight."""
    found = {}
    for module in network.modules():
        rounding = mark_of(module)
        if rounding is not None:
            found[id(module.weight)] = rounding
    return found
