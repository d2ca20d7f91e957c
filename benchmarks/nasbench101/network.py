"""The network of NAS-Bench-101: three stacks of three equal cells (Ying et al., ICML 2019, section 2.1 and figure 1).

Modules are created in the order of the official code (github.com/google-research/nasbench), and initialised as there:
convolutions by a truncated normal distribution of variance 1 / fan-in, the classifier by Glorot's uniform one.
"""

from __future__ import annotations

import math
from functools import reduce

import torch
from torch import Tensor, nn

from zcproxy.benchmarks.nasbench101.cell import Cell

STACKS = 3
_MOMENTUM = 1 - 0.997
"""Share of a new batch in the running statistics, where TensorFlow names that of the old ones."""

_TRUNCATED_DEVIATION = 0.87962566103423978
"""Standard deviation of a standard normal variable that is cut at two."""

_KERNELS = {"conv3x3": 3, "conv1x1": 1}


def vertex_channels(cell: Cell, channels: int) -> list[int]:
    """Return the channels of each vertex between input and output.

    The vertices that lead to the output share its channels, the first ones get one more where these do not divide
    evenly. Any other vertex has as many as the widest one that it leads to.

    Args:
        cell: the cell.
        channels: those of the output.
    """
    joined = [vertex for vertex in cell.sources(cell.output) if vertex]
    found = dict.fromkeys(range(1, cell.output), 0)
    for place, vertex in enumerate(joined):
        found[vertex] = channels // len(joined) + (place < channels % len(joined))
    for vertex in reversed(found):
        if vertex not in joined:
            found[vertex] = max(found[target] for target in cell.targets(vertex))
    return list(found.values())


def convolutions_of(cell: Cell, inputs: int, channels: int) -> list[tuple[int, int, int]]:
    """Return kernel, input and output channels of every convolution in a cell.

    Args:
        cell: the cell.
        inputs: channels of its input.
        channels: those of its output.
    """
    widths = vertex_channels(cell, channels)
    found = [(1, inputs, [*widths, channels][target - 1]) for target in cell.targets(0)]
    for operation, width in zip(cell.operations, widths, strict=True):
        found += [(_KERNELS[operation], width, width)] if operation in _KERNELS else []
    return found


def _convolution(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    """Return convolution that keeps the resolution, batch normalisation, ReLU."""
    convolution = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs, momentum=_MOMENTUM), nn.ReLU())


def _operation(name: str, channels: int) -> nn.Module:
    if name in _KERNELS:
        return _convolution(channels, channels, _KERNELS[name])
    return nn.MaxPool2d(3, stride=1, padding=1)


class CellModule(nn.Module):
    """One cell: maps samples x inputs x height x width to samples x channels x height x width.

    A vertex adds what leads to it: the first channels of other vertices, and a 1x1 convolution of the input. The output
    joins the channels of the vertices that lead to it, and adds such a convolution too.

    Args:
        cell: the cell.
        inputs: channels of the input.
        channels: channels of the output.
    """

    def __init__(self, cell: Cell, inputs: int, channels: int) -> None:
        super().__init__()
        self._widths = vertex_channels(cell, channels)
        self._sources = [[source for source in cell.sources(vertex) if source] for vertex in range(1, cell.output + 1)]
        self.projections, self.operations = nn.ModuleDict(), nn.ModuleList()
        for vertex, width in enumerate([*self._widths, channels], start=1):
            if vertex in cell.targets(0):
                self.projections[str(vertex)] = _convolution(inputs, width, 1)
            if vertex < cell.output:
                self.operations.append(_operation(cell.operations[vertex - 1], width))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the value of the output."""
        values = [inputs]
        for vertex, operation in enumerate(self.operations, start=1):
            width = self._widths[vertex - 1]
            incoming = [_first(values[source], width) for source in self._sources[vertex - 1]]
            values.append(operation(reduce(torch.add, [*incoming, *self._projected(inputs, vertex)])))
        joined = [values[source] for source in self._sources[-1]]
        together = [torch.cat(joined, dim=1) if len(joined) > 1 else joined[0]] if joined else []
        return reduce(torch.add, [*together, *self._projected(inputs, len(values))])

    def _projected(self, inputs: Tensor, vertex: int) -> list[Tensor]:
        return [self.projections[str(vertex)](inputs)] if str(vertex) in self.projections else []


def _first(values: Tensor, channels: int) -> Tensor:
    return values if values.shape[1] == channels else values[:, :channels]


class NASBench101Network(nn.Module):
    """Stem, three stacks of equal cells with pooling between them, and a linear classifier on pooled features.

    Maps images (samples x channels x height x width) to logits (samples x classes).

    Args:
        cell: the cell.
        classes: number of logits.
        channels: channels of the stem and of the first stack; the others have two and four times as many.
        cells: cells in each stack.
        image_channels: channels of the images.
    """

    def __init__(self, cell: Cell, classes: int, channels: int, cells: int, image_channels: int) -> None:
        super().__init__()
        self.stem = _convolution(image_channels, channels, 3)
        body: list[nn.Module] = []
        width = channels
        for stack in range(STACKS):
            if stack > 0:
                body.append(nn.MaxPool2d(2, ceil_mode=True))
            for _ in range(cells):
                body.append(CellModule(cell, width, channels * 2**stack))
                width = channels * 2**stack
        self.body = nn.Sequential(*body)
        ends = (number for number, module in enumerate(body) if isinstance(module, CellModule))
        self.block_ends = ("stem", *(f"body.{number}" for number in ends))
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes))
        self.apply(_initialise)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, samples x classes."""
        logits: Tensor = self.head(self.body(self.stem(images)))
        return logits


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        deviation = math.sqrt(1 / module.weight[0].numel()) / _TRUNCATED_DEVIATION
        nn.init.trunc_normal_(module.weight, std=deviation, a=-2 * deviation, b=2 * deviation)
    elif isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)
