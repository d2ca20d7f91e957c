"""The network of NATS-Bench's size search space: the best NAS-Bench-201 cell with five free widths.

Dong et al., TPAMI 2021, section 3.2. Modules are created in the order of the official code.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from zcproxy.benchmarks.nasbench201.network import Reduction
from zcproxy.benchmarks.shared.layers import conv_norm, relu_conv_norm


class Cell(nn.Module):
    """The cell `|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|`.

    Edges from the input change the number of channels; where they do, the skip connection is a 1x1 convolution with
    batch normalisation.
    """

    def __init__(self, inputs: int, channels: int) -> None:
        super().__init__()
        self.input_to_1 = relu_conv_norm(inputs, channels, 3)
        self.input_to_2 = relu_conv_norm(inputs, channels, 3)
        self.node_1_to_2 = relu_conv_norm(channels, channels, 3)
        self.input_to_3 = nn.Identity() if inputs == channels else nn.Sequential(*conv_norm(inputs, channels))
        self.node_1_to_3 = relu_conv_norm(channels, channels, 3)
        self.node_2_to_3 = relu_conv_norm(channels, channels, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return samples x channels x height x width."""
        first = self.input_to_1(inputs)
        second = self.input_to_2(inputs) + self.node_1_to_2(first)
        last: Tensor = self.input_to_3(inputs) + self.node_1_to_3(first) + self.node_2_to_3(second)
        return last


class SizeNetwork(nn.Sequential):
    """The network: modules one after the other, of which the stem, the cells and the reductions end its blocks."""

    block_ends = ("1", "2", "3", "4", "5", "6")


def size_network(widths: Sequence[int], image_channels: int, classes: int) -> SizeNetwork:
    """Return the network: maps samples x image_channels x height x width to logits (samples x classes).

    Args:
        widths: channels of the first cell (and the stem), the first reduction, the second cell, the second reduction,
            the third cell.
        image_channels: channels of the images.
        classes: number of logits.
    """
    first, second, third, fourth, fifth = widths
    return SizeNetwork(
        *conv_norm(image_channels, first, 3),
        Cell(first, first),
        Reduction(first, second),
        Cell(second, third),
        Reduction(third, fourth),
        Cell(fourth, fifth),
        nn.BatchNorm2d(fifth),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(fifth, classes),
    )
