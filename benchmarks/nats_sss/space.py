"""The size search space of NATS-Bench: 32,768 choices of five widths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from torch import nn

from zcproxy.benchmarks.nats_sss.network import size_network
from zcproxy.contracts.choice_space import ChoiceSpace, Option
from zcproxy.errors import BenchmarkError

WIDTHS = (8, 16, 24, 32, 40, 48, 56, 64)


class NATSSizeSpace(ChoiceSpace):
    """Five widths of eight options each; architectures are their official texts, such as `8:16:24:32:64`."""

    name = "nats_sss"
    choices: ClassVar[Mapping[str, Sequence[Option]]] = {f"width_{layer}": WIDTHS for layer in range(1, 6)}

    def encode(self, options: Mapping[str, Option]) -> str:
        """Return the widths joined by colons."""
        return ":".join(str(options[choice]) for choice in self.choices)

    def decode(self, text: str) -> dict[str, Option]:
        """Return the width of each layer. Raises `BenchmarkError` for text outside the space."""
        known = {str(width): width for width in WIDTHS}
        parts = text.strip().split(":")
        if len(parts) != len(self.choices) or not all(part in known for part in parts):
            raise self.outside(text, f"write {len(self.choices)} widths joined by ':', each one of {', '.join(known)}")
        return dict(zip(self.choices, (known[part] for part in parts), strict=True))

    def build(self, architecture: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """Return the untrained network, initialised as torch does by default.

        Raises:
            BenchmarkError: the inputs are not images whose height and width four divides.
        """
        if len(input_shape) != 3 or input_shape[1] % 4 or input_shape[2] % 4:
            raise BenchmarkError(f"NATS-Bench networks take images whose sides four divides, not {input_shape}")
        return size_network(self._widths(architecture), input_shape[0], classes)

    def macs(self, architecture: str, input_shape: tuple[int, ...], classes: int) -> int:
        """Return the multiply-adds of convolutions and classifier for one image; its bias counts one per output."""
        images, height, width = input_shape
        first, second, third, fourth, fifth = self._widths(architecture)
        pixels = height * width
        total = 9 * images * first * pixels + classes * (fifth + 1)
        for inputs, channels, shrunk in ((first, first, 1), (second, third, 4), (fourth, fifth, 16)):
            projection = inputs * channels if inputs != channels else 0
            total += (9 * (2 * inputs * channels + 3 * channels**2) + projection) * pixels // shrunk
        for inputs, channels, shrunk in ((first, second, 4), (third, fourth, 16)):
            total += (9 * (inputs * channels + channels**2) + inputs * channels) * pixels // shrunk
        return total

    def _widths(self, architecture: str) -> list[int]:
        return [int(width) for width in self.decode(architecture).values()]
