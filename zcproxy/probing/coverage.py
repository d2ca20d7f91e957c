"""Coverage of a network by its layers, and what scores leave out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import torch
from torch import Tensor, nn

from zcproxy.probing.layer_call import ATTENTION, LayerCall
from zcproxy.probing.recorder import reported
from zcproxy.probing.samples import SampleAxis


@dataclass(frozen=True)
class Coverage:
    """The part of a network that its layers hold.

    Attributes:
        unseen: parameters of two or more dimensions that the output depends on and no layer or normalisation holds,
            with their sizes.
        unseen_share: their share of the parameters of two or more dimensions that the output depends on.
        mixed: layers some of whose tensors do not tell samples from other things, by the paths of their modules.
        generated: modules that call a convolution or linear map with a weight computed from data, which is not a layer.
        untraced: whether no graph leads from the output to the input though layers are live: paths and cuts are NaN.
    """

    unseen: dict[str, int] = field(default_factory=dict)
    unseen_share: float = 0.0
    mixed: tuple[str, ...] = ()
    generated: tuple[str, ...] = ()
    untraced: bool = False

    def largest(self) -> str:
        """Return the names of the largest unseen parameters, at most three."""
        return first_of(sorted(self.unseen, key=lambda name: (-self.unseen[name], name)))

    @property
    def text(self) -> str:
        """The text that `coverage_from` reads; empty where nothing is left out."""
        return "" if self == Coverage() else json.dumps(asdict(self))


def coverage_from(text: str) -> Coverage:
    """Return the coverage that a text stands for, see `Coverage.text`."""
    if not text:
        return Coverage()
    found = json.loads(text)
    names = {name: tuple(found[name]) for name in ("mixed", "generated")}
    return Coverage(dict(found["unseen"]), float(found["unseen_share"]), **names, untraced=bool(found["untraced"]))


def first_of(names: Sequence[str]) -> str:
    """Return the first three names, and whether there are others."""
    return ", ".join(names[:3]) + (" and others" if len(names) > 3 else "")


def mixed_layers(
    calls: Sequence[LayerCall], live: Sequence[bool], sample_axes: Sequence[Mapping[str, SampleAxis]]
) -> Iterator[str]:
    """Yield the live layers some of whose tensors do not have the samples on one axis."""
    for call, alive, axes in zip(calls, live, sample_axes, strict=True):
        if alive and any(axis.axis < 0 for name, axis in axes.items() if name != ATTENTION):
            yield call.name or call.kind


def unseen_matrices(model: nn.Module, loss: Tensor, used: set[str]) -> tuple[dict[str, int], float]:
    """Return the matrices that the output depends on apart from layers, with their sizes, and their share of all.

    Matrices are parameters of two or more dimensions.

    Args:
        model: the network.
        loss: depends on all of its output; its graph is kept.
        used: names of the parameters that layers and normalisations hold.

    Raises:
        ModelError: the backward pass fails.
    """
    matrices = {name: value for name, value in model.named_parameters() if value.dim() > 1}
    others = {name: value for name, value in matrices.items() if name not in used and value.requires_grad}
    if not others or not loss.requires_grad:
        return {}, 0.0
    with reported("the backward pass of the model failed"):
        gradients = torch.autograd.grad(loss, list(others.values()), allow_unused=True, retain_graph=True)
    found = {
        name: others[name].numel() for name, gradient in zip(others, gradients, strict=True) if gradient is not None
    }
    missing = sum(found.values())
    held = sum(value.numel() for name, value in matrices.items() if name in used)
    return found, missing / max(missing + held, 1)
