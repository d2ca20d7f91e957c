"""Samples of architectures to train: drawn uniformly, or spread evenly over their cost."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from zcproxy.contracts.sampling import POOL, Sampling, stratified
from zcproxy.contracts.task import SearchSpace
from zcproxy.errors import BenchmarkError
from zcproxy.random import generator

LARGEST_ENUMERATED = 200_000
"""Spaces up to this size are enumerated, so that every different architecture is equally likely."""


def draw_architectures(
    space: SearchSpace, count: int, sampling: str, seed: int, macs: Callable[[str], float]
) -> list[str]:
    """Return different architectures, without their dead parts.

    Args:
        space: where they come from.
        count: how many.
        sampling: `uniform`, or `stratified`: numbers as equal as possible from each of ten ranges of ln(MACs), taken
            from a uniform sample four times as large.
        seed: seed of the draw.
        macs: multiply-adds of an architecture's network.

    Raises:
        BenchmarkError: the space has fewer different architectures.
    """
    rng = generator("architectures", space.name, sampling, seed)
    if sampling == Sampling.UNIFORM:
        return _draw(space, count, count, rng)
    pool = _draw(space, count, POOL * count, rng)
    return stratified(pool, [macs(architecture) for architecture in pool], count)


def _draw(space: SearchSpace, least: int, wanted: int, rng: Random) -> list[str]:
    """Return `wanted` different architectures in random order, or all there are, but not fewer than `least`."""
    if space.size <= LARGEST_ENUMERATED:
        known = sorted({space.prune(architecture) for architecture in space.enumerate()})
        rng.shuffle(known)
        found = known[:wanted]
    else:
        found = list(dict.fromkeys(space.prune(space.sample(rng)) for _ in range(2 * wanted)))[:wanted]
    if len(found) < least:
        raise BenchmarkError(
            f"{least} networks asked for, the space {space.name} has {len(found)} different ones: give fewer `networks`"
        )
    return found
