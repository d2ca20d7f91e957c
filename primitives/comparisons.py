"""Comparisons: of two numbers, as EZNAS has them (1 or 0, NaN where one is NaN), and of a network with the others."""

from __future__ import annotations

from typing import Any

from zcproxy.formula import Kind, Signature, primitive
from zcproxy.formula.layers import Layers
from zcproxy.primitives.arithmetic import PAIRS

EZNAS = "Akhauri et al., EZNAS, NeurIPS 2022"


@primitive(*PAIRS, formula="1 if x > y else 0", reference=EZNAS)
def greater(x: Any, y: Any) -> Any:
    return (x > y) + 0.0 * (x + y)


@primitive(*PAIRS, formula="1 if x < y else 0", reference=EZNAS)
def less(x: Any, y: Any) -> Any:
    return (x < y) + 0.0 * (x + y)


@primitive(
    Signature((Kind.NETWORK,), Kind.NETWORK),
    formula="rank among the networks that are compared, as a share: 1 for the highest",
    domain="finite",
    reference="Lee and Ham, AZ-NAS, CVPR 2024",
    relative=True,
)
def rank(x: Any, layers: Layers[Any]) -> Any:
    return layers.rank(x)
