"""The device that networks are computed on."""

from __future__ import annotations

import torch

from zcproxy.errors import ConfigurationError


def check_device(name: str) -> None:
    """Raise `ConfigurationError` unless torch can compute on the device."""
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigurationError(f"the device '{name}' is not there ({reason}): use --device cpu") from error
