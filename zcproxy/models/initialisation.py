"""Rules that the weights of untrained networks are drawn by, beside the network's own."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from zcproxy.errors import check_known

OWN = "own"
"""The weights that the network is built with."""

RULES: dict[str, Callable[[Tensor], object]] = {
    OWN: lambda weight: weight,
    "kaiming_normal_fan_in": lambda weight: nn.init.kaiming_normal_(weight, mode="fan_in", nonlinearity="relu"),
    "kaiming_normal_fan_out": lambda weight: nn.init.kaiming_normal_(weight, mode="fan_out", nonlinearity="relu"),
    "normal": nn.init.normal_,
}
"""Functions that fill a layer's weight in place, from torch's random state: `kaiming_normal_` for ReLUs, or N(0, 1)."""

_LAYERS = (nn.modules.conv._ConvNd, nn.Linear)
_NORMALISATIONS = (nn.modules.batchnorm._NormBase, nn.GroupNorm, nn.LayerNorm)


def check_rule(rule: str) -> None:
    """Raise `ConfigurationError` with the nearest names unless there is such a rule."""
    check_known("initialisation rule", rule, RULES)


def initialise(network: nn.Module, rule: str) -> None:
    """Draw the weights of a network again, in place, from torch's random state; `own` leaves them.

    Weights of convolutions and linear layers follow the rule, their biases become 0; scales of normalisations become 1,
    their shifts 0. Parameters of other modules stay as they are.

    Args:
        network: any module, on the CPU.
        rule: one of `RULES`.

    Raises:
        ConfigurationError: there is no such rule.
    """
    check_rule(rule)
    if rule == OWN:
        return
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, _LAYERS):
                RULES[rule](module.weight)
            elif isinstance(module, _NORMALISATIONS) and module.weight is not None:
                nn.init.ones_(module.weight)
            else:
                continue
            if module.bias is not None:
                nn.init.zeros_(module.bias)
