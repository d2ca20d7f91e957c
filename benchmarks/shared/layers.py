"""Layers that the networks of several benchmarks are made of."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def conv_norm(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    """Return convolution without bias that keeps the resolution but for its stride, batch normalisation."""
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [convolution, nn.BatchNorm2d(outputs)]


def relu_conv_norm(inputs: int, outputs: int, kernel: int = 1, stride: int = 1) -> nn.Sequential:
    """Return ReLU, convolution, batch normalisation: see `conv_norm`."""
    return nn.Sequential(nn.ReLU(), *conv_norm(inputs, outputs, kernel, stride))


class FactorizedReduce(nn.Module):
    """Changes the shape by two strided 1x1 convolutions, the second on the image moved by one pixel.

    Named so by DARTS (Liu et al., ICLR 2019), whose `skip_connect` it is where a cell halves the resolution.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 2) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.even = nn.Conv2d(inputs, outputs // 2, 1, stride=stride, bias=False)
        self.odd = nn.Conv2d(inputs, outputs // 2, 1, stride=stride, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return samples x outputs x height/stride x width/stride, rounded up."""
        values = self.relu(inputs)
        moved = nn.functional.pad(values, (0, 1, 0, 1))[:, :, 1:, 1:]
        normalised: Tensor = self.norm(torch.cat([self.even(values), self.odd(moved)], dim=1))
        return normalised


class Nothing(nn.Module):
    """The operation `none`: a zero that depends on nothing."""

    def __init__(self, channels: int, stride: int = 1) -> None:
        super().__init__()
        self._channels, self._stride = channels, stride

    def forward(self, inputs: Tensor) -> Tensor:
        """Return zeros of the shape that an operation of this stride gives."""
        samples, _, height, width = (inputs.shape[axis] for axis in range(4))
        rounded = self._stride - 1
        return inputs.new_zeros(
            samples, self._channels, (height + rounded) // self._stride, (width + rounded) // self._stride
        )
