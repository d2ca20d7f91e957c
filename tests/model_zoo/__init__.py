"""Small models, each with a feature that real ones have, and pairs of models that are the same function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Case:
    """A model and what an independent computation has to know of it.

    Attributes:
        make: builds it; its weights come from torch's random state.
        shape: of one sample.
        uses: how many layers a parameter is the weight of, where that is not one; 0 for what is not a layer's weight.
        gates: parameters that are zero at first and measured as ones.
        is_counted: whether torch counts all its operations.
    """

    make: Callable[[], nn.Module]
    shape: tuple[int, ...]
    uses: Mapping[str, int] = field(default_factory=dict)
    gates: tuple[str, ...] = ()
    is_counted: bool = True

    def build(self) -> nn.Module:
        """Return the model, always with the same weights; biases and scales that are 0 or 1 at first are not."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(3)
            model = self.make()
        generator = torch.Generator().manual_seed(4)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if parameter.dim() == 1 and name not in self.gates:
                    parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
        return model

    def batch(self, samples: int = 6) -> tuple[Tensor, Tensor]:
        """Return inputs and classes."""
        inputs = torch.randn(samples, *self.shape, generator=torch.Generator().manual_seed(5))
        return inputs, torch.arange(samples) % 3
