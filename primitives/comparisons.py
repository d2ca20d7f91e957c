"""Comparisons, as EZNAS has them: 1 where they hold, 0 elsewhere, NaN where an argument is NaN."""

from __future__ import annotations

from typing import Any

from zcproxy.formula import primitive
from zcproxy.primitives.arithmetic import PAIRS

EZNAS = "Akhauri et al., EZNAS, NeurIPS 2022"


@primitive(*PAIRS, formula="1 if x > y else 0", reference=EZNAS)
def greater(x: Any, y: Any) -> Any:
    return (x > y) + 0.0 * (x + y)


@primitive(*PAIRS, formula="1 if x < y else 0", reference=EZNAS)
def less(x: Any, y: Any) -> Any:
    return (x < y) + 0.0 * (x + y)
