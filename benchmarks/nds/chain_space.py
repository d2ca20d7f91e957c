"""The chain families of NDS as search spaces."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from random import Random
from typing import Any

from torch import nn

from zcproxy.benchmarks.nds.families import CHAINS
from zcproxy.benchmarks.nds.resnets import Stage, chain_network
from zcproxy.contracts.choice_space import BaseSpace
from zcproxy.errors import BenchmarkError
from zcproxy.reading.plain_values import finite_number, whole_number

STRIDES = (1, 2, 4, 8)
_NUMBER, _RATIO = "[0-9]{1,5}", r"[0-9]{1,5}(?:\.[0-9]{1,9})?"
_LONGEST = 60


class NDSChainSpace(BaseSpace):
    """Networks of a chain family, written `64s8/2x16s1b0.25g2/...`: the stem, then one group per stage.

    The stem has a width and a stride, a stage its depth, width and stride, and where blocks have a bottleneck its ratio
    (`b`) and groups (`g`). Implements `zcproxy.contracts.task.SearchSpace`.

    Args:
        family: a key of `zcproxy.benchmarks.nds.families.CHAINS`.
    """

    def __init__(self, family: str) -> None:
        self.family = family
        self.name = f"nds_{family.lower()}"
        self._chain = CHAINS[family]

    @property
    def size(self) -> int:
        """The number of architectures with the strides of the ImageNet networks."""
        stages = len(self._chain.strides) - 1
        return len(self._chain.stems) * len(self._stages(1)) ** stages

    def build(self, architecture: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """Return the untrained network. Raises `BenchmarkError` if the inputs are not colour images."""
        if len(input_shape) != 3 or input_shape[0] != 3:
            raise BenchmarkError(f"NDS networks take colour images, not inputs of shape {input_shape}")
        return chain_network(self._chain.block, self.decode(architecture), classes)

    def from_entry(self, net: Mapping[str, Any]) -> str:
        """Return the architecture of the `net` of an official entry.

        Raises:
            BenchmarkError: it describes no network of this family; the message says what is wrong.
        """
        try:
            block, count = str(net["block_type"]), len(net["ds"])
            ratios, groups = net["bot_muls"] or [1.0] * count, net["num_gs"] or [1] * count
            lists = (
                map(whole_number, net["ds"]),
                map(whole_number, net["ws"]),
                map(whole_number, net["ss"]),
                map(finite_number, ratios),
                map(whole_number, groups),
            )
            stages = [Stage(*values) for values in zip(*lists, strict=True)]
        except (KeyError, RecursionError, TypeError, ValueError) as error:
            missing = f"it has no {error}" if isinstance(error, KeyError) else str(error)
            raise BenchmarkError(f"this is not a network of the NDS family {self.family}: {missing}") from error
        if block != self._chain.block:
            raise BenchmarkError(
                f"the block '{block[:_LONGEST]}' is not '{self._chain.block}', that of the family {self.family}"
            )
        return self.parse(self._text(stages))

    def decode(self, text: str) -> list[Stage]:
        """Return the stem and the stages. Raises `BenchmarkError` for text outside the space."""
        first, *rest = text.strip().split("/")
        stem = re.fullmatch(rf"({_NUMBER})s({_NUMBER})", first)
        if stem is None or not rest:
            raise self.outside(text, "write WIDTHsSTRIDE/DEPTHxWIDTHsSTRIDE/...")
        stages = [Stage(1, int(stem[1]), int(stem[2]))]
        for group in rest:
            found = re.fullmatch(rf"({_NUMBER})x({_NUMBER})s({_NUMBER})(?:b({_RATIO})g({_NUMBER}))?", group)
            if found is None or (found[4] is not None) != self._has_bottleneck:
                like = self._written(self._stages(1)[0])
                raise self.outside(text, f"the stage '{group[:_LONGEST]}' is not like {like}")
            options = (float(found[4]), int(found[5])) if self._has_bottleneck else ()
            stages.append(Stage(int(found[1]), int(found[2]), int(found[3]), *options))
        for stage in stages:
            inner = round(stage.width * stage.ratio)
            if min(stage.depth, stage.width, stage.groups, inner) < 1 or stage.stride not in STRIDES:
                raise self.outside(text, f"the stage '{self._written(stage)}' has a number that makes no sense")
            if inner % stage.groups or stage.width % stage.groups:
                raise self.outside(text, f"{stage.groups} groups do not divide {inner} channels")
        return stages

    def parse(self, text: str) -> str:
        """Return the canonical text; surrounding white space is dropped."""
        return self._text(self.decode(text))

    def sample(self, rng: Random) -> str:
        """Return a network drawn uniformly, with the strides of the ImageNet networks."""
        stem, *rest = self._chain.strides
        stages = [rng.choice(self._stages(stride)) for stride in rest]
        return self._text([Stage(1, rng.choice(self._chain.stems), stem), *stages])

    def enumerate(self) -> Iterator[str]:
        """Yield every network with the strides of the ImageNet networks once; there are very many."""
        stem, *rest = self._chain.strides
        for width in self._chain.stems:
            for stages in product(*map(self._stages, rest)):
                yield self._text([Stage(1, width, stem), *stages])

    def neighbours(self, architecture: str) -> list[str]:
        """Return the networks with another stem, or one stage that differs in one of its numbers."""
        stem, *rest = self.decode(architecture)
        found = [[replace(stem, width=width), *rest] for width in self._chain.stems if width != stem.width]
        found += [
            [stem, *rest[:number], other, *rest[number + 1 :]]
            for number, stage in enumerate(rest)
            for other in self._stages(stage.stride)
            if _differences(stage, other) == 1
        ]
        return [self._text(stages) for stages in found]

    def crossover(self, first: str, second: str, rng: Random) -> str:
        """Return a network that takes every stage from either parent; the first one if their strides differ."""
        left, right = self.decode(first), self.decode(second)
        if [stage.stride for stage in left] != [stage.stride for stage in right]:
            return self._text(left)
        return self._text([rng.choice(pair) for pair in zip(left, right, strict=True)])

    @property
    def _has_bottleneck(self) -> bool:
        return self._chain.block == "res_bottleneck_block"

    def _stages(self, stride: int) -> list[Stage]:
        chain = self._chain
        return [
            Stage(depth, width, stride, ratio, groups)
            for depth, width, ratio, groups in product(chain.depths, chain.widths, chain.ratios, chain.groups)
        ]

    def _written(self, stage: Stage) -> str:
        bottleneck = f"b{stage.ratio:g}g{stage.groups}" if self._has_bottleneck else ""
        return f"{stage.depth}x{stage.width}s{stage.stride}{bottleneck}"

    def _text(self, stages: Sequence[Stage]) -> str:
        return "/".join([f"{stages[0].width}s{stages[0].stride}", *map(self._written, stages[1:])])


def _differences(first: Stage, second: Stage) -> int:
    pairs = zip(vars(first).values(), vars(second).values(), strict=True)
    return sum(ours != theirs for ours, theirs in pairs)
