"""Stand-ins for weights and normalisations, in the places where the network calls them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from zcproxy.probing.operations import (
    NORMALISATIONS,
    Arguments,
    Function,
    Operation,
    arranged_weight,
    bound,
    on_batch_statistics,
    on_kept_statistics,
)
from zcproxy.random import derive_seed


class Replacements:
    """Stand-ins for the weights of layers and for normalisations.

    Args:
        normalised: whether normalisations act; else they pass their input on.
        running_statistics: whether normalisations use the statistics that they keep, rather than those of the batch.
        places: for each layer call the place of its weight among the live ones, None for a dead layer: weights are
            drawn from N(0, 1), biases become 0, scales of normalisations 1. None leaves weights as they are.
        seed: index of the Gaussian weights.
        awake: whether weights that are all zero are drawn, to see what else is dead.
    """

    def __init__(
        self,
        *,
        normalised: bool = True,
        running_statistics: bool = False,
        places: Sequence[int | None] | None = None,
        seed: int = 0,
        awake: bool = False,
    ) -> None:
        self._normalised = normalised
        self._statistics = on_kept_statistics if running_statistics else on_batch_statistics
        self._places = places
        self._seed = seed
        self._awake = awake
        self._drawn: dict[int, Tensor] = {}
        self._instead: dict[int, tuple[Tensor, Tensor]] = {}

    def begin(self) -> None:
        """Forget which tensors of the pass before were replaced."""
        self._instead.clear()

    def replace(self, call: int, operation: Operation) -> None:
        """Choose what stands in for the weight of a layer and its bias.

        Args:
            call: how many layer calls came before.
            operation: what the network asks for.
        """
        place = None
        if self._places is not None and call < len(self._places):
            place = self._places[call]
        elif self._awake and not operation.weight.any():
            place = call
        if place is None:
            return
        drawn = self._gaussian(place, operation)
        self._instead[id(operation.weight)] = operation.weight, drawn
        if operation.spread is not None:
            self._instead[id(operation.spread)] = operation.spread, drawn.expand(operation.spread.shape)
        if operation.bias is not None and self._places is not None:
            self._instead[id(operation.bias)] = operation.bias, torch.zeros_like(operation.bias)

    def of(self, tensor: Tensor) -> Tensor:
        """Return what stands in for a weight or bias, or itself."""
        found = self._instead.get(id(tensor))
        return tensor if found is None else found[1]

    def bias(self, tensor: Tensor) -> Tensor:
        """Return what stands in for a bias that is added to a layer's result."""
        return tensor if self._places is None else torch.zeros_like(tensor)

    def arguments(self, args: tuple[Any, ...], kwargs: Arguments) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments of a call with what stands in for them."""
        if not self._instead:
            return args, dict(kwargs)
        return self._replaced(args), {name: self._replaced(value) for name, value in kwargs.items()}

    def normalised(self, function: Function, args: Sequence[Any], kwargs: Arguments) -> Tensor:
        """Return what a normalisation yields in this pass: memory of its own, that may be overwritten."""
        given = bound(NORMALISATIONS[function], args, kwargs)
        if not self._normalised:
            return given["input"].clone()
        if self._places is not None:
            fills = {"weight": torch.ones_like, "bias": torch.zeros_like}
            given |= {name: fill(given[name]) for name, fill in fills.items() if given.get(name) is not None}
        result: Tensor = function(**self._statistics(given))
        return result

    def _gaussian(self, place: int, operation: Operation) -> Tensor:
        """Return a weight that depends on its place alone, so that neither dead layers nor names matter."""
        weight, arranged = operation.weight, arranged_weight(operation)
        if place not in self._drawn or self._drawn[place].shape != weight.shape:
            generator = torch.Generator().manual_seed(derive_seed("redrawn weights", self._seed, place, "weight"))
            if arranged is None:
                values = torch.randn(weight.shape, generator=generator, device="cpu", dtype=torch.float32)
            else:  # equal to that of the same layer with its weight in the usual order
                order = arranged(torch.arange(weight.numel()).view(weight.shape))
                values = torch.empty(weight.numel(), device="cpu", dtype=torch.float32)
                values[order.flatten()] = torch.randn(
                    order.shape, generator=generator, device="cpu", dtype=torch.float32
                ).flatten()
                values = values.view(weight.shape)
            self._drawn[place] = torch.empty_like(weight).copy_(values).requires_grad_()
        return self._drawn[place]

    def _replaced(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            return self.of(value)
        return type(value)(map(self._replaced, value)) if type(value) in (list, tuple) else value
