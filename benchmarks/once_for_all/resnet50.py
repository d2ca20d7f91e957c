"""Sub-networks of the Once-for-All ResNet50 as ordinary modules.

Modules are created in the order of the official code (github.com/mit-han-lab/once-for-all).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from zcproxy.benchmarks.once_for_all.mobilenetv3 import divisible_by_eight
from zcproxy.benchmarks.shared.layers import conv_norm

STEM, WIDTHS, STRIDES = 64, (256, 512, 1024, 2048), (1, 2, 2, 2)


@dataclass(frozen=True)
class Stem:
    """The first layers.

    Attributes:
        inner: channels of the first convolutions, as a share of 32.
        outer: channels after them, as a share of 64.
        residual: whether a residual convolution stands between.
    """

    inner: float
    outer: float
    residual: bool


@dataclass(frozen=True)
class Stage:
    """Blocks of the same width.

    Attributes:
        width: channels, as a share of those of ResNet50.
        expansions: inner channels of each block, as a share of its channels.
    """

    width: float
    expansions: Sequence[float]


class Residual(nn.Module):
    """Adds what a module makes of its input to the input, or to what a shortcut makes of it."""

    def __init__(self, body: nn.Module, shortcut: nn.Module, activation: nn.Module) -> None:
        super().__init__()
        self.body, self.shortcut, self.activation = body, shortcut, activation

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the activated sum."""
        outputs: Tensor = self.activation(self.body(inputs) + self.shortcut(inputs))
        return outputs


def _bottleneck(inputs: int, outputs: int, expansion: float, stride: int) -> Residual:
    inner = divisible_by_eight(round(outputs * expansion))
    body = nn.Sequential(
        *conv_norm(inputs, inner),
        nn.ReLU(),
        *conv_norm(inner, inner, 3, stride),
        nn.ReLU(),
        *conv_norm(inner, outputs),
    )
    shortcut: nn.Module = nn.Identity()
    if inputs != outputs or stride > 1:
        shortcut = nn.Sequential(nn.AvgPool2d(stride, ceil_mode=True), *conv_norm(inputs, outputs))
    return Residual(body, shortcut, nn.ReLU())


def resnet50(stem: Stem, stages: Sequence[Stage], image_channels: int, classes: int) -> nn.Sequential:
    """Return a sub-network: maps samples x image_channels x height x width to logits (samples x classes).

    Args:
        stem: the first layers.
        stages: the four stages.
        image_channels: channels of the images.
        classes: number of logits.
    """
    inner = divisible_by_eight(divisible_by_eight(STEM * stem.inner) // 2)
    channels = divisible_by_eight(STEM * stem.outer)
    modules: list[nn.Module] = [*conv_norm(image_channels, inner, 3, 2), nn.ReLU()]
    if stem.residual:
        modules.append(Residual(nn.Sequential(*conv_norm(inner, inner, 3), nn.ReLU()), nn.Identity(), nn.Identity()))
    modules += [*conv_norm(inner, channels, 3), nn.ReLU(), nn.MaxPool2d(3, stride=2, padding=1)]
    for stage, width, stride in zip(stages, WIDTHS, STRIDES, strict=True):
        outputs = divisible_by_eight(width * stage.width)
        for number, expansion in enumerate(stage.expansions):
            modules.append(_bottleneck(channels, outputs, expansion, stride if number == 0 else 1))
            channels = outputs
    return nn.Sequential(*modules, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))
