"""Multiply-adds of a network: half the floating-point operations that torch counts in one forward pass.

Counted are the products of convolutions of any dimension, transposed or not, of matrix products and of attention,
whoever calls them. Biases, normalisations, activations and poolings count nothing. The published counts of Once-for-All
are these; those of NAS-Bench-201 and NATS-Bench add the biases of the classifier (10, 100 or 120 in some ten millions).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

Shape = tuple[int, ...]


@torch.no_grad()
def count_macs(network: nn.Module, inputs: Tensor) -> int:
    """Return the multiply-adds of one forward pass in evaluation mode, for as many samples as the inputs have.

    Args:
        network: on the device of the inputs; its modes are left as they were.
        inputs: samples x ...
    """
    from torch.utils.flop_counter import FlopCounterMode  # takes a second to import

    counter = FlopCounterMode(display=False, custom_mapping={torch.ops.aten.mkldnn_rnn_layer: _recurrent_layer})
    with evaluation_mode(network), _by_products(), counter:
        network(inputs)
    return int(counter.get_total_flops()) // 2


@contextmanager
def evaluation_mode(network: nn.Module) -> Iterator[None]:
    """Put a network into evaluation mode, and each of its modules into its own mode again."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


@contextmanager
def _by_products() -> Iterator[None]:
    """Let attention be computed by matrix products, which are counted, in place of fused kernels, which are not all."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def _recurrent_layer(inputs: Shape, of_inputs: Shape, of_state: Shape, *_: Any, **__: Any) -> int:
    """Return the operations of a fused LSTM layer: inputs are steps x samples x channels, weights gates x channels."""
    return 2 * math.prod(inputs[:2]) * (math.prod(of_inputs) + math.prod(of_state))
