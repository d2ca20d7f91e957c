"""The networks of TransNAS-Bench-101 (Duan et al., CVPR 2021, section 3): stem, modules of two blocks, task head.

Modules are created and initialised as in the official code (Kaiming normal, fan out).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from zcproxy.benchmarks.shared.four_node_cells import EDGES
from zcproxy.benchmarks.shared.layers import FactorizedReduce, Nothing, conv_norm, relu_conv_norm
from zcproxy.errors import BenchmarkError

OPERATIONS = ("0", "1", "2", "3")
"""None, skip connection, 1x1 and 3x3 convolution, as the official texts write them."""


def _operation(name: str, inputs: int, outputs: int, stride: int) -> nn.Module:
    match name:
        case "0":
            return Nothing(outputs, stride)
        case "1":
            same = inputs == outputs and stride == 1
            return nn.Identity() if same else FactorizedReduce(inputs, outputs, stride)
        case "2":
            return relu_conv_norm(inputs, outputs, 1, stride)
        case _:
            return relu_conv_norm(inputs, outputs, 3, stride)


class MicroCell(nn.Module):
    """Four nodes, an operation on every edge; edges from the input change channels and resolution."""

    def __init__(self, operations: Sequence[str], inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.edges = nn.ModuleList(
            _operation(name, inputs, outputs, stride) if source == 0 else _operation(name, outputs, outputs, 1)
            for name, (source, _) in zip(operations, EDGES, strict=True)
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the value of the last node."""
        nodes = [inputs]
        for target in (1, 2, 3):
            incoming = [
                operation(nodes[source])
                for operation, (source, end) in zip(self.edges, EDGES, strict=True)
                if end == target
            ]
            nodes.append(torch.stack(incoming).sum(0))
        return nodes[-1]


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut, which is a 1x1 convolution where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(relu_conv_norm(inputs, outputs, 3, stride), relu_conv_norm(outputs, outputs, 3))
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(*conv_norm(inputs, outputs, 1, stride))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return samples x outputs x height/stride x width/stride."""
        outputs: Tensor = self.shortcut(inputs) + self.body(inputs)
        return outputs


class TransNASNetwork(nn.Module):
    """Encoder and linear classifier on pooled features.

    For classification it maps samples x channels x height x width to logits (samples x classes). For the jigsaw it maps
    samples x tiles x channels x height x width: the encoder sees every tile, the classifier all of their features.

    Args:
        base: channels after the stem; twice those of its first convolution.
        modules: a digit each: 1 keeps the shape, 2 doubles the channels, 3 halves the resolution, 4 does both.
        cell: the operations of a micro cell, or None for basic blocks.
        input_shape: shape of a sample: channels, height, width, for the jigsaw with the number of tiles before them.
        classes: number of logits.

    Raises:
        BenchmarkError: the inputs are not images.
    """

    def __init__(
        self, base: int, modules: str, cell: Sequence[str] | None, *, input_shape: tuple[int, ...], classes: int
    ) -> None:
        super().__init__()
        if len(input_shape) not in (3, 4):
            raise BenchmarkError(f"TransNAS-Bench-101 networks take images, or tiles of images, not {input_shape}")
        self._tiled = len(input_shape) == 4
        tiles = input_shape[0] if self._tiled else 1
        parts = [*conv_norm(input_shape[-3], base // 2, 3, 2), relu_conv_norm(base // 2, base, 3, 2)]
        channels = base
        for kind in modules:
            wider = 2 * channels if kind in "24" else channels
            for inputs, stride in ((channels, 2 if kind in "34" else 1), (wider, 1)):
                block = BasicBlock(inputs, wider, stride) if cell is None else MicroCell(cell, inputs, wider, stride)
                parts.append(block)
            channels = wider
        self.encoder = nn.Sequential(*parts)
        stem = len(parts) - 2 * len(modules) - 1
        self.block_ends = () if self._tiled else tuple(f"encoder.{index}" for index in range(stem, len(parts)))
        for module in self.encoder.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(channels * tiles, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, samples x classes."""
        tiles = images.unbind(1) if self._tiled else (images,)
        features = [self.pool(self.encoder(tile)) for tile in tiles]
        logits: Tensor = self.head(torch.cat(features, dim=1))
        return logits
