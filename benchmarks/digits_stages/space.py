"""Residual networks that differ in where they halve the resolution and where they double the channels."""

from __future__ import annotations

from torch import Tensor, nn

from zcproxy.benchmarks.shared.layers import conv_norm
from zcproxy.benchmarks.shared.module_sequences import DOUBLING, HALVING, ModuleSequenceSpace
from zcproxy.benchmarks.transnas101.network import BasicBlock
from zcproxy.errors import BenchmarkError

BASE = 8
"""Channels after the stem."""


class StagesNetwork(nn.Module):
    """Stem, one basic block per module, linear classifier on pooled features.

    Maps images (samples x channels x height x width) to logits (samples x classes). The stem keeps the resolution, so
    that the modules alone decide when it falls.

    Args:
        modules: a digit each, see `zcproxy.benchmarks.shared.module_sequences.KINDS`.
        image_channels: channels of the images.
        classes: number of logits.
    """

    def __init__(self, modules: str, image_channels: int, classes: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(*conv_norm(image_channels, BASE, 3))
        blocks, channels = [], BASE
        for kind in modules:
            outputs = 2 * channels if kind in DOUBLING else channels
            blocks.append(BasicBlock(channels, outputs, 2 if kind in HALVING else 1))
            channels = outputs
        self.blocks = nn.Sequential(*blocks)
        self.block_ends = ("stem", *(f"blocks.{number}" for number in range(len(blocks))))
        self.head = nn.Sequential(nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, samples x classes."""
        logits: Tensor = self.head(self.blocks(self.stem(images)))
        return logits


class StagesSpace(ModuleSequenceSpace):
    """Arrangements of three to six residual blocks, written `8-4131`: channels after the stem, one digit per block.

    One to three blocks halve the resolution, one or two double the channels. Implements
    `zcproxy.contracts.task.SearchSpace`.
    """

    name = "digits_stages"
    before, after = f"{BASE}-", ""
    lengths, halvings, doublings = range(3, 7), range(1, 4), range(1, 3)

    def build(self, architecture: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """Return the untrained network, initialised as torch does. Raises `BenchmarkError` for inputs but images."""
        modules = self.modules_of(architecture)
        if len(input_shape) != 3:
            raise BenchmarkError(f"the networks of {self.name} take images, not inputs of shape {input_shape}")
        return StagesNetwork(modules, input_shape[0], classes)
