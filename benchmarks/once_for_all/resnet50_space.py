"""The space of Once-for-All ResNet50 sub-networks: widths, depth of four stages, expansion of every block."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from random import Random

from torch import nn

from zcproxy.benchmarks.once_for_all.resnet50 import STRIDES, Stage, Stem, resnet50
from zcproxy.contracts.choice_space import BaseSpace
from zcproxy.errors import BenchmarkError

WIDTHS, EXPANSIONS = (0.65, 0.8, 1.0), (0.2, 0.25, 0.35)
LEAST = (2, 2, 4, 2)
"""Fewest blocks of each stage."""

EXTRA = (0, 1, 2)
"""Blocks of a stage beyond its fewest."""

Choice = tuple[Stem, tuple[Stage, ...]]


class ResNet50Space(BaseSpace):
    """Sub-networks, written `65.100+/80e20.25/65e35.20.25/...`: the stem, then one group per stage, in percent.

    The stem has the widths of its first and last convolutions, and a `+` where a residual convolution stands between. A
    stage has its width, and the expansion of each of its blocks. Implements `zcproxy.contracts.task.SearchSpace`.
    """

    name = "ofa_resnet50"

    @property
    def size(self) -> int:
        """The number of architectures."""
        total = 2 * len(WIDTHS) ** 2
        for least in LEAST:
            total *= len(WIDTHS) * sum(len(EXPANSIONS) ** (least + extra) for extra in EXTRA)
        return total

    def build(self, architecture: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """Return the untrained network, initialised as by torch. Raises `BenchmarkError` unless inputs are images."""
        if len(input_shape) != 3:
            raise BenchmarkError(f"ResNet50 takes images, not inputs of shape {input_shape}")
        stem, stages = self.decode(architecture)
        return resnet50(stem, stages, input_shape[0], classes)

    def decode(self, text: str) -> Choice:
        """Return the stem and the four stages. Raises `BenchmarkError` for text outside the space."""
        first, *rest = text.strip().split("/")
        found = re.fullmatch(r"(\d+)\.(\d+)(\+?)", first)
        if found is None:
            raise self.outside(text, f"the stem '{first}' is not like 65.100+")
        if len(rest) != len(STRIDES):
            raise self.outside(text, f"{len(rest)} stages, expected {len(STRIDES)}")
        inner, outer = (self._option(text, found[group], WIDTHS) for group in (1, 2))
        stages = tuple(self._stage(text, group, least) for group, least in zip(rest, LEAST, strict=True))
        return Stem(inner, outer, found[3] == "+"), stages

    def parse(self, text: str) -> str:
        """Return the canonical text; surrounding white space is dropped."""
        return _text(self.decode(text))

    def sample(self, rng: Random) -> str:
        """Return an architecture whose widths, depths and expansions are drawn uniformly, as by the official code."""
        stem = Stem(rng.choice(WIDTHS), rng.choice(WIDTHS), rng.choice((False, True)))
        stages = []
        for least in LEAST:
            depth = least + rng.choice(EXTRA)
            stages.append(Stage(rng.choice(WIDTHS), tuple(rng.choice(EXPANSIONS) for _ in range(depth))))
        return _text((stem, tuple(stages)))

    def enumerate(self) -> Iterator[str]:
        """Yield every architecture once; there are more than 10^12."""
        stems = [Stem(inner, outer, residual) for inner, outer in product(WIDTHS, WIDTHS) for residual in (False, True)]
        stages = [
            [
                Stage(width, expansions)
                for width in WIDTHS
                for extra in EXTRA
                for expansions in product(EXPANSIONS, repeat=least + extra)
            ]
            for least in LEAST
        ]
        for stem in stems:
            for chosen in product(*stages):
                yield _text((stem, chosen))

    def neighbours(self, architecture: str) -> list[str]:
        """Return the architectures with one other width or expansion, stem block, or one last block more or less."""
        stem, stages = self.decode(architecture)
        stems = [replace(stem, residual=not stem.residual)]
        stems += [replace(stem, inner=width) for width in WIDTHS if width != stem.inner]
        stems += [replace(stem, outer=width) for width in WIDTHS if width != stem.outer]
        found = [_text((other, stages)) for other in stems]
        for number, (stage, least) in enumerate(zip(stages, LEAST, strict=True)):
            own = tuple(stage.expansions)
            variants = [replace(stage, width=width) for width in WIDTHS if width != stage.width]
            lists = [
                (*own[:place], other, *own[place + 1 :])
                for place, expansion in enumerate(own)
                for other in EXPANSIONS
                if other != expansion
            ]
            lists += [(*own, other) for other in EXPANSIONS] if len(own) < least + max(EXTRA) else []
            lists += [own[:-1]] if len(own) > least else []
            variants += [replace(stage, expansions=expansions) for expansions in lists]
            found += [_text((stem, (*stages[:number], variant, *stages[number + 1 :]))) for variant in variants]
        return found

    def crossover(self, first: str, second: str, rng: Random) -> str:
        """Return an architecture that takes the stem and every stage from either parent with equal chance."""
        (stem, stages), (other_stem, other_stages) = self.decode(first), self.decode(second)
        chosen = tuple(rng.choice(pair) for pair in zip(stages, other_stages, strict=True))
        return _text((rng.choice((stem, other_stem)), chosen))

    def _stage(self, text: str, group: str, least: int) -> Stage:
        width, _, expansions = group.partition("e")
        parts = expansions.split(".")
        if len(parts) - least not in EXTRA:
            raise self.outside(text, f"the stage '{group}' has {len(parts)} blocks, expected {least} to {least + 2}")
        return Stage(self._option(text, width, WIDTHS), tuple(self._option(text, part, EXPANSIONS) for part in parts))

    def _option(self, text: str, written: str, options: Sequence[float]) -> float:
        known = {_percent(option): option for option in options}
        if written not in known:
            raise self.outside(text, f"'{written}' is not one of {', '.join(known)}")
        return known[written]


def _percent(share: float) -> str:
    return str(round(100 * share))


def _text(choice: Choice) -> str:
    stem, stages = choice
    first = f"{_percent(stem.inner)}.{_percent(stem.outer)}{'+' if stem.residual else ''}"
    rest = (f"{_percent(stage.width)}e{'.'.join(map(_percent, stage.expansions))}" for stage in stages)
    return "/".join([first, *rest])
