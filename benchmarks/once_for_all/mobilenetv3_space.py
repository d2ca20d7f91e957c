"""The space of Once-for-All MobileNetV3 sub-networks: depth of five stages, kernel and expansion of every block."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import product
from random import Random
from typing import Any

from torch import nn

from zcproxy.benchmarks.once_for_all.mobilenetv3 import STAGES, Blocks, mobilenetv3
from zcproxy.contracts.choice_space import BaseSpace
from zcproxy.errors import BenchmarkError
from zcproxy.reading.plain_values import dictionary, whole_number

KERNELS, EXPANSIONS, DEPTHS = (3, 5, 7), (3, 4, 6), (2, 3, 4)
BLOCKS = tuple(product(KERNELS, EXPANSIONS))
MOST = max(DEPTHS)
_LONGEST = 60


class MobileNetV3Space(BaseSpace):
    """Sub-networks, written `k5e4.k7e3/k3e4.k5e3.k3e6/...`: one group per stage, kernel and expansion of each block.

    Implements `zcproxy.contracts.task.SearchSpace`. The resolution of the images is not part of an architecture here.
    """

    name = "ofa_mobilenetv3"
    size = sum(len(BLOCKS) ** depth for depth in DEPTHS) ** len(STAGES)

    def build(self, architecture: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """Return the untrained network, initialised as by torch. Raises `BenchmarkError` unless inputs are images."""
        if len(input_shape) != 3:
            raise BenchmarkError(f"MobileNetV3 takes images, not inputs of shape {input_shape}")
        return mobilenetv3(self.decode(architecture), input_shape[0], classes)

    def decode(self, text: str) -> list[Blocks]:
        """Return the blocks of each stage. Raises `BenchmarkError` for text outside the space."""
        stages = [self._stage(text, group) for group in text.strip().split("/")]
        if len(stages) != len(STAGES):
            raise self.outside(text, f"{len(stages)} stages, expected {len(STAGES)}")
        return stages

    def from_official(self, setting: Any) -> str:
        """Return the architecture that the official code writes as lists `ks` and `e` of twenty, and `d` of five.

        Blocks beyond the depth of their stage leave no trace.

        Raises:
            BenchmarkError: a list is missing, too short, or holds something else.
        """
        try:
            lists = dictionary(setting)
            kernels, expansions, depths = (list(map(whole_number, lists[name])) for name in ("ks", "e", "d"))
            if any(depth not in DEPTHS for depth in depths):
                raise ValueError("a stage has two to four blocks")
            stages = [
                [(kernels[MOST * stage + block], expansions[MOST * stage + block]) for block in range(depth)]
                for stage, depth in enumerate(depths)
            ]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise BenchmarkError(
                f"this is not a setting of a MobileNetV3 sub-network: {str(error)[:_LONGEST]}"
            ) from error
        return self.parse(_text(stages))

    def parse(self, text: str) -> str:
        """Return the canonical text; surrounding white space is dropped."""
        return _text(self.decode(text))

    def sample(self, rng: Random) -> str:
        """Return an architecture whose depths, kernels and expansions are drawn uniformly, as by the official code."""
        return _text([[rng.choice(BLOCKS) for _ in range(rng.choice(DEPTHS))] for _ in STAGES])

    def enumerate(self) -> Iterator[str]:
        """Yield every architecture once; there are more than 10^19."""
        stage = [blocks for depth in DEPTHS for blocks in product(BLOCKS, repeat=depth)]
        return map(_text, product(stage, repeat=len(STAGES)))

    def neighbours(self, architecture: str) -> list[str]:
        """Return the architectures with one other kernel or expansion, or one last block of a stage more or less."""
        stages = [list(blocks) for blocks in self.decode(architecture)]
        found = []
        for number, blocks in enumerate(stages):
            variants = [
                [*blocks[:place], other, *blocks[place + 1 :]]
                for place, block in enumerate(blocks)
                for other in BLOCKS
                if sum(ours != theirs for ours, theirs in zip(block, other, strict=True)) == 1
            ]
            variants += [[*blocks, other] for other in BLOCKS] if len(blocks) < MOST else []
            variants += [blocks[:-1]] if len(blocks) > min(DEPTHS) else []
            found += [_text([*stages[:number], variant, *stages[number + 1 :]]) for variant in variants]
        return found

    def crossover(self, first: str, second: str, rng: Random) -> str:
        """Return an architecture that takes every stage from either parent with equal chance."""
        return _text([rng.choice(pair) for pair in zip(self.decode(first), self.decode(second), strict=True)])

    def _stage(self, text: str, group: str) -> Blocks:
        blocks = []
        for part in group.split("."):
            found = re.fullmatch(r"k([0-9])e([0-9])", part)
            block = (int(found[1]), int(found[2])) if found else None
            if block not in BLOCKS:
                raise self.outside(text, f"the block '{part[:_LONGEST]}' is not k3, k5 or k7 with e3, e4 or e6")
            blocks.append(block)
        if len(blocks) not in DEPTHS:
            raise self.outside(text, f"the stage '{group[:_LONGEST]}' has {len(blocks)} blocks, expected 2 to 4")
        return blocks


def _text(stages: Sequence[Blocks]) -> str:
    return "/".join(".".join(f"k{kernel}e{expansion}" for kernel, expansion in blocks) for blocks in stages)
