"""What spaces share whose architectures are lists of blocks of any length."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

BlockT = TypeVar("BlockT")


def crossed(own: Sequence[BlockT], other: Sequence[BlockT], rng: Random) -> tuple[BlockT, ...]:
    """Return as many blocks as `own` has, each from either list where both have one at its place."""
    return tuple(rng.choice((block, other[place])) if place < len(other) else block for place, block in enumerate(own))
