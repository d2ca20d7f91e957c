"""Sub-networks of the Once-for-All MobileNetV3 (Cai et al., ICLR 2020), width multiplier 1.0, as ordinary modules.

Modules are created in the order of the official code. Dropout before the classifier is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from zcproxy.benchmarks.shared.layers import conv_norm

STEM = 16
FINAL_EXPANSION, FEATURES = 960, 1280


@dataclass(frozen=True)
class StageShape:
    """Properties of a stage that all sub-networks share: channels, stride of its first block, activation, attention."""

    channels: int
    stride: int
    hard_swish: bool
    squeeze: bool


STAGES = (
    StageShape(24, 2, hard_swish=False, squeeze=False),
    StageShape(40, 2, hard_swish=False, squeeze=True),
    StageShape(80, 2, hard_swish=True, squeeze=False),
    StageShape(112, 1, hard_swish=True, squeeze=True),
    StageShape(160, 2, hard_swish=True, squeeze=True),
)


def divisible_by_eight(channels: float) -> int:
    """Return the nearest multiple of eight, at least 8 and not below nine tenths of `channels`."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest


def _activation(hard_swish: bool) -> nn.Module:
    return nn.Hardswish() if hard_swish else nn.ReLU()


class SqueezeExcitation(nn.Module):
    """Scales channels by a function of their means (Hu et al., CVPR 2018, section 3), a quarter as wide inside."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = divisible_by_eight(channels // 4)
        self.scale = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, inner, 1),
            nn.ReLU(),
            nn.Conv2d(inner, channels, 1),
            nn.Hardsigmoid(),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Return what was given, channels scaled."""
        scaled: Tensor = inputs * self.scale(inputs)
        return scaled


class InvertedResidual(nn.Module):
    """Expansion, depthwise convolution, projection; beside a skip connection where the shape stays."""

    def __init__(self, inputs: int, shape: StageShape, kernel: int, expansion: int, stride: int) -> None:
        super().__init__()
        inner = divisible_by_eight(inputs * expansion)
        expanding = [*conv_norm(inputs, inner), _activation(shape.hard_swish)] if expansion > 1 else []
        self.body = nn.Sequential(
            *expanding,
            *conv_norm(inner, inner, kernel, stride, inner),
            _activation(shape.hard_swish),
            *([SqueezeExcitation(inner)] if shape.squeeze else []),
            *conv_norm(inner, shape.channels),
        )
        self._skips = inputs == shape.channels and stride == 1

    def forward(self, inputs: Tensor) -> Tensor:
        """Return samples x channels x height/stride x width/stride, rounded up."""
        outputs: Tensor = self.body(inputs)
        return inputs + outputs if self._skips else outputs


Blocks = Sequence[tuple[int, int]]
"""Kernel and expansion of the blocks of a stage."""


def mobilenetv3(stages: Sequence[Blocks], image_channels: int, classes: int) -> nn.Sequential:
    """Return a sub-network: maps samples x image_channels x height x width to logits (samples x classes).

    Args:
        stages: the blocks of the five stages.
        image_channels: channels of the images.
        classes: number of logits.
    """
    first = StageShape(STEM, 1, hard_swish=False, squeeze=False)
    modules = [*conv_norm(image_channels, STEM, 3, 2), nn.Hardswish(), InvertedResidual(STEM, first, 3, 1, 1)]
    channels = STEM
    for shape, blocks in zip(STAGES, stages, strict=True):
        for number, (kernel, expansion) in enumerate(blocks):
            stride = shape.stride if number == 0 else 1
            modules.append(InvertedResidual(channels, shape, kernel, expansion, stride))
            channels = shape.channels
    return nn.Sequential(
        *modules,
        *conv_norm(channels, FINAL_EXPANSION),
        nn.Hardswish(),
        nn.AdaptiveAvgPool2d(1),
        nn.Conv2d(FINAL_EXPANSION, FEATURES, 1, bias=False),
        nn.Hardswish(),
        nn.Flatten(),
        nn.Linear(FEATURES, classes),
    )
