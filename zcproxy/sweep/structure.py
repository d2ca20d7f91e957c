"""What a network is made of: its layers, which of them are live, and the paths between input and output.

One small pass (two Gaussian samples) tells. A layer is *live* if a signal reaches it and leaves it for the output: its
input is not identically zero and neither is the gradient at its output. Dead layers (an edge that leads nowhere) are
left out of every column, so that a network scores like the same network with its dead parts removed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node, get_gradient_edge

from zcproxy.errors import ModelError
from zcproxy.sweep.derivatives import gradients_of
from zcproxy.sweep.recorder import LayerCall, Recorder

LAYER_DESCRIPTORS = {
    "params": "parameters of the layer, bias included",
    "macs": "multiply-adds of the layer for one sample; a bias counts one an output",
    "fan_in": "inputs of one output unit: input channels / groups x kernel positions",
    "channels": "output channels",
    "in_channels": "input channels",
    "resolution": "output positions of one channel for one sample",
    "kernel": "kernel positions",
    "groups": "groups of the convolution",
    "relative_depth": "place of the layer among the live ones in order of execution, in [0, 1]",
    "is_normalized": "1 if a normalisation follows the layer, else 0",
    "path_share": "share of all input-output paths that lead through the layer",
}
NETWORK_DESCRIPTORS = {
    "total_params": "parameters of the network, dead layers included",
    "total_macs": "multiply-adds of one sample, dead layers included",
    "depth": "number of live layers",
    "log_paths": "ln of the number of paths from input to output",
    "shortest_path": "fewest weight layers on a path from input to output",
    "longest_path": "most weight layers on a path from input to output",
}


@dataclass(frozen=True)
class Structure:
    """Layers and connectivity of one network.

    Attributes:
        live: for each layer call, in order of execution, whether it is live.
        modules: for each live layer, the path of its module in the network.
        blocks: operations that end a block, each with the index of the layer call before it: see `_blocks`.
        layers: for each layer descriptor, one number a live layer.
        network: for each network descriptor, one number.
    """

    live: list[bool]
    modules: list[str]
    blocks: dict[int, int]
    layers: dict[str, list[float]]
    network: dict[str, float]


@dataclass(frozen=True)
class _Paths:
    log_paths: float
    shortest: float
    longest: float
    shares: list[float]
    shared_by_all: frozenset[int] = frozenset()
    """Operations whose result every path goes through."""


def examine(model: nn.Module, recorder: Recorder, like: Tensor) -> Structure:
    """Return the structure of a network.

    Args:
        model: the network.
        recorder: a recorder that observes it.
        like: an input: samples x ...; only its shape, dtype and device count.

    Raises:
        ModelError: the model has no convolution or linear layer, or yields no tensor.
    """
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn((2, *like.shape[1:]), generator=generator, device="cpu").to(like).requires_grad_()
    output, calls = recorder.run(inputs)
    if not calls:
        raise ModelError("the model has no convolution or linear layer that its forward pass calls")
    weights = torch.rand(output.shape, generator=generator, device="cpu").to(output) + 0.5
    gradients = gradients_of((output * weights).sum(), calls, ("output",))
    live = [
        bool(call.slot("input").value.any() and gradient["output"].any())
        for call, gradient in zip(calls, gradients, strict=True)
    ]
    paths = _paths(output, inputs, calls, recorder.operations)
    rows = [_describe(call) for call in calls]
    for row, share in zip(rows, paths.shares, strict=True):
        row["path_share"] = share
    kept = [row for row, alive in zip(rows, live, strict=True) if alive]
    for index, row in enumerate(kept):
        row["relative_depth"] = index / max(len(kept) - 1, 1)
    return Structure(
        live,
        [call.name for call, alive in zip(calls, live, strict=True) if alive],
        _blocks(calls, live, paths.shared_by_all),
        {name: [row[name] for row in kept] for name in LAYER_DESCRIPTORS},
        {
            "total_params": float(sum(parameter.numel() for parameter in model.parameters())),
            "total_macs": sum(row["macs"] for row in rows),
            "depth": float(len(kept)),
            "log_paths": paths.log_paths,
            "shortest_path": paths.shortest,
            "longest_path": paths.longest,
        },
    )


def _blocks(calls: list[LayerCall], live: list[bool], shared_by_all: frozenset[int]) -> dict[int, int]:
    """Return the operations that end blocks of the network, each with the index of the live layer call before it.

    A block ends at the first result that every path from input to output goes through, after a live layer (and its
    normalisation) and before the next one: a layer with parallel ones ends none. What comes after global pooling is no
    block, nor are the logits.
    """
    places = [index for index, alive in enumerate(live) if alive]
    found = {}
    for place, following in pairwise(places):
        between = range(calls[place].normalized_by, calls[following].operation)
        end = next((operation for operation in between if operation in shared_by_all), None)
        if end is not None and "features" not in calls[place].slots:
            found[end] = place
    return found


def _describe(call: LayerCall) -> dict[str, float]:
    weight, output = call.weight, call.slot("output").value
    is_linear = isinstance(call.module, nn.Linear)
    units = output.shape[-1] if is_linear else output.shape[1]
    outputs = output[0].numel()
    fan_in = weight[0].numel()
    bias = call.module.bias
    return {
        "params": float(weight.numel() + (0 if bias is None else bias.numel())),  # type: ignore[operator]
        "macs": float(outputs * fan_in + (0 if bias is None else outputs)),
        "fan_in": float(fan_in),
        "channels": float(units),
        "in_channels": float(weight.shape[1] * _groups(call.module)),
        "resolution": outputs / units,
        "kernel": float(math.prod(weight.shape[2:])),
        "groups": float(_groups(call.module)),
        "is_normalized": float("normalized" in call.slots),
    }


def _groups(module: nn.Module) -> int:
    return module.groups if isinstance(module, (nn.Conv1d, nn.Conv2d)) else 1


def _paths(output: Tensor, inputs: Tensor, calls: list[LayerCall], operations: Sequence[Node | None]) -> _Paths:
    """Count paths of the autograd graph from the output back to the input, and weight layers along them."""
    nothing = _Paths(-math.inf, math.nan, math.nan, [0.0] * len(calls))
    if output.grad_fn is None:
        return nothing
    target = get_gradient_edge(inputs).node
    order = _topological_order(output.grad_fn)
    layer_of = {
        call.slot("output").edge.node: index  # type: ignore[union-attr]
        for index, call in enumerate(calls)
        if call.slot("output").edge is not None
    }
    from_output: dict[object, int] = {output.grad_fn: 1}
    for node in order:
        for child, _ in node.next_functions:
            if child is not None:
                from_output[child] = from_output.get(child, 0) + from_output[node]
    to_input: dict[object, tuple[int, float, float]] = {target: (1, 0.0, 0.0)}
    for node in reversed(order):
        below = [to_input[child] for child, _ in node.next_functions if child in to_input]
        if below:
            own = float(node in layer_of)
            count = sum(item[0] for item in below)
            to_input[node] = (count, own + min(item[1] for item in below), own + max(item[2] for item in below))
    if output.grad_fn not in to_input:
        return nothing
    total, shortest, longest = to_input[output.grad_fn]
    shares = [0.0] * len(calls)
    for node, index in layer_of.items():
        if node in to_input and node in from_output:
            shares[index] = from_output[node] * to_input[node][0] / total
    shared_by_all = frozenset(
        index
        for index, node in enumerate(operations)
        if node in to_input and node in from_output and from_output[node] * to_input[node][0] == total
    )
    return _Paths(math.log(total), shortest, longest, shares, shared_by_all)


def _topological_order(root: torch.autograd.graph.Node) -> list[torch.autograd.graph.Node]:
    """Return the nodes reachable from `root`, each before those it leads to."""
    order = []
    seen = set()
    stack: list[tuple[torch.autograd.graph.Node, bool]] = [(root, False)]
    while stack:
        node, finished = stack.pop()
        if finished:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((child, False) for child, _ in node.next_functions if child is not None and child not in seen)
    return order[::-1]
