"""The search space of the students: 64 choices of three depths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from torch import nn

from zcproxy.benchmarks.diswot.network import CHANNELS, STEM, CifarResNet
from zcproxy.contracts.choice_space import ChoiceSpace, Option
from zcproxy.errors import BenchmarkError

DEPTHS = (1, 3, 5, 7)
STAGES = len(CHANNELS)


class StudentSpace(ChoiceSpace):
    """Blocks of each stage; an architecture is its three digits, such as `357`."""

    name = "diswot"
    choices: ClassVar[Mapping[str, Sequence[Option]]] = {f"blocks_{stage + 1}": DEPTHS for stage in range(STAGES)}

    def encode(self, options: Mapping[str, Option]) -> str:
        """Return the digits."""
        return "".join(str(options[choice]) for choice in self.choices)

    def decode(self, text: str) -> dict[str, Option]:
        """Return the blocks of each stage. Raises `BenchmarkError` for text outside the space."""
        known = {str(depth): depth for depth in DEPTHS}
        digits = text.strip()
        if len(digits) != STAGES or not all(digit in known for digit in digits):
            raise self.outside(text, f"write {STAGES} digits, each one of {', '.join(known)}")
        return dict(zip(self.choices, (known[digit] for digit in digits), strict=True))

    def build(self, architecture: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """Return the untrained network.

        Raises:
            BenchmarkError: the inputs are not images whose height and width four divides.
        """
        if len(input_shape) != 3 or input_shape[1] % 4 or input_shape[2] % 4:
            raise BenchmarkError(f"the students of DisWOT take images whose sides four divides, not {input_shape}")
        return CifarResNet(self._blocks(architecture), input_shape[0], classes)

    def macs(self, architecture: str, input_shape: tuple[int, ...], classes: int) -> int:
        """Return the multiply-adds of convolutions and classifier for one image."""
        images, height, width = input_shape
        positions, before = height * width, STEM
        total = 9 * images * STEM * positions + CHANNELS[-1] * classes
        for stage, (count, channels) in enumerate(zip(self._blocks(architecture), CHANNELS, strict=True)):
            positions //= 4 if stage else 1
            projection = before * channels if before != channels else 0
            total += (9 * before * channels + projection + (2 * count - 1) * 9 * channels**2) * positions
            before = channels
        return total

    def _blocks(self, architecture: str) -> list[int]:
        return [int(count) for count in self.decode(architecture).values()]
