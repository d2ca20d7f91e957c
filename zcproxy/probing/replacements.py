"""Stand-ins for weights and normalisations, in the places where the network calls them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import torch
from torch import Tensor

from zcproxy.probing.double_precision import normalisation_result
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
from zcproxy.probing.probes import SHAKE, Pass
from zcproxy.random import derive_seed


class Draw(StrEnum):
    """Ways to draw what stands in for the weight of a live layer."""

    GAUSSIAN = "from N(0, 1); biases become 0, scales of normalisations 1"
    SHAKEN = "the weight itself plus Gaussian noise of a share of its standard deviation"
    PERMUTED = "the elements of the weight in another order"


def draw_of(run: Pass) -> Draw | None:
    """Return how a pass draws the weights of layers; None where they stay."""
    wanted = {Draw.GAUSSIAN: run.gaussian_weights, Draw.SHAKEN: run.shaken_weights, Draw.PERMUTED: run.permuted_weights}
    return next((draw for draw, is_wanted in wanted.items() if is_wanted), None)


class Replacements:
    """Stand-ins for the weights of layers and for normalisations.

    Args:
        normalised: whether normalisations act; else they pass their input on.
        running_statistics: whether normalisations use the statistics that they keep, rather than those of the batch.
        draw: how weights are drawn; None leaves them as they are.
        places: for each layer call the place of its weight among the live ones, None for a dead layer, whose weight
            stays.
        seed: index of the weights that are drawn.
        awake: whether weights that are all zero are drawn, to see what else is dead.
        twice: whether the pass is differentiated twice.
    """

    def __init__(
        self,
        *,
        normalised: bool = True,
        running_statistics: bool = False,
        draw: Draw | None = None,
        places: Sequence[int | None] = (),
        seed: int = 0,
        awake: bool = False,
        twice: bool = False,
    ) -> None:
        self._normalised = normalised
        self._statistics = on_kept_statistics if running_statistics else on_batch_statistics
        self._draw = draw
        self._places = places
        self._seed = seed
        self._awake = awake
        self._twice = twice
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
        if self._draw is not None and call < len(self._places):
            place = self._places[call]
        elif self._awake and not operation.weight.any():
            place = call
        if place is None:
            return
        drawn = self._drawn_for(place, operation)
        self._instead[id(operation.weight)] = operation.weight, drawn
        if operation.spread is not None:
            self._instead[id(operation.spread)] = operation.spread, drawn.expand(operation.spread.shape)
        if operation.bias is not None and self._draw is Draw.GAUSSIAN:
            self._instead[id(operation.bias)] = operation.bias, torch.zeros_like(operation.bias)

    def of(self, tensor: Tensor) -> Tensor:
        """Return what stands in for a weight or bias, or itself."""
        found = self._instead.get(id(tensor))
        return tensor if found is None else found[1]

    def bias(self, tensor: Tensor) -> Tensor:
        """Return what stands in for a bias that is added to a layer's result."""
        return torch.zeros_like(tensor) if self._draw is Draw.GAUSSIAN else tensor

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
        if self._draw is Draw.GAUSSIAN:
            fills = {"weight": torch.ones_like, "bias": torch.zeros_like}
            given |= {name: fill(given[name]) for name, fill in fills.items() if given.get(name) is not None}
        return normalisation_result(function, self._statistics(given), twice=self._twice)

    def _drawn_for(self, place: int, operation: Operation) -> Tensor:
        """Return a weight that is drawn by its place alone, so that neither dead layers nor names matter."""
        weight = operation.weight
        if place not in self._drawn or self._drawn[place].shape != weight.shape:
            generator = torch.Generator().manual_seed(derive_seed("redrawn weights", self._seed, place, "weight"))
            values = _values(operation, self._draw or Draw.GAUSSIAN, generator)
            self._drawn[place] = torch.empty_like(weight).copy_(values).requires_grad_()
        return self._drawn[place]

    def _replaced(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            return self.of(value)
        return type(value)(map(self._replaced, value)) if type(value) in (list, tuple) else value


def _values(operation: Operation, draw: Draw, generator: torch.Generator) -> Tensor:
    """Return what is drawn for a weight: equal to that of the same layer with its weight in the usual order."""
    weight, arranged = operation.weight.detach(), arranged_weight(operation)
    order = torch.arange(weight.numel(), device="cpu").view(weight.shape)
    order = order if arranged is None else arranged(order)
    places = order.flatten()
    if draw is Draw.PERMUTED:
        permuted = places[torch.randperm(len(places), generator=generator, device="cpu")]
        values = weight.new_empty(weight.numel())
        values[places.to(weight.device)] = weight.flatten()[permuted.to(weight.device)]
        return values.view(weight.shape)
    noise = torch.empty(weight.numel(), device="cpu", dtype=torch.float32)
    noise[places] = torch.randn(order.shape, generator=generator, device="cpu", dtype=torch.float32).flatten()
    noise = noise.view(weight.shape)
    return noise if draw is Draw.GAUSSIAN else weight + SHAKE * weight.std(correction=0) * noise.to(weight)
