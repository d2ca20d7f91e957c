"""The sub-networks: three stages of residual convolutions, each with a depth, a width and a kernel of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from zcproxy.benchmarks.shared.layers import conv_norm


@dataclass(frozen=True)
class Stage:
    """Blocks of one shape.

    Attributes:
        depth: blocks.
        width: channels.
        kernel: side of the convolutions.
    """

    depth: int
    width: int
    kernel: int


class Block(nn.Module):
    """Convolution, normalisation, ReLU; added to its input where the shape stays."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(*conv_norm(inputs, outputs, kernel, stride), nn.ReLU())
        self.keeps_shape = stride == 1 and inputs == outputs

    def forward(self, inputs: Tensor) -> Tensor:
        """Return samples x outputs x height/stride x width/stride."""
        outputs: Tensor = self.body(inputs)
        return outputs + inputs if self.keeps_shape else outputs


class ElasticNetwork(nn.Module):
    """Maps images (samples x channels x height x width) to logits (samples x classes).

    The first block of a stage changes the width, and from the second stage on halves the resolution. Names of weights
    do not depend on the depths, so that networks of different depth share those that they have in common.
    """

    def __init__(self, stages: Sequence[Stage], image_channels: int, classes: int) -> None:
        super().__init__()
        built: list[nn.Module] = []
        channels = image_channels
        for number, stage in enumerate(stages):
            blocks: list[nn.Module] = []
            for place in range(stage.depth):
                halves = number > 0 and place == 0
                blocks.append(Block(channels, stage.width, stage.kernel, 2 if halves else 1))
                channels = stage.width
            built.append(nn.Sequential(*blocks))
        self.stages = nn.Sequential(*built)
        self.head = nn.Linear(channels, classes)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the logits."""
        logits: Tensor = self.head(self.stages(inputs).mean(dim=(2, 3)))
        return logits
