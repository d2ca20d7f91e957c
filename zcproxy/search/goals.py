"""Goals of a search: quantities to make large or small, and bounds on any of them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zcproxy.errors import ConfigurationError

PROXY = "proxy"
ACCURACIES = (ACCURACY, VALIDATION_ACCURACY, EARLY_ACCURACY, TRAINED_ACCURACY) = (
    "accuracy",
    "validation_accuracy",
    "validation_accuracy_12",
    "trained_accuracy",
)
MAXIMIZED = (PROXY, *ACCURACIES)
"""Quantities of which more is better; of all others less is."""

OF_COMBINED = f"{PROXY}:"
"""The beginning of the names of scores that `robot` combines."""

_NUMBER = r"([-+]?[0-9]{1,20}(?:\.[0-9]{1,20})?(?:[eE][-+]?[0-9]{1,2})?)([kKMG]?)"
_FACTORS = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9}


@dataclass(frozen=True)
class Limit:
    """A bound: the least of a quantity of which more is better, the most of any other.

    Attributes:
        name: name of the quantity.
        bound: in the unit of the quantity.
    """

    name: str
    bound: float

    @property
    def is_least(self) -> bool:
        """Whether the bound is the least that is admitted, not the most."""
        return self.name in MAXIMIZED

    @property
    def text(self) -> str:
        """The bound in words: `macs at most 3e+08`."""
        return f"{self.name} at {'least' if self.is_least else 'most'} {self.bound:g}"

    def excess(self, value: float) -> float:
        """Return by how much a value is outside the bound, as a share of the bound; 0 inside, infinite for NaN."""
        if math.isnan(value):
            return math.inf
        outside = self.bound - value if self.is_least else value - self.bound
        return max(0.0, outside) / (abs(self.bound) or 1.0)


def is_score(name: str) -> bool:
    """Whether a quantity is what a proxy gives."""
    return name == PROXY or name.startswith(OF_COMBINED)


def parse_limit(text: str) -> Limit:
    """Return the bound written `macs=300M` or `latency_ms=20`. Raises `ConfigurationError`."""
    name, _, number = text.partition("=")
    found = re.fullmatch(_NUMBER, number.strip())
    if not name.strip() or found is None:
        raise ConfigurationError(f"cannot read the limit '{text:.80}': write for example macs=300M or latency_ms=20")
    return Limit(name.strip(), float(found[1]) * _FACTORS[found[2]])


@dataclass(frozen=True)
class Candidate:
    """The costs and violation of an architecture, as algorithms see it.

    Attributes:
        architecture: its canonical text.
        costs: a number for each objective, less is better.
        violation: how far it is outside the bounds; 0 within, infinite where a quantity is undefined.
        values: its quantities, in the order of `Goals.quantities`.
    """

    architecture: str
    costs: tuple[float, ...]
    violation: float
    values: tuple[float, ...]

    @property
    def key(self) -> tuple[float, ...]:
        """Sorts outcomes of one objective, the best first: what is outside the bounds comes last."""
        return (self.violation, *self.costs)


@dataclass(frozen=True)
class Goals:
    """Objectives and bounds of a search.

    Attributes:
        maximized: names of the quantities to make large.
        minimized: names of the quantities to make small.
        limits: bounds.
    """

    maximized: tuple[str, ...]
    minimized: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()

    def __post_init__(self) -> None:
        if not self.objectives:
            raise ConfigurationError("nothing to search for: give `formula`, `maximized` or `minimized`")
        repeated = next((name for name in self.objectives if self.objectives.count(name) > 1), None)
        if repeated is not None:
            raise ConfigurationError(f"the objective '{repeated}' is named twice")
        wrong = next((name for name in self.minimized if name in MAXIMIZED), None)
        if wrong is not None:
            raise ConfigurationError(f"of '{wrong}' more is better: write maximized={wrong}")
        wrong = next((name for name in self.maximized if name not in MAXIMIZED), None)
        if wrong is not None:
            raise ConfigurationError(f"of '{wrong}' less is better: write minimized={wrong}")

    @property
    def objectives(self) -> tuple[str, ...]:
        """Names of all objectives."""
        return self.maximized + self.minimized

    @property
    def quantities(self) -> tuple[str, ...]:
        """Names of all that has to be known of an architecture."""
        return tuple(dict.fromkeys([*self.objectives, *(limit.name for limit in self.limits)]))

    def outcome(self, architecture: str, values: Mapping[str, float]) -> Candidate:
        """Return how an architecture does.

        Args:
            architecture: its text.
            values: by the name of the quantity; NaN where one is undefined.
        """
        costs = tuple(-values[name] if name in self.maximized else values[name] for name in self.objectives)
        undefined = any(not math.isfinite(cost) for cost in costs)
        violation = math.inf if undefined else sum(limit.excess(values[limit.name]) for limit in self.limits)
        return Candidate(architecture, costs, violation, tuple(values[name] for name in self.quantities))

    def outcomes(self, architectures: Sequence[str], values: Mapping[str, NDArray[np.float64]]) -> list[Candidate]:
        """Return how architectures do; `values` has one number per architecture for each quantity."""
        return [
            self.outcome(architecture, {name: float(values[name][index]) for name in self.quantities})
            for index, architecture in enumerate(architectures)
        ]
