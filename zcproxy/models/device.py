"""The device that networks are computed on."""

from __future__ import annotations

import re

import torch

from zcproxy.errors import ConfigurationError, nearest_names

_FORMS = r"cpu|mps|cuda(:[0-9]{1,3})?"


def check_device(name: str) -> None:
    """Raise `ConfigurationError` unless the device is `cpu`, `cuda`, `cuda:N` or `mps`, and torch can compute on it."""
    if re.fullmatch(_FORMS, name) is None:
        hint = nearest_names({"gpu": "cuda"}.get(name.lower(), name.lower()[:80]), ("cpu", "cuda", "cuda:0", "mps"))
        raise ConfigurationError(f"unknown device {name[:80]!r}{hint}: write cpu, cuda, cuda:N or mps")
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigurationError(f"the device '{name}' is not available ({reason:.200}): use device=cpu") from error
