"""The cell networks of NDS: two inputs, pairs of operations that are added, loose ends that are concatenated.

The cell is that of DARTS (Liu et al., ICLR 2019, section 2.1); the same program builds NASNet, Amoeba, PNAS, ENAS and
DARTS cells, which differ in their operations and in the number of nodes (Radosavovic et al., ICCV 2019, appendix B).
Modules are created in the order of the authors' networks, so that the same random state gives the same weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from zcproxy.benchmarks.shared.layers import FactorizedReduce, Nothing, conv_norm, relu_conv_norm


def _separable(channels: int, kernel: int, stride: int, dilation: int = 1) -> list[nn.Module]:
    """Return ReLU, depthwise and pointwise convolution, batch normalisation."""
    padding = dilation * (kernel // 2)
    depthwise = nn.Conv2d(channels, channels, kernel, stride, padding, dilation=dilation, groups=channels, bias=False)
    return [nn.ReLU(), depthwise, nn.Conv2d(channels, channels, 1, bias=False), nn.BatchNorm2d(channels)]


def _twice(channels: int, kernel: int, stride: int, dilation: int = 1) -> nn.Module:
    parts = _separable(channels, kernel, stride, dilation) + _separable(channels, kernel, 1, dilation)
    return nn.Sequential(*parts)


def _crossed(channels: int, kernel: int, stride: int) -> nn.Module:
    """Return a convolution of a row, then one of a column."""
    half = kernel // 2
    row = nn.Conv2d(channels, channels, (1, kernel), stride=(1, stride), padding=(0, half), bias=False)
    column = nn.Conv2d(channels, channels, (kernel, 1), stride=(stride, 1), padding=(half, 0), bias=False)
    return nn.Sequential(nn.ReLU(), row, column, nn.BatchNorm2d(channels))


def _average(_: int, kernel: int, stride: int) -> nn.Module:
    return nn.AvgPool2d(kernel, stride=stride, padding=kernel // 2, count_include_pad=False)


def _maximum(_: int, kernel: int, stride: int) -> nn.Module:
    return nn.MaxPool2d(kernel, stride=stride, padding=kernel // 2)


OPERATIONS: dict[str, Callable[[int, int], nn.Module]] = {
    "none": Nothing,
    "avg_pool_3x3": lambda channels, stride: _average(channels, 3, stride),
    "max_pool_3x3": lambda channels, stride: _maximum(channels, 3, stride),
    "max_pool_5x5": lambda channels, stride: _maximum(channels, 5, stride),
    "max_pool_7x7": lambda channels, stride: _maximum(channels, 7, stride),
    "skip_connect": lambda channels, stride: nn.Identity() if stride == 1 else FactorizedReduce(channels, channels),
    "conv_1x1": lambda channels, stride: relu_conv_norm(channels, channels, 1, stride),
    "conv_3x3": lambda channels, stride: relu_conv_norm(channels, channels, 3, stride),
    "conv_3x1_1x3": lambda channels, stride: _crossed(channels, 3, stride),
    "conv_7x1_1x7": lambda channels, stride: _crossed(channels, 7, stride),
    "sep_conv_3x3": lambda channels, stride: _twice(channels, 3, stride),
    "sep_conv_5x5": lambda channels, stride: _twice(channels, 5, stride),
    "sep_conv_7x7": lambda channels, stride: _twice(channels, 7, stride),
    "dil_conv_3x3": lambda channels, stride: nn.Sequential(*_separable(channels, 3, stride, 2)),
    "dil_conv_5x5": lambda channels, stride: nn.Sequential(*_separable(channels, 5, stride, 2)),
    "dil_sep_conv_3x3": lambda channels, stride: _twice(channels, 3, stride, 2),
}
"""Name of an operation -> a module of so many channels and this stride."""

Edges = Sequence[tuple[str, int]]
"""Operation and source of each edge; two of them lead to each node after the two inputs."""


class Cell(nn.Module):
    """One cell: maps the outputs of the two cells before it to the concatenation of its loose ends.

    Args:
        edges: see `Edges`.
        ends: indices of the nodes that are concatenated.
        inputs: channels of the output of the cell before the previous one, and of the previous one.
        channels: channels of every node.
        reduces: whether edges from the two inputs have stride 2.
        after_reduction: whether the first input is twice as high and wide as the second.
    """

    def __init__(
        self,
        edges: Edges,
        ends: Sequence[int],
        inputs: tuple[int, int],
        channels: int,
        *,
        reduces: bool,
        after_reduction: bool,
    ) -> None:
        super().__init__()
        self._sources, self._ends = [source for _, source in edges], tuple(ends)
        before, previous = inputs
        self.before = FactorizedReduce(before, channels) if after_reduction else relu_conv_norm(before, channels)
        self.previous = relu_conv_norm(previous, channels)
        self.operations = nn.ModuleList(
            OPERATIONS[name](channels, 2 if reduces and source < 2 else 1) for name, source in edges
        )

    def forward(self, before: Tensor, previous: Tensor) -> Tensor:
        """Return samples x (channels times the number of ends) x height x width."""
        nodes = [self.before(before), self.previous(previous)]
        for first in range(0, len(self._sources), 2):
            left, right = (self.operations[edge](nodes[self._sources[edge]]) for edge in (first, first + 1))
            nodes.append(left + right)
        return torch.cat([nodes[end] for end in self._ends], dim=1)


class CellNetwork(nn.Module):
    """Stem, cells in three stages, linear classifier on pooled features; the auxiliary classifier is left out.

    The cells a third and two thirds down halve the resolution and double the channels. Images of more than 32 pixels
    get the ImageNet stem, which divides the resolution by eight.

    Maps samples x channels x height x width to logits (samples x classes).

    Args:
        normal: edges and ends of the normal cell.
        reduction: edges and ends of the reducing cell.
        width: channels of a node in the first stage.
        depth: number of cells.
        image_size: height and width of the images.
        classes: number of logits.
        image_channels: channels of the images; those of NDS have 3.
    """

    def __init__(
        self,
        normal: tuple[Edges, Sequence[int]],
        reduction: tuple[Edges, Sequence[int]],
        *,
        width: int,
        depth: int,
        image_size: int,
        classes: int,
        image_channels: int = 3,
    ) -> None:
        super().__init__()
        large = image_size > LARGEST_SMALL_IMAGE
        outputs = width if large else 3 * width
        stems = _large_stems if large else _small_stems
        self.stem, self.second_stem = stems(image_channels, outputs)
        self.cells = nn.ModuleList()
        inputs, channels, after_reduction = (outputs, outputs), width, large
        for number in range(depth):
            reduces = number in (depth // 3, 2 * depth // 3)
            channels *= 2 if reduces else 1
            edges, ends = reduction if reduces else normal
            self.cells.append(Cell(edges, ends, inputs, channels, reduces=reduces, after_reduction=after_reduction))
            inputs, after_reduction = (inputs[1], channels * len(ends)), reduces
        self.block_ends = ("second_stem", *(f"cells.{number}" for number in range(depth)))
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs[1], classes))

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, samples x classes."""
        before = self.stem(images)
        previous = self.second_stem(before)
        for cell in self.cells:
            before, previous = previous, cell(before, previous)
        logits: Tensor = self.head(previous)
        return logits


LARGEST_SMALL_IMAGE = 32
"""Height and width up to which the stem keeps the resolution, as for CIFAR-10."""


def _small_stems(image_channels: int, outputs: int) -> tuple[nn.Module, nn.Module]:
    return nn.Sequential(*conv_norm(image_channels, outputs, 3)), nn.Identity()


def _large_stems(image_channels: int, outputs: int) -> tuple[nn.Module, nn.Module]:
    half = outputs // 2
    stem = nn.Sequential(*conv_norm(image_channels, half, 3, 2), *relu_conv_norm(half, outputs, 3, 2))
    return stem, relu_conv_norm(outputs, outputs, 3, 2)
