"""The chain networks of NDS: stages of residual, bottleneck or plain blocks (Radosavovic et al., ICCV 2019, section 4).

Each entry gives a depth, width and stride per stage; the first stage is the stem. Modules are created in the order of
the authors' networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from zcproxy.benchmarks.shared.layers import conv_norm


def _basic(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """Return two 3x3 convolutions (He et al., CVPR 2016, figure 5, left)."""
    return nn.Sequential(*conv_norm(inputs, outputs, 3, stride), nn.ReLU(), *conv_norm(outputs, outputs, 3))


def _bottleneck(inputs: int, outputs: int, stride: int, ratio: float, groups: int) -> nn.Sequential:
    """Return 1x1, grouped 3x3, 1x1 convolutions (Xie et al., CVPR 2017, figure 3, right)."""
    inner = round(outputs * ratio)
    return nn.Sequential(
        *conv_norm(inputs, inner, 1),
        nn.ReLU(),
        *conv_norm(inner, inner, 3, stride, groups),
        nn.ReLU(),
        *conv_norm(inner, outputs, 1),
    )


class Residual(nn.Module):
    """A transformation beside a shortcut, which is a strided 1x1 convolution where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int, transformation: nn.Module) -> None:
        super().__init__()
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else nn.Sequential(*conv_norm(inputs, outputs, 1, stride))
        self.transformation = transformation
        self.relu = nn.ReLU()

    def forward(self, inputs: Tensor) -> Tensor:
        """Return samples x outputs x height/stride x width/stride."""
        outputs: Tensor = self.relu(self.shortcut(inputs) + self.transformation(inputs))
        return outputs


@dataclass(frozen=True)
class Stage:
    """Blocks of the same width.

    Attributes:
        depth: blocks.
        width: channels.
        stride: stride of the first block.
        ratio: channels inside a bottleneck block, as a share of `width`; 1 for other blocks.
        groups: groups of its 3x3 convolution; 1 for other blocks.
    """

    depth: int
    width: int
    stride: int
    ratio: float = 1.0
    groups: int = 1


BLOCKS = ("res_basic_block", "res_bottleneck_block", "double_plain_block")


def _block(kind: str, inputs: int, stage: Stage, stride: int) -> nn.Module:
    match kind:
        case "double_plain_block":
            return nn.Sequential(*_basic(inputs, stage.width, stride), nn.ReLU())
        case "res_basic_block":
            return Residual(inputs, stage.width, stride, _basic(inputs, stage.width, stride))
        case _:
            inner = _bottleneck(inputs, stage.width, stride, stage.ratio, stage.groups)
            return Residual(inputs, stage.width, stride, inner)


def _stem(stage: Stage) -> nn.Sequential:
    """Return the first stage, which divides the resolution by 1 (for CIFAR-10), 4 or 8."""
    match stage.stride:
        case 1:
            return nn.Sequential(*conv_norm(3, stage.width, 3), nn.ReLU())
        case 4:
            pooling = nn.MaxPool2d(3, stride=2, padding=1)
            return nn.Sequential(*conv_norm(3, stage.width, 7, 2), nn.ReLU(), pooling)
        case _:
            half = stage.width // 2
            layers = [conv_norm(3, half, 3, 2), conv_norm(half, stage.width, 3, 2)]
            layers.append(conv_norm(stage.width, stage.width, 3, 2))
            return nn.Sequential(*(part for layer in layers for part in (*layer, nn.ReLU())))


def chain_network(block: str, stages: Sequence[Stage], classes: int) -> nn.Sequential:
    """Return a chain network: maps samples x 3 x height x width to logits (samples x classes).

    Args:
        block: one of `BLOCKS`.
        stages: the stem first.
        classes: number of logits.
    """
    modules: list[nn.Module] = [_stem(stages[0])]
    channels = stages[0].width
    for stage in stages[1:]:
        for number in range(stage.depth):
            modules.append(_block(block, channels, stage, stage.stride if number == 0 else 1))
            channels = stage.width
    return nn.Sequential(*modules, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))
