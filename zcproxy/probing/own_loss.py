"""A loss of the user, with the targets that it compares outputs with, in place of the cross-entropy and its classes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from zcproxy.errors import ModelError
from zcproxy.probing.recorder import reported

LossFunction = Callable[[Tensor, Tensor], Tensor]
"""Takes the output of a network and the targets of its samples, and returns one number."""


@dataclass(frozen=True)
class OwnLoss:
    """A loss, bound to the targets of some samples.

    Attributes:
        function: see `LossFunction`.
        targets: samples x ..., of any kind.
    """

    function: LossFunction
    targets: Tensor

    def __getitem__(self, part: slice) -> OwnLoss:
        """Return the loss of some of the samples."""
        return OwnLoss(self.function, self.targets[part])

    def __call__(self, output: Tensor) -> Tensor:
        """Return the loss of an output. Raises `ModelError` if it raises, or is no number."""
        with reported("the loss failed"):
            found: object = self.function(output, self.targets.to(output.device))
        if not isinstance(found, Tensor) or found.numel() != 1 or not found.is_floating_point():
            what = f"tensor of shape {tuple(found.shape)}" if isinstance(found, Tensor) else type(found).__name__
            raise ModelError(f"the loss returns a {what}, expected a tensor of one number: take the mean over samples")
        if torch.is_grad_enabled() and not found.requires_grad:
            raise ModelError("the loss does not depend on the output by operations that torch can differentiate")
        return found.reshape(())
