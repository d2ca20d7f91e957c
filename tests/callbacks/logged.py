"""Epochs that callbacks are given."""

from __future__ import annotations

import math

from zcproxy.discovery.watching import Epoch


def epochs(count: int = 3) -> list[Epoch]:
    """Return epochs of a fit; the last one has no validation."""
    settings = {"generations": 10, "probes": ("noise", "ones"), "key": "a|b"}
    return [
        Epoch(
            number,
            f"split {number} of {count}",
            10,
            f"sum(log(params)) * {number}",
            6,
            0.5 + 0.01 * number,
            math.nan if number == count else 0.25,
            2.0 * number,
            1000.0,
            settings,
        )
        for number in range(1, count + 1)
    ]
