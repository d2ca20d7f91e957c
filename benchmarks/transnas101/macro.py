"""The macro space of TransNAS-Bench-101: 3,256 arrangements of four to six modules of basic blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from random import Random

from torch import nn

from zcproxy.benchmarks.transnas101.micro import BASE
from zcproxy.benchmarks.transnas101.network import TransNASNetwork
from zcproxy.contracts.choice_space import BaseSpace

KINDS = "1234"
LENGTHS = (4, 5, 6)


def _is_inside(modules: str) -> bool:
    """Say whether one to four modules halve the resolution (3, 4) and one to three double the channels (2, 4)."""
    halving, doubling = (sum(kind in kinds for kind in modules) for kinds in ("34", "24"))
    return len(modules) in LENGTHS and 1 <= halving <= 4 and 1 <= doubling <= 3


class MacroSpace(BaseSpace):
    """Arrangements, written as in the official files: `64-4111-basic`, one digit per module.

    Implements `zcproxy.contracts.task.SearchSpace`.

    Args:
        base: channels after the stem; the benchmark has 64.
    """

    name = "transnas101_macro"

    def __init__(self, base: int = BASE) -> None:
        self.base = base

    @property
    def size(self) -> int:
        """The number of architectures: 3,256."""
        return sum(1 for _ in self.enumerate())

    def parse(self, text: str) -> str:
        """Return the canonical text; surrounding white space is dropped."""
        return _text(self._modules(text))

    def sample(self, rng: Random) -> str:
        """Return an arrangement drawn uniformly."""
        return rng.choice(list(self.enumerate()))

    def enumerate(self) -> Iterator[str]:
        """Yield every arrangement once, the short ones first."""
        for length in LENGTHS:
            yield from (
                _text(modules) for modules in map("".join, product(KINDS, repeat=length)) if _is_inside(modules)
            )

    def neighbours(self, architecture: str) -> list[str]:
        """Return the arrangements that differ in one module, or have one more or less."""
        own = self._modules(architecture)
        changed = [own[:place] + kind + own[place + 1 :] for place in range(len(own)) for kind in KINDS]
        shorter = [own[:place] + own[place + 1 :] for place in range(len(own))]
        longer = [own[:place] + kind + own[place:] for place in range(len(own) + 1) for kind in KINDS]
        found = dict.fromkeys(
            modules for modules in changed + shorter + longer if _is_inside(modules) and modules != own
        )
        return [_text(modules) for modules in found]

    def crossover(self, first: str, second: str, rng: Random) -> str:
        """Return the beginning of one parent and the end of the other; the first parent if none is in the space."""
        left, right = self._modules(first), self._modules(second)
        children = [left[:cut] + right[cut:] for cut in range(1, min(len(left), len(right)))]
        return _text(rng.choice([child for child in children if _is_inside(child)] or [left]))

    def build(self, architecture: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        """Return the untrained network; see `TransNASNetwork` for its inputs."""
        return TransNASNetwork(self.base, self._modules(architecture), None, input_shape=input_shape, classes=classes)

    def _modules(self, text: str) -> str:
        found = re.fullmatch(rf"{BASE}-([{KINDS}]+)-basic", text.strip())
        if found is None or not _is_inside(found[1]):
            raise self.outside(
                text,
                f"write {BASE}-MODULES-basic with four to six of {', '.join(KINDS)}, one to four of them 3 or 4, one "
                "to three of them 2 or 4",
            )
        return found[1]


def _text(modules: str) -> str:
    return f"{BASE}-{modules}-basic"
