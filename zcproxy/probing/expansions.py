"""Functions of torch that hide layers, taken apart: attention with its projections, recurrent layers and cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from zcproxy.probing.operations import Function, Operation

OnLayer = Callable[[Operation, Tensor], Tensor]
"""Called with a layer's operation and its result; returns the result."""

OnWeights = Callable[[list[Tensor]], list[Tensor]]
"""Returns what stands in for weights."""


def _never(*_: Any) -> bool:
    return False


def transparent(function: Any) -> FunctionType:
    """Return a function of torch that calls what it is made of where a torch-function mode sees it."""
    names = {**function.__globals__, "has_torch_function": _never}
    copied = FunctionType(function.__code__, names, function.__name__, function.__defaults__)
    copied.__kwdefaults__ = function.__kwdefaults__
    return copied


def lstm_cell(
    input: Tensor,
    hx: Sequence[Tensor],
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Return hidden and cell state after one step of `torch.nn.LSTMCell`."""
    gates = F.linear(input, w_ih, b_ih) + F.linear(hx[0], w_hh, b_hh)
    entry, forget, cell, exit = gates.chunk(4, -1)
    state = torch.sigmoid(forget) * hx[1] + torch.sigmoid(entry) * torch.tanh(cell)
    return torch.sigmoid(exit) * torch.tanh(state), state


def gru_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """Return the hidden state after one step of `torch.nn.GRUCell`."""
    reset, update, new = F.linear(input, w_ih, b_ih).chunk(3, -1)
    own_reset, own_update, own_new = F.linear(hx, w_hh, b_hh).chunk(3, -1)
    candidate = torch.tanh(new + torch.sigmoid(reset + own_reset) * own_new)
    return candidate + torch.sigmoid(update + own_update) * (hx - candidate)


def tanh_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """Return the hidden state after one step of `torch.nn.RNNCell`."""
    return torch.tanh(F.linear(input, w_ih, b_ih) + F.linear(hx, w_hh, b_hh))


def relu_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """Return the hidden state after one step of `torch.nn.RNNCell` with a ReLU."""
    return torch.relu(F.linear(input, w_ih, b_ih) + F.linear(hx, w_hh, b_hh))


EXPANSIONS: dict[Function, Function] = {
    F.multi_head_attention_forward: transparent(F.multi_head_attention_forward),
    torch.lstm_cell: lstm_cell,
    torch.gru_cell: gru_cell,
    torch.rnn_tanh_cell: tanh_cell,
    torch.rnn_relu_cell: relu_cell,
}
"""Function -> one that does the same part by part, with the same arguments."""

differentiate = transparent(torch.autograd.grad)
"""`torch.autograd.grad`, seeing to it that what checkpoints compute once more is seen."""

RECURRENT: frozenset[Function] = frozenset({torch.lstm, torch.gru, torch.rnn_tanh, torch.rnn_relu})
"""Functions that run a stack of recurrent layers over a sequence."""


def is_sequence(function: Function, args: Sequence[Any]) -> bool:
    """Whether a recurrent function is given a plain sequence, not a packed one."""
    return function in RECURRENT and len(args) == 9 and isinstance(args[2], list | tuple) and isinstance(args[3], bool)


def run_recurrent(
    function: Function, args: Sequence[Any], replaced: OnWeights, on_layer: OnLayer
) -> tuple[Tensor, ...]:
    """Return what a recurrent function does, layer by layer; each matrix of each direction is a layer.

    Its data is what the layer reads for the matrix from the input, the hidden states for the one between steps; its
    result is the hidden states.
    """
    sequence, states, flat, has_biases, layers, _, train, both, batch_first = args
    several = not isinstance(states, Tensor)
    directions = 2 if both else 1
    size = len(flat) // layers
    ends: list[Sequence[Tensor]] = []
    for layer in range(layers):
        place = slice(layer * directions, (layer + 1) * directions)
        own = tuple(state[place] for state in states) if several else states[place]
        weights = list(flat[layer * size : (layer + 1) * size])
        hidden, *last = function(sequence, own, replaced(weights), has_biases, 1, 0.0, train, both, batch_first)
        ends.append(last)
        parts = list(hidden.chunk(directions, -1)) if both else [hidden]
        used = size // directions
        for direction, part in enumerate(parts):
            chosen = weights[direction * used : (direction + 1) * used]
            matrices = [weight for weight in chosen if weight.dim() > 1]
            biases = [weight for weight in chosen if weight.dim() == 1] + [None] * len(matrices)
            for number, matrix in enumerate(matrices):
                data = sequence if number == 0 else part
                parts[direction] = on_layer(Operation(data, matrix, biases[number], "recurrent"), parts[direction])
        sequence = torch.cat(parts, -1) if both else parts[0]
    return (sequence, *(torch.cat(list(state)) for state in zip(*ends, strict=True)))
