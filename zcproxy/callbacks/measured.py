"""What is logged of an epoch: the same numbers under the same names wherever they go."""

from __future__ import annotations

import math

from zcproxy.discovery.watching import Epoch


def measured(epoch: Epoch) -> dict[str, float]:
    """Return the numbers of an epoch by name, without those that are not defined."""
    found = {
        "tau/training": epoch.training_tau,
        "tau/validation": epoch.validation_tau,
        "formula/nodes": float(epoch.size),
        "time/seconds": epoch.seconds,
        "time/formulas_per_second": epoch.formulas_per_second,
    }
    return {name: value for name, value in found.items() if math.isfinite(value)}


def configured(epoch: Epoch) -> dict[str, str]:
    """Return the settings of a fit as texts."""
    return {
        name: ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        for name, value in epoch.settings.items()
    }
