"""Derivatives that probes record: of a scalar by tensors of layers or blocks, of the logits by single weights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch._C import DisableTorchFunction
from torch.autograd.graph import GradientEdge

from zcproxy.probing.layer_call import LayerCall
from zcproxy.probing.losses import check_logits
from zcproxy.probing.recorder import reported
from zcproxy.random import derive_seed

BLOCK_JACOBIAN = "block_jacobian"
INFORMATION = "information"
MOTION = "motion"
MOVED_LOGITS = 10
"""Most logits whose motion is followed: as many as the code of Dextr draws."""

EVENNESS = 0.05
"""Share of even probabilities that `information` mixes into those of the network: as in the code of VKDNW."""


def gradients_of(
    loss: Tensor, calls: Sequence[LayerCall], wanted: Iterable[str], *, keep_graph: bool = False
) -> list[dict[str, Tensor]]:
    """Return, for each layer call, the gradient of `loss` by each wanted tensor: zeros where the loss ignores it.

    Their axes are in the order that formulas read. The gradient by a block is NaN for layers that end none; what stands
    for a block has no other.

    Nothing is accumulated into the `.grad` of any parameter.

    Args:
        loss: a scalar with a graph.
        calls: the layer calls of the pass.
        wanted: `weight`, or names that `LayerCall.slot` knows.
        keep_graph: whether another backward pass through the same forward pass follows.

    Raises:
        ModelError: the backward pass raises.
    """
    places: list[tuple[int, str, Tensor]] = []
    sources: list[Any] = []
    for index, call in enumerate(calls):
        for name in wanted:
            if call.is_block and name != "block":
                continue
            if name == "weight":
                places.append((index, name, call.weight))
                sources.append(call.weight if call.weight.requires_grad else None)
            else:
                slot = call.slot(name)
                places.append((index, name, slot.value))
                sources.append(slot.edge)
    present = [source for source in sources if source is not None]
    with reported("the backward pass of the model failed"):
        found = iter(
            torch.autograd.grad(loss, present, allow_unused=True, retain_graph=keep_graph)
            if present and loss.requires_grad
            else ()
        )
    result: list[dict[str, Tensor]] = [{} for _ in calls]
    with DisableTorchFunction():  # modes are for what the model calls
        for (index, name, value), source in zip(places, sources, strict=True):
            gradient = next(found, None) if source is not None else None
            call = calls[index]
            if gradient is None:
                is_missing = name == "block" and name not in call.slots
                gradient = value if is_missing else torch.zeros_like(value).detach()
            is_weight = name == "weight"
            result[index][name] = call.weight_statistic(gradient) if is_weight else call.statistic(name, gradient)
    return result


def reached_by(loss: Tensor, edges: Sequence[GradientEdge | None]) -> list[bool]:
    """Return for each place in the graph whether the gradient of the loss is not zero there; False for none.

    Raises:
        ModelError: the backward pass raises.
    """
    present: list[Any] = [edge for edge in edges if edge is not None]
    gradients: Sequence[Tensor | None] = [None] * len(present)
    if present and loss.requires_grad:
        with reported("the backward pass of the model failed"):
            gradients = torch.autograd.grad(loss, present, allow_unused=True)
    found = iter(gradients)
    with DisableTorchFunction():  # modes are for what the model calls
        of_edges = [None if edge is None else next(found) for edge in edges]
        return [gradient is not None and bool(gradient.any()) for gradient in of_edges]


def stacked_gradients(
    losses: Iterable[Tensor], calls: Sequence[LayerCall], wanted: Iterable[str]
) -> list[dict[str, Tensor]]:
    """Return what `gradients_of` does, with the losses along a new first axis."""
    names = list(wanted)
    found = [gradients_of(loss, calls, names, keep_graph=True) for loss in losses]
    return [
        {name: torch.stack([each[index][name] for each in found]) for name in found[0][index]}
        for index in range(len(calls))
    ]


def block_jacobians(blocks: Sequence[LayerCall], seed: int) -> list[Tensor]:
    """Return an estimate of the Jacobian of each block, from the end of the block before it.

    Random signs as the gradient of the output give a gradient of the input; the mean over samples and positions of the
    products between the two is the estimate (Lee and Ham, AZ-NAS, CVPR 2024). Where the input has more positions than
    the output, those that belong to one position of the output count as channels.

    Args:
        blocks: the entries of the blocks in the pass.
        seed: seed of the signs.

    Returns:
        For each block, output x input channels: NaN for the first one, where the input's positions are not a multiple
        of the output's, and where the block does not depend on the one before it; zeros where it hands on its input
        (which the authors' code gives the lowest score, too).

    Raises:
        ModelError: the backward pass raises.
    """
    found = [call.weight.new_full((1, 1), torch.nan) for call in blocks]
    for number, (source, target) in enumerate(pairwise(blocks)):
        if "block" in source.slots and "block" in target.slots:
            found[number + 1] = _block_jacobian(source, target, derive_seed("signs", seed, number))
    return found


def _block_jacobian(source: LayerCall, target: LayerCall, seed: int) -> Tensor:
    before, after = source.slots["block"], target.slots["block"]
    signs = _random_signs(target, seed)
    gradient = None
    if before.edge is not None and after.edge is not None:
        with reported("the backward pass of the model failed"):
            (gradient,) = torch.autograd.grad(
                [after.edge], [before.edge], [signs], retain_graph=True, allow_unused=True
            )
    hands_on = gradient is not None and torch.equal(gradient, signs)
    if gradient is None:
        gradient = torch.full_like(before.value, torch.nan)
    signs, gradient = target.channels_first("block", signs), source.channels_first("block", gradient)
    outputs, inputs = _rows(signs), _rows(_folded(gradient, signs.shape[2:]))
    if len(outputs) != len(inputs):
        return signs.new_full((signs.shape[1], gradient.shape[1]), torch.nan)
    jacobian = outputs.T @ inputs / len(outputs)
    return torch.zeros_like(jacobian) if hands_on else jacobian


def _random_signs(target: LayerCall, seed: int) -> Tensor:
    """Return random signs in the shape of a block, the same whichever axis has its samples."""
    value = target.slots["block"].value
    order = torch.arange(value.numel(), device="cpu", dtype=torch.float64).view(value.shape)
    moved = target.samples_first("block", order)
    signs = torch.randint(2, moved.shape, generator=torch.Generator().manual_seed(seed), device="cpu") * 2 - 1
    if moved is not order and not moved.isnan().any():
        placed = torch.empty(value.numel(), device="cpu", dtype=signs.dtype)
        signs = placed.index_put_((moved.flatten().long(),), signs.flatten())
    return signs.view(value.shape).to(value)


def _rows(x: Tensor) -> Tensor:
    """Return samples and positions x channels."""
    return x.movedim(1, -1).flatten(0, -2)


def _folded(x: Tensor, positions: Sequence[int]) -> Tensor:
    """Return samples x more channels x `positions`, if those of `x` are a multiple of them; else `x` itself."""
    if x.dim() - 2 != len(positions) or any(size % wanted for size, wanted in zip(x.shape[2:], positions, strict=True)):
        return x
    for axis, wanted in enumerate(positions, start=2):
        split = x.reshape(*x.shape[:axis], wanted, -1, *x.shape[axis + 1 :])
        x = split.movedim(axis + 1, 2).flatten(1, 2)
    return x


def information(output: Tensor, parameters: Sequence[Tensor]) -> Tensor:
    """Return the Fisher information of the first elements of parameters, from the class probabilities.

    The classes are those that the network predicts, not the targets. In evaluation mode the logits of an untrained
    network are large and nearly all probability is on one class, which tells nothing: the probabilities are therefore
    mixed with even ones, as in the code of Tybl and Neumann (VKDNW, CVPR 2025).

    Args:
        output: logits, samples x classes.
        parameters: of which the first element is varied, each by itself; those that the output ignores have zeros.

    Returns:
        Parameters x parameters: the mean over samples of J^T (diag(p) - p p^T) J, where J is the Jacobian of the logits
        and p are the mixed probabilities.

    Raises:
        ModelError: the output is not samples x classes, or a backward pass raises.
    """
    check_logits(output, "class probabilities need")
    direction = torch.zeros_like(output).requires_grad_()  # its gradient is the Jacobian: products with it are linear
    probabilities = (1.0 - EVENNESS) * output.detach().softmax(dim=1) + EVENNESS / output.shape[1]
    rows = []
    with reported("the backward pass of the model failed"):
        for gradient in torch.autograd.grad(output, parameters, direction, create_graph=True, materialize_grads=True):
            slope = torch.zeros_like(probabilities)
            if gradient.requires_grad:
                (slope,) = torch.autograd.grad(
                    gradient.flatten()[0], direction, retain_graph=True, materialize_grads=True
                )
            rows.append(probabilities.sqrt() * (slope - (probabilities * slope).sum(dim=1, keepdim=True)))
    responses = torch.stack(rows).flatten(1)
    return responses @ responses.T / len(output)


def motion(output: Tensor, point: Tensor, velocity: Tensor) -> Tensor:
    """Return the Gram matrix of the logits' velocity and acceleration, as the input goes around a unit circle.

    Args:
        output: logits at the point, 1 x classes, with a graph that leads to the point; the first ten are followed.
        point: 1 x ...; the acceleration of the input is minus the point.
        velocity: of the input there, 1 x ...

    Raises:
        ModelError: a backward pass raises.
    """
    moved = []
    with reported("the backward pass of the model failed"):
        for logit in output.flatten()[:MOVED_LOGITS]:
            (slope,) = torch.autograd.grad(logit, [point], create_graph=True, materialize_grads=True)
            speed, bend = (slope * velocity).sum(), torch.zeros_like(velocity)
            if speed.requires_grad:
                (bend,) = torch.autograd.grad(speed, [point], retain_graph=True, materialize_grads=True)
            moved.append(torch.stack([speed, (bend * velocity).sum() - (slope * point).sum()]).detach())
    pairs = torch.stack(moved, dim=1)
    return pairs @ pairs.T
