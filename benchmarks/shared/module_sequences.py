"""Spaces of modules in a row: which of them halve the resolution, and which double the channels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import product
from random import Random

from zcproxy.contracts.choice_space import BaseSpace

KINDS = "1234"
HALVING, DOUBLING = "34", "24"
"""A module of kind 1 keeps the shape, 2 doubles the channels, 3 halves height and width, 4 does both."""


class ModuleSequenceSpace(BaseSpace):
    """Arrangements of modules, one digit of `KINDS` each: all methods of a search space but `build`.

    Attributes:
        before: text before the digits.
        after: text behind them.
        lengths: how many modules a network may have.
        halvings: how many of them may halve the resolution.
        doublings: how many of them may double the channels.
    """

    before: str
    after: str
    lengths: range
    halvings: range
    doublings: range

    @property
    def size(self) -> int:
        """The number of architectures."""
        return len(_sequences(self.lengths, self.halvings, self.doublings))

    def modules_of(self, text: str) -> str:
        """Return the digits of an architecture. Raises `BenchmarkError` for text outside the space."""
        found = re.fullmatch(rf"{re.escape(self.before)}([{KINDS}]+){re.escape(self.after)}", text.strip())
        if found is None or not self._is_inside(found[1]):
            raise self.outside(
                text,
                f"write {self.before}MODULES{self.after} with {_shown(self.lengths)} of {', '.join(KINDS)}, "
                f"{_shown(self.halvings)} of them 3 or 4, {_shown(self.doublings)} of them 2 or 4",
            )
        return found[1]

    def parse(self, text: str) -> str:
        """Return the canonical text; surrounding white space is dropped."""
        return self._text(self.modules_of(text))

    def sample(self, rng: Random) -> str:
        """Return an arrangement drawn uniformly."""
        return self._text(rng.choice(_sequences(self.lengths, self.halvings, self.doublings)))

    def enumerate(self) -> Iterator[str]:
        """Yield every arrangement once, the short ones first."""
        yield from map(self._text, _sequences(self.lengths, self.halvings, self.doublings))

    def neighbours(self, architecture: str) -> list[str]:
        """Return the arrangements that differ in one module, or have one more or less."""
        own = self.modules_of(architecture)
        changed = [own[:place] + kind + own[place + 1 :] for place in range(len(own)) for kind in KINDS]
        shorter = [own[:place] + own[place + 1 :] for place in range(len(own))]
        longer = [own[:place] + kind + own[place:] for place in range(len(own) + 1) for kind in KINDS]
        found = dict.fromkeys(
            modules for modules in changed + shorter + longer if self._is_inside(modules) and modules != own
        )
        return [self._text(modules) for modules in found]

    def crossover(self, first: str, second: str, rng: Random) -> str:
        """Return the beginning of one parent and the end of the other; the first parent if none is in the space."""
        left, right = self.modules_of(first), self.modules_of(second)
        children = [left[:cut] + right[cut:] for cut in range(1, min(len(left), len(right)))]
        return self._text(rng.choice([child for child in children if self._is_inside(child)] or [left]))

    def _is_inside(self, modules: str) -> bool:
        return _fits(modules, self.lengths, self.halvings, self.doublings)

    def _text(self, modules: str) -> str:
        return f"{self.before}{modules}{self.after}"


@cache
def _sequences(lengths: range, halvings: range, doublings: range) -> tuple[str, ...]:
    return tuple(
        modules
        for length in lengths
        for modules in map("".join, product(KINDS, repeat=length))
        if _fits(modules, lengths, halvings, doublings)
    )


def _fits(modules: str, lengths: range, halvings: range, doublings: range) -> bool:
    halving, doubling = (sum(kind in kinds for kind in modules) for kinds in (HALVING, DOUBLING))
    return len(modules) in lengths and halving in halvings and doubling in doublings


def _shown(numbers: range) -> str:
    return f"{numbers[0]} to {numbers[-1]}" if len(numbers) > 1 else str(numbers[0])
