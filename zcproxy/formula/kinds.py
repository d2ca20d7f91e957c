"""The kinds of the formula language, by the shape of a value, and signatures of what takes and yields them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from itertools import product


class Kind(Enum):
    """The shape of a value. The order of the members carries no meaning.

    Attributes:
        is_number: whether values of this kind are numbers: one per layer, stage or network, not a tensor.
    """

    is_number: bool

    WEIGHTS = "Weights"
    """out x in x kernel positions (or out x in): a weight, its gradient, a Jacobian."""

    WEIGHT_SAMPLES = "WeightSamples"
    """sub-batches x a weight's shape: the weight gradients of several sub-batches."""

    ACTIVATIONS = "Activations"
    """samples x channels x positions (or samples x channels): inputs, outputs, their gradients."""

    SAMPLE_MATRIX = "SampleMatrix"
    """samples x samples, one per layer: Gram, correlation or Hamming kernel between samples."""

    CHANNEL_MATRIX = "ChannelMatrix"
    """channels x channels, one per layer."""

    NETWORK_MATRIX = "NetworkMatrix"
    """Square, one per network: samples x samples, added up over layers, or layers x layers."""

    PATTERNS = "Patterns"
    """patterns x samples, 1 or 0: the distinct sign patterns of a layer's units over the samples."""

    SPECTRUM = "Spectrum"
    """k eigenvalues or singular values, in descending order, one spectrum per layer."""

    LAYER = "Layer"
    """One number per layer."""

    STAGE = "Stage"
    """One number per stage: a run of layers of equal resolution, before global pooling."""

    NETWORK = "Network"
    """One number per network; a constant is one too."""

    RANKING = "Ranking"
    """One number per network that hangs on the other networks it is compared with: the root of a set of formulas."""

    def __init__(self, name: str) -> None:
        self.is_number = name in ("Layer", "Stage", "Network")

    __hash__ = object.__hash__  # the members are singletons, and the inherited hash is written in Python

    @property
    def is_network_level(self) -> bool:
        """Whether there is one value of this kind per network, not one per layer."""
        return self in (Kind.NETWORK_MATRIX, Kind.NETWORK)


@dataclass(frozen=True)
class Signature:
    """The kinds a primitive takes and the kind it yields."""

    arguments: tuple[Kind, ...]
    result: Kind

    def __str__(self) -> str:
        return f"({', '.join(kind.value for kind in self.arguments)}) -> {self.result.value}"


def signatures(arguments: Iterable[Kind | Iterable[Kind]], result: Kind | None = None) -> list[Signature]:
    """Return the product of the given argument kinds; without `result` a signature yields its first argument's kind."""
    choices = [[item] if isinstance(item, Kind) else list(item) for item in arguments]
    return [Signature(kinds, result or kinds[0]) for kinds in product(*choices)]
