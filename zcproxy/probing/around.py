"""A module around another one, which it calls in another way."""

from __future__ import annotations

from typing import Any

from torch import nn


class Around(nn.Module):
    """A module that calls another one, its submodule `model`, and has the block ends of that.

    Args:
        model: the other.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    @property
    def block_ends(self) -> Any:
        """What the other model names as the ends of its blocks, as paths of this one."""
        named: object = getattr(self.model, "block_ends", ())
        if isinstance(named, tuple | list) and all(isinstance(name, str) and name for name in named):
            return tuple(f"model.{name}" for name in named)
        return named
