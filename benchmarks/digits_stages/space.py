"""Residual networks that differ in where they halve the resolution and where they double the channels."""

from __future__ import annotations

from torch import Tensor, nn

from zcproxy.benchmarks.shared.layers import conv_norm, relu_conv_norm
from zcproxy.benchmarks.shared.module_sequences import DOUBLING, HALVING, ModuleSequenceSpace
from zcproxy.errors import BenchmarkError

BASE = 8
"""Channels after the stem."""


class ResidualBlock(nn.Module):
    """ReLU, 3x3 convolution, normalisation beside a shortcut, which is a 1x1 convolution where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        same = inputs == outputs and stride == 1
        self.body = relu_conv_norm(inputs, outputs, 3, stride)
        self.shortcut = nn.Identity() if same else nn.Sequential(*conv_norm(inputs, outputs, 1, stride))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return samples x outputs x height/stride x width/stride, rounded up."""
        outputs: Tensor = self.shortcut(inputs) + self.body(inputs)
        return outputs


class StagesNetwork(nn.Module):
    """Stem, one residual block per module, linear classifier on pooled features.

    Maps images (samples x channels x height x width) to logits (samples x classes). The stem halves the resolution.

    Args:
        modules: a digit each, see `zcproxy.benchmarks.shared.module_sequences.KINDS`.
        image_channels: channels of the images.
        classes: number of logits.
    """

    def __init__(self, modules: str, image_channels: int, classes: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(*conv_norm(image_channels, BASE, 3, 2))
        blocks, channels = [], BASE
        for kind in modules:
            outputs = 2 * channels if kind in DOUBLING else channels
            blocks.append(ResidualBlock(channels, outputs, 2 if kind in HALVING else 1))
            channels = outputs
        self.blocks = nn.Sequential(*blocks)
        self.block_ends = ("stem", *(f"blocks.{number}" for number in range(len(blocks))))
        self.head = nn.Sequential(nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, samples x classes."""
        logits: Tensor = self.head(self.blocks(self.stem(images)))
        return logits


class StagesSpace(ModuleSequenceSpace):
    """Arrangements of three to six residual blocks, written `8-4132`: channels after the stem, one digit per block.

    Up to three blocks halve the resolution, two double the channels. Implements
    `zcproxy.contracts.task.SearchSpace`.
    """

    name = "digits_stages"
    before, after = f"{BASE}-", ""
    lengths, halvings, doublings = range(3, 7), range(4), range(2, 3)

    def build(self, architecture: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """Return the untrained network, initialised as torch does. Raises `BenchmarkError` for inputs but images."""
        modules = self.modules_of(architecture)
        if len(input_shape) != 3:
            raise BenchmarkError(f"the networks of {self.name} take images, not inputs of shape {input_shape}")
        return StagesNetwork(modules, input_shape[0], classes)
