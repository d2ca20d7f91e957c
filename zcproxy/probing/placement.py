"""Where an operation of a formula runs: on the device of the network, or on the CPU, where it is quicker or possible.

Tensors of layers stay on the device, and so does what turns them into something small: a matrix between samples or
channels, a spectrum, a number. What is computed of that alone runs on the CPU, which has solved a small eigenvalue
problem before a device has started it; the results of all layers are fetched at once. A single problem of linear
algebra that arises among large tensors is solved on the CPU too; many of them in one call are the device's.

`mps` has no double precision and lacks part of linear algebra, and its memory is the CPU's: every formula runs there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from zcproxy.formula import Kind, Node

LARGE = frozenset((Kind.WEIGHTS, Kind.WEIGHT_SAMPLES, Kind.ACTIVATIONS, Kind.PATTERNS))
"""Kinds whose values stay on a device."""

ONLY_PASSES = frozenset(("mps",))
"""Types of devices that run the passes of a network alone."""

WITHOUT_DOUBLE = frozenset(("mps",))
"""Types of devices that have no float64."""

FETCHED_TOGETHER = 1 << 20
"""Elements up to which a tensor is fetched together with others: a large one would be copied twice."""

SOLVERS = frozenset(
    getattr(torch.linalg, name)
    for name in ("cholesky", "det", "eigh", "eigvals", "eigvalsh", "inv", "pinv", "qr", "slogdet", "svd", "svdvals")
) | {torch.det, torch.logdet, torch.slogdet, torch.svd, torch.pinverse, torch.inverse}
"""Functions that solve problems of linear algebra."""


def device_of(places: Sequence[dict[str, Tensor]]) -> torch.device:
    """Return where the tensors of layers or blocks are."""
    return next((tensor.device for tensors in places for tensor in tensors.values()), torch.device("cpu"))


def runs_on(device: torch.device, node: Node) -> bool:
    """Return whether a device computes a node; what was recorded is there."""
    if node.is_leaf:
        return True
    return device.type not in ONLY_PASSES and any(argument.kind in LARGE for argument in node.arguments)


def handed_over(device: torch.device, nodes: Iterable[Node]) -> Iterator[Node]:
    """Yield the last nodes that a device computes on the way to others, each of which the CPU goes on from."""
    for node in nodes:
        if not runs_on(device, node):
            yield from handed_over(device, node.arguments)
        elif node.kind not in LARGE or device.type in ONLY_PASSES:
            yield node


def gathered(device: torch.device, node: Node, arguments: Sequence[Tensor]) -> list[Tensor]:
    """Return the arguments of a node where it is computed; themselves where they are there."""
    place = device if runs_on(device, node) else torch.device("cpu")
    return [argument.to(place) for argument in arguments]


def fetched(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return tensors on the CPU, the smaller ones of a dtype in one transfer: each transfer waits for the device."""
    found = {index: tensor.cpu() for index, tensor in enumerate(tensors) if tensor.numel() > FETCHED_TOGETHER}
    by_dtype: dict[torch.dtype, list[int]] = {}
    for index, tensor in enumerate(tensors):
        if index not in found:
            by_dtype.setdefault(tensor.dtype, []).append(index)
    for indices in by_dtype.values():
        together = torch.cat([tensors[index].reshape(-1) for index in indices]).cpu()
        parts = torch.split(together, [tensors[index].numel() for index in indices])
        found.update((index, part.view(tensors[index].shape)) for index, part in zip(indices, parts, strict=True))
    return [found[index] for index in range(len(tensors))]


class SmallProblems(TorchFunctionMode):
    """Solves a single problem of linear algebra on the CPU, and puts the solution where the problem was."""

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = kwargs or {}
        if function not in SOLVERS or not args or not isinstance(args[0], Tensor) or args[0].dim() != 2:
            return function(*args, **given)
        place = args[0].device
        result = function(args[0].cpu(), *args[1:], **given)
        return result.to(place) if isinstance(result, Tensor) else type(result)(each.to(place) for each in result)
