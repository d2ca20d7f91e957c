"""A statistic under a probe, as formulas write it: `grad(weight)@noise`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Statistic:
    """What a leaf of a formula names.

    Attributes:
        name: of a tensor of layers or blocks, or of a descriptor.
        is_gradient: whether the gradient by that tensor is meant.
        probe: name of the probe; empty for what depends on none.
    """

    name: str
    is_gradient: bool = False
    probe: str = ""


def statistic_of(text: str) -> Statistic:
    """Return the statistic that a text names; the probe may be left out."""
    written, _, probe = text.partition("@")
    name = written.removeprefix("grad(")
    return Statistic(name.removesuffix(")"), True, probe) if name != written else Statistic(name, False, probe)
