"""Multiply-adds of a network: half the floating-point operations that torch counts in one forward pass.

Counted are the products of convolutions of any dimension, transposed or not, of matrices and vectors, and of attention,
whoever calls them. Biases, normalisations, activations and poolings count nothing. The published counts of Once-for-All
are these; those of NAS-Bench-201 and NATS-Bench add the biases of the classifier (10, 100 or 120 in some ten millions).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode, flop_registry

Shape = tuple[int, ...]


def _recurrent_layer(inputs: Shape, of_inputs: Shape, of_state: Shape, *_: Any, **__: Any) -> int:
    """Return the operations of a fused LSTM layer: inputs are steps x samples x channels, weights gates x channels."""
    return 2 * math.prod(inputs[:2]) * (math.prod(of_inputs) + math.prod(of_state))


def _of_first(first: Shape, *_: Any, **__: Any) -> int:
    """Return the operations of a product with a vector: two for each number of the first factor."""
    return 2 * math.prod(first)


def _of_second(_: Any, first: Shape, *__: Any, **___: Any) -> int:
    """Return the operations of a product with a vector that is added to something, which comes first."""
    return 2 * math.prod(first)


def _added_batches(_: Any, left: Shape, right: Shape, *__: Any, **___: Any) -> int:
    """Return the operations of products of matrices that are added up."""
    return 2 * math.prod(left) * right[-1]


def _bilinear(left: Shape, weight: Shape, right: Shape, *_: Any, **__: Any) -> int:
    """Return the operations of a product of two vectors a sample with a weight for each pair of their numbers."""
    return 2 * left[0] * math.prod(weight)


_ATEN = torch.ops.aten
FORMULAS: dict[Any, Callable[..., int]] = {
    _ATEN.mkldnn_rnn_layer: _recurrent_layer,
    _ATEN.mv: _of_first,
    _ATEN.dot: _of_first,
    _ATEN.vdot: _of_first,
    _ATEN.addmv: _of_second,
    _ATEN.addbmm: _added_batches,
    _ATEN._trilinear: _bilinear,
}
"""Functions that torch's counter leaves out: their floating-point operations, given the shapes of arguments."""


@torch.no_grad()
def count_macs(network: nn.Module, inputs: Tensor) -> int:
    """Return the multiply-adds of one forward pass in evaluation mode, for as many samples as the inputs have.

    Args:
        network: on the device of the inputs; its modes are left as they were.
        inputs: samples x ...
    """
    counter = FlopCounterMode(display=False, custom_mapping=FORMULAS)
    with evaluation_mode(network), by_products(), counter:
        network(inputs)
    return int(counter.get_total_flops()) // 2


class MacCounter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the multiply-adds of what is called inside the context, as `count_macs` does.

    Inference mode has to be off, and attention computed `by_products`.

    Attributes:
        macs: the count.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.macs = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # nothing is compiled meanwhile, and importing the compiler, to say so, takes seconds

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        given = kwargs or {}
        result = function(*args, **given)
        packet = function.overloadpacket
        if packet in flop_registry:
            self.macs += flop_registry[packet](*args, **given, out_val=result) // 2
        elif packet in FORMULAS:
            self.macs += FORMULAS[packet](*map(_shape, args)) // 2
        return result


def _shape(argument: Any) -> Any:
    return argument.shape if isinstance(argument, Tensor) else argument


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
def by_products() -> Iterator[None]:
    """Let attention be computed by matrix products, which are counted, in place of fused kernels, which are not all."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
