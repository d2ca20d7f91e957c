"""One call of a layer: its weight, and the tensors around it by the names that formulas use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, get_gradient_edge

from zcproxy.probing.axes import Arrangement, ProductAxes
from zcproxy.probing.samples import SampleAxis

ATTENTION, UNNORMALIZED = "attention", "unnormalized"
"""Weights of the attention that a layer reads the result of, and what was normalised before it."""

FALLBACKS = {
    "normalized": "output",
    "activation": "normalized",
    "preactivation": "input",
    "features": "input",
    UNNORMALIZED: "input",
}
"""Fallback where the network has no such operation."""

OF_SOME = ("block", ATTENTION)
"""Statistics that only some layers have: those without have NaN."""


@dataclass
class Slot:
    """One recorded tensor and the place of its gradient in the graph."""

    value: Tensor
    edge: GradientEdge | None


def slot_of(tensor: Tensor) -> Slot:
    """Return a slot for a tensor of a forward pass."""
    has_graph = tensor.requires_grad and torch.is_grad_enabled()  # views of parameters say so without one
    return Slot(tensor.detach(), get_gradient_edge(tensor) if has_graph else None)


@dataclass
class LayerCall:
    """One call of a layer: the weight that it used, and its other tensors by the names formulas use.

    Attributes:
        name: path of the module that holds the weight, empty where it is computed from data.
        weight: the weight that it used.
        bias: what it added, or None.
        kind: `convolution`, `transposed` (convolution), `product` or `recurrent`.
        groups: how many parts of the channels have weights of their own.
        axes: the arrangements of a product, None if channels are the last axis of data and output.
        arranged_weight: turns the weight into output channels x inputs of one output; None if it is so.
        operation: how many operations on data the network had called before the layer's own.
        normalized_by: the same for the normalisation that follows, or `operation` again.
        slots: tensors by name.
        sample_axes: where the slots have the samples; the first axis where nothing is said.
        in_attention: whether it makes queries, keys or values, or reads what attention collected.
        is_block: whether it stands for the block that it is the last call of, with the slot `block` alone.
    """

    name: str
    weight: Tensor
    bias: Tensor | None = None
    kind: str = "product"
    groups: int = 1
    axes: ProductAxes | None = None
    arranged_weight: Callable[[Tensor], Tensor] | None = None
    operation: int = 0
    normalized_by: int = 0
    slots: dict[str, Slot] = field(default_factory=dict)
    sample_axes: Mapping[str, SampleAxis] = field(default_factory=dict)
    in_attention: bool = False
    is_block: bool = False

    @property
    def is_convolution(self) -> bool:
        return self.kind in ("convolution", "transposed")

    def slot(self, name: str) -> Slot:
        """Return a recorded tensor, or the one it falls back to where the network has no such operation.

        A layer that ends no block, or reads no attention, has NaN for it.
        """
        if name in OF_SOME and name not in self.slots:
            return Slot(self.weight.detach().new_full((1, 1, 1, 1), torch.nan), None)
        return self.slots[self._recorded(name)]

    def _recorded(self, name: str) -> str:
        while name not in self.slots:
            name = FALLBACKS[name]
        return name

    def _arrangement(self, recorded: str) -> tuple[Arrangement | None, bool]:
        """Return what moves the channels of a tensor to the last axis, and whether they are then there.

        A tensor with as many numbers on its last axis as the layer's output (or input) has its channels where that has
        them.
        """
        if self.is_convolution or recorded in ("features", ATTENTION):
            return None, False
        from_input = recorded in ("input", "preactivation", UNNORMALIZED)
        like, own = self.slots["input" if from_input else "output"].value, self.slots[recorded].value
        arrangement = None if self.axes is None else self.axes.data if from_input else self.axes.output
        if arrangement is None or arrangement.is_plain:
            return None, own.shape[-1:] == like.shape[-1:]
        return (arrangement, True) if own.shape == like.shape else (None, False)

    def arranged(self, name: str, tensor: Tensor) -> Tensor:
        """Return a recorded tensor or its gradient with the channels of a product on the last axis."""
        arrangement, _ = self._arrangement(self._recorded(name))
        return tensor if arrangement is None else arrangement(tensor)

    def samples_first(self, name: str, tensor: Tensor) -> Tensor:
        """Return a recorded tensor or its gradient as samples x ..., NaN where samples and others are mixed."""
        if name in OF_SOME and name not in self.slots:
            return tensor
        recorded = self._recorded(name)
        moved, axis = self.arranged(recorded, tensor), self.sample_axes.get(recorded)
        if axis is None:
            return moved
        if name == ATTENTION:
            return axis.moved_first(moved, channels_last=True)
        return axis.moved_first(moved, channels_last=self._arrangement(recorded)[1])

    def channels_first(self, name: str, tensor: Tensor) -> Tensor:
        """Return a recorded tensor or its gradient as samples x channels x positions."""
        moved = self.samples_first(name, tensor)
        return moved.movedim(-1, 1) if self._arrangement(self._recorded(name))[1] else moved

    def statistic(self, name: str, tensor: Tensor) -> Tensor:
        """Return a recorded tensor or its gradient as formulas read it.

        That is samples x channels x positions for convolutions; samples x channels or samples x tokens x channels for
        products with a matrix; samples x heads x queries x keys for weights of attention.
        """
        moved = self.samples_first(name, tensor)
        if name == ATTENTION:
            return moved[:, None] if moved.dim() == 3 else moved
        if moved.dim() <= 3 or (name in OF_SOME and name not in self.slots):
            return moved
        return moved.flatten(1, -2) if self._arrangement(self._recorded(name))[1] else moved

    def weight_statistic(self, tensor: Tensor) -> Tensor:
        """Return the weight or its gradient as output channels x inputs of one output."""
        return tensor if self.arranged_weight is None else self.arranged_weight(tensor)
