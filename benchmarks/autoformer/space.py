"""The space of AutoFormer: width and depth of a vision transformer, heads and MLP ratio of each block."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from random import Random

from torch import nn

from zcproxy.benchmarks.autoformer.network import BlockChoice, VisionTransformer
from zcproxy.benchmarks.autoformer.sizes import SIZES
from zcproxy.benchmarks.shared.block_lists import crossed
from zcproxy.contracts.choice_space import BaseSpace
from zcproxy.errors import BenchmarkError, check_known

_LONGEST = 40
"""Characters that are shown of a wrong part."""


@dataclass(frozen=True)
class Architecture:
    """A width, and the blocks."""

    width: int
    blocks: tuple[BlockChoice, ...]

    @property
    def text(self) -> str:
        """How it is written."""
        return "/".join([f"w{self.width}d{len(self.blocks)}", *map(_text_of, self.blocks)])


def _text_of(block: BlockChoice) -> str:
    return f"h{block.heads}r{block.ratio:g}"


class AutoFormerSpace(BaseSpace):
    """Vision transformers, written `w192d3/h3r3.5/h4r4/h3r4`: width and depth, then heads and MLP ratio of each block.

    Implements `zcproxy.contracts.task.SearchSpace`.

    Args:
        size: which choices, see `SIZES`.
        patch: side of a patch in pixels; 0 for that of the size.

    Raises:
        ConfigurationError: there is no such size.
    """

    name = "autoformer"

    def __init__(self, size: str = "tiny", patch: int = 0) -> None:
        check_known("size of autoformer", size, SIZES)
        self._size, self.choices = size, SIZES[size]
        self.patch = patch or self.choices.patch
        self._blocks = tuple(BlockChoice(*pair) for pair in product(self.choices.heads, self.choices.ratios))
        self._known = {_text_of(block): block for block in self._blocks}

    @property
    def size(self) -> int:
        """The number of architectures."""
        return len(self.choices.widths) * sum(len(self._blocks) ** depth for depth in self.choices.depths)

    def build(self, architecture: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """Return the untrained network.

        Raises:
            BenchmarkError: the inputs are not images whose height and width the patch divides.
        """
        own = self.decode(architecture)
        if len(input_shape) != 3 or input_shape[1] % self.patch or input_shape[2] % self.patch:
            raise BenchmarkError(
                f"networks of {self.name} take images whose height and width the patch of {self.patch} pixels divides, "
                f"not {input_shape}: its option patch=... takes another"
            )
        return VisionTransformer(
            input_shape,
            classes,
            width=own.width,
            blocks=own.blocks,
            head_width=self.choices.head_width,
            patch=self.patch,
            deviation=self.choices.deviation,
            position_deviation=self.choices.position_deviation,
        )

    def decode(self, text: str) -> Architecture:
        """Return width and blocks. Raises `BenchmarkError` for text outside the space."""
        first, *parts = text.strip().split("/")
        found = re.fullmatch(r"w(\d{1,9})d(\d{1,9})", first, re.ASCII)
        if found is None:
            raise self.outside(text, f"'{first[:_LONGEST]}' is not width and depth, like w192d13")
        width, depth = int(found[1]), int(found[2])
        self._check(text, "width", width, self.choices.widths)
        self._check(text, "depth", depth, self.choices.depths)
        if len(parts) != depth:
            raise self.outside(text, f"{len(parts)} blocks follow, the depth is {depth}")
        return Architecture(width, tuple(self._block(text, part) for part in parts))

    def _block(self, text: str, part: str) -> BlockChoice:
        found = re.fullmatch(r"h(\d{1,9})r(\d{1,9}(?:\.\d{1,9})?)", part, re.ASCII)
        if found is None:
            raise self.outside(text, f"the block '{part[:_LONGEST]}' is not heads and MLP ratio, like h3r3.5")
        block = BlockChoice(int(found[1]), float(found[2]))
        self._check(text, "heads", block.heads, self.choices.heads)
        self._check(text, "MLP ratio", block.ratio, self.choices.ratios)
        return block

    def _check(self, text: str, what: str, value: float, options: tuple[float, ...]) -> None:
        if value not in options:
            known = ", ".join(f"{option:g}" for option in options)
            raise self.outside(text, f"{what} {value:g} is not one of {known} (size={self._size})")

    def parse(self, text: str) -> str:
        """Return the canonical text: without white space around it, `r4` for `r4.0`."""
        return self.decode(text).text

    def sample(self, rng: Random) -> str:
        """Return an architecture: width, depth and blocks drawn uniformly, as by the official code."""
        depth = rng.choice(self.choices.depths)
        return Architecture(rng.choice(self.choices.widths), tuple(rng.choice(self._blocks) for _ in range(depth))).text

    def enumerate(self) -> Iterator[str]:
        """Yield every architecture once, the shallow ones first."""
        for depth in self.choices.depths:
            for width in self.choices.widths:
                for blocks in product(self._blocks, repeat=depth):
                    yield Architecture(width, blocks).text

    def neighbours(self, architecture: str) -> list[str]:
        """Return the architectures of other width, other heads or ratio of one block, or a last block more or less."""
        own = self.decode(architecture)
        found = [replace(own, width=width) for width in self.choices.widths if width != own.width]
        for place, block in enumerate(own.blocks):
            changed = [replace(block, heads=heads) for heads in self.choices.heads if heads != block.heads]
            changed += [replace(block, ratio=ratio) for ratio in self.choices.ratios if ratio != block.ratio]
            found += [replace(own, blocks=(*own.blocks[:place], each, *own.blocks[place + 1 :])) for each in changed]
        if len(own.blocks) < max(self.choices.depths):
            found += [replace(own, blocks=(*own.blocks, block)) for block in self._blocks]
        if len(own.blocks) > min(self.choices.depths):
            found.append(replace(own, blocks=own.blocks[:-1]))
        return [each.text for each in found]

    def crossover(self, first: str, second: str, rng: Random) -> str:
        """Return a child with the width of either parent, and the depth of one, its blocks taken from either."""
        parents = [self.decode(first), self.decode(second)]
        width = rng.choice(parents).width
        own, other = rng.sample(parents, 2)
        return Architecture(width, crossed(own.blocks, other.blocks, rng)).text
