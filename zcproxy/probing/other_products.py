"""Multiply-adds of the products in a pass that are not layers: attention, products of parameters."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from zcproxy.models.macs import MacCounter
from zcproxy.probing.operations import POOLINGS, PRODUCTS, SUMS, Function
from zcproxy.probing.origins import DATA, Origin

_WITHOUT_PRODUCTS = POOLINGS | SUMS | PRODUCTS
"""Frequent functions that are not looked into, which takes time."""


@dataclass(frozen=True)
class OtherProducts:
    """Counts the operations of a pass that are not layers.

    Attributes:
        of_data: counts what is done for each sample.
        of_parameters: counts what is done once.
    """

    of_data: MacCounter = field(default_factory=MacCounter)
    of_parameters: MacCounter = field(default_factory=MacCounter)

    def counting(self, function: Function, origin: Origin) -> AbstractContextManager[object]:
        """Return a context to call a function in, given where its arguments come from."""
        if function in _WITHOUT_PRODUCTS:
            return nullcontext()
        return self.of_data if origin is DATA else self.of_parameters

    def macs(self, samples: int) -> float:
        """Return the multiply-adds for one sample of a pass with as many."""
        return self.of_data.macs / samples + self.of_parameters.macs
