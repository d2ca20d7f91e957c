"""Two stages of mobile blocks: expansion, depthwise convolution, projection (MobileNetV2, CVPR 2018, section 3)."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from zcproxy.benchmarks.shared.layers import conv_norm
from zcproxy.contracts.choice_space import ChoiceSpace, Option
from zcproxy.errors import BenchmarkError

STEM = 8
WIDTHS = (8, 16)
STRIDES = (1, 2)
STAGES = (1, 2)


class MobileBlock(nn.Module):
    """Expansion to more channels, depthwise convolution, projection; added to its input where that is asked for.

    Args:
        inputs: channels of the input.
        outputs: channels of the output.
        kernel: side of the depthwise convolution.
        expansion: channels inside, as a multiple of `inputs`; 1 leaves the expanding convolution out.
        stride: of the depthwise convolution.
        skips: whether the input is added to the output, which then has its shape.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, expansion: int, stride: int, *, skips: bool) -> None:
        super().__init__()
        inner = inputs * expansion
        expanding = [*conv_norm(inputs, inner), nn.ReLU6()] if expansion > 1 else []
        self.body = nn.Sequential(
            *expanding, *conv_norm(inner, inner, kernel, stride, inner), nn.ReLU6(), *conv_norm(inner, outputs)
        )
        self._skips = skips

    def forward(self, inputs: Tensor) -> Tensor:
        """Return samples x outputs x height/stride x width/stride."""
        outputs: Tensor = self.body(inputs)
        return inputs + outputs if self._skips else outputs


class MobileSpace(ChoiceSpace):
    """Networks written `depth1=2 kernel1=3 expansion1=4 skip1=yes depth2=...`: four choices for each of two stages.

    The first block of a stage changes the shape, the others keep it, and are skipped where `skip` says so. In a stage
    of one block that choice changes nothing: `prune` makes it `no`. Implements
    `zcproxy.contracts.task.SearchSpace`.
    """

    name = "digits_mobile"
    choices: ClassVar = {
        f"{choice}{stage}": options
        for stage in STAGES
        for choice, options in {
            "depth": (1, 2, 3, 4),
            "kernel": (3, 5),
            "expansion": (1, 3, 6),
            "skip": ("yes", "no"),
        }.items()
    }

    def prune(self, architecture: str) -> str:
        """Return the network without the choice of a skip where no block keeps the shape."""
        own = self.decode(architecture)
        without: dict[str, Option] = {f"skip{stage}": "no" for stage in STAGES if own[f"depth{stage}"] == 1}
        return self.encode(own | without)

    def equivalence_class(self, architecture: str) -> str:
        """Return the pruned text."""
        return self.prune(architecture)

    def build(self, architecture: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """Return the untrained network, initialised as torch does. Raises `BenchmarkError` for inputs but images."""
        own = self.decode(architecture)
        if len(input_shape) != 3:
            raise BenchmarkError(f"the networks of {self.name} take images, not inputs of shape {input_shape}")
        modules = [*conv_norm(input_shape[0], STEM, 3, 2), nn.ReLU6()]
        channels = STEM
        for stage, width, stride in zip(STAGES, WIDTHS, STRIDES, strict=True):
            kernel, expansion = int(own[f"kernel{stage}"]), int(own[f"expansion{stage}"])
            for place in range(int(own[f"depth{stage}"])):
                skips = place > 0 and own[f"skip{stage}"] == "yes"
                block_stride = stride if place == 0 else 1
                modules.append(MobileBlock(channels, width, kernel, expansion, block_stride, skips=skips))
                channels = width
        return nn.Sequential(*modules, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))
