"""Samples that are spread evenly over the cost of networks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum

from zcproxy.errors import check_known


class Sampling(StrEnum):
    """Ways to draw networks from a population."""

    UNIFORM = "uniform"
    STRATIFIED = "stratified"


POOL = 4
"""A stratified sample is taken from a uniform one that is larger by this factor."""

STRATA = 10


def check_sampling(sampling: str) -> None:
    """Raise `ConfigurationError` if there is no such way to draw networks."""
    check_known("sampling", sampling, Sampling)


def stratified(pool: Sequence[str], costs: Sequence[float], count: int) -> list[str]:
    """Return `count` architectures of a pool, numbers as equal as possible from each of ten ranges of ln(cost).

    Args:
        pool: architectures in random order.
        costs: cost of each architecture, for example multiply-adds.
        count: how many.
    """
    sizes = [math.log(max(cost, 1.0)) for cost in costs]
    low, high = min(sizes), max(sizes)
    strata: list[list[str]] = [[] for _ in range(STRATA)]
    for architecture, size in zip(pool, sizes, strict=True):
        share = (size - low) / (high - low) if high > low else 0.0
        strata[min(int(share * STRATA), STRATA - 1)].append(architecture)
    found: list[str] = []
    for turn in range(max(map(len, strata))):
        found += [stratum[turn] for stratum in strata if turn < len(stratum)]
    return found[:count]
