"""ResNets for CIFAR: three stages of basic blocks (He et al., CVPR 2016, section 4.2), with projections between them.

The initialisation is that of the authors of DisWOT: He et al.'s for convolutions, torch's for the classifier.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from zcproxy.benchmarks.shared.layers import conv_norm
from zcproxy.models.initialisation import initialise

STEM, CHANNELS = 16, (16, 32, 64)
"""Channels after the first convolution, and of the stages."""

CIFAR_CHANNELS, CLASSES = 3, 100
TEACHER_BLOCKS = (18, 18, 18)


class Block(nn.Module):
    """Two convolutions and a shortcut, which is a 1x1 convolution where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        first, second = conv_norm(inputs, outputs, 3, stride), conv_norm(outputs, outputs, 3)
        self.residual = nn.Sequential(*first, nn.ReLU(), *second)
        is_same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if is_same else nn.Sequential(*conv_norm(inputs, outputs, 1, stride))
        self.activation = nn.ReLU()

    def forward(self, inputs: Tensor) -> Tensor:
        """Return samples x outputs x height/stride x width/stride."""
        result: Tensor = self.activation(self.residual(inputs) + self.shortcut(inputs))
        return result


class CifarResNet(nn.Module):
    """Maps samples x image channels x height x width to logits, samples x classes.

    Args:
        blocks: blocks of each stage; all but the first stage begin by halving the resolution.
        image_channels: channels of the images.
        classes: number of logits.
    """

    def __init__(self, blocks: Sequence[int], image_channels: int = CIFAR_CHANNELS, classes: int = CLASSES) -> None:
        super().__init__()
        self.stem = nn.Sequential(*conv_norm(image_channels, STEM, 3), nn.ReLU())
        stages: list[nn.Module] = []
        before = STEM
        for stage, (count, channels) in enumerate(zip(blocks, CHANNELS, strict=True)):
            for index in range(count):
                stages.append(Block(before, channels, 2 if stage and not index else 1))
                before = channels
        self.blocks = nn.Sequential(*stages)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(before, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the logits."""
        logits: Tensor = self.classifier(self.pool(self.blocks(self.stem(inputs))).flatten(1))
        return logits


def resnet110() -> CifarResNet:
    """Return an untrained ResNet-110 for CIFAR-100, the teacher of the published students."""
    return CifarResNet(TEACHER_BLOCKS)


def resnet110_normal() -> CifarResNet:
    """Return it with all weights drawn from N(0, 1), as the authors of DisWOT draw those of teacher and students."""
    network = resnet110()
    initialise(network, "normal")
    return network
