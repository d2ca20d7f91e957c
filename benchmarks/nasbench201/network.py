"""The network of NAS-Bench-201: one cell repeated in three stages (Dong and Yang, ICLR 2020, section 2.1).

Modules are created in the order of the official code (github.com/D-X-Y/AutoDL-Projects), so that the same random state
of torch gives the same weights. Initialisation is torch's default, as there.
"""

from __future__ import annotations

from functools import reduce

import torch
from torch import Tensor, nn

from zcproxy.benchmarks.nasbench201.encoding import to_operations
from zcproxy.benchmarks.shared.four_node_cells import EDGES
from zcproxy.benchmarks.shared.layers import relu_conv_norm


def _operation(name: str, channels: int) -> nn.Module:
    match name:
        case "skip_connect":
            return nn.Identity()
        case "nor_conv_1x1":
            return relu_conv_norm(channels, channels, kernel=1)
        case "nor_conv_3x3":
            return relu_conv_norm(channels, channels, kernel=3)
        case _:
            return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)


class Cell(nn.Module):
    """Four nodes, each the sum of its incoming edges; samples x channels x height x width in and out.

    Edges that carry `none` have no module: a node without incoming edges is a constant zero. All other edges are
    computed, also those that the output does not depend on, as in the official network.
    """

    def __init__(self, operations: tuple[str, ...], channels: int) -> None:
        super().__init__()
        self.edges = nn.ModuleDict(
            {
                f"{source}_to_{target}": _operation(operation, channels)
                for operation, (source, target) in zip(operations, EDGES, strict=True)
                if operation != "none"
            }
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the value of the last node."""
        nodes = [inputs]
        for target in (1, 2, 3):
            incoming = [
                self.edges[edge](node)
                for edge, node in ((f"{source}_to_{target}", node) for source, node in enumerate(nodes))
                if edge in self.edges
            ]
            nodes.append(reduce(torch.add, incoming) if incoming else torch.zeros_like(inputs))
        return nodes[-1]


class Reduction(nn.Module):
    """Residual block between stages: doubles the channels and halves height and width."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            relu_conv_norm(inputs, outputs, kernel=3, stride=2), relu_conv_norm(outputs, outputs, kernel=3)
        )
        self.shortcut = nn.Sequential(nn.AvgPool2d(2, stride=2), nn.Conv2d(inputs, outputs, 1, bias=False))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return samples x outputs x height/2 x width/2."""
        outputs: Tensor = self.shortcut(inputs) + self.body(inputs)
        return outputs


class NASBench201Network(nn.Module):
    """Stem, three stages of equal cells with a reduction between them, and a linear classifier on pooled features.

    Maps images (samples x channels x height x width; height and width divisible by four) to logits (samples x classes).

    Args:
        architecture: the official text of the cell.
        classes: number of logits.
        channels: channels of the first stage; the others have two and four times as many. The benchmark has 16.
        cells: cells in each stage. The benchmark has 5.
        image_channels: channels of the images. The benchmark has 3.

    Raises:
        BenchmarkError: the architecture is not a cell of the space.
    """

    def __init__(
        self, architecture: str, classes: int, channels: int = 16, cells: int = 5, *, image_channels: int = 3
    ) -> None:
        super().__init__()
        operations = to_operations(architecture)
        self.stem = nn.Sequential(
            nn.Conv2d(image_channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)
        )
        body: list[nn.Module] = []
        for stage in range(3):
            width = channels * 2**stage
            if stage > 0:
                body.append(Reduction(width // 2, width))
            body += [Cell(operations, width) for _ in range(cells)]
        self.body = nn.Sequential(*body)
        self.block_ends = ("stem", *(f"body.{index}" for index in range(len(body))))
        self.head = nn.Sequential(
            nn.BatchNorm2d(4 * channels),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(4 * channels, classes),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the logits, samples x classes."""
        logits: Tensor = self.head(self.body(self.stem(inputs)))
        return logits
