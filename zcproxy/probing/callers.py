"""The module of a network that is running."""

from __future__ import annotations

import sys

from torch import nn


def calling_module(model: nn.Module) -> str:
    """Return the path of the innermost module whose method is running; the model's class where that is the model."""
    names = {id(module): name for name, module in model.named_modules()}
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        name = names.get(id(frame.f_locals.get("self")))
        if name is not None:
            return name or type(model).__name__
    return type(model).__name__
