"""Peak activation memory: what a forward pass holds at its worst moment, besides the weights."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from zcproxy.models.zeros import zero_inputs


class _LiveStorage(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the bytes of the storages that operations make, from when they are made until they are freed."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.live = self.peak = 0
        self._seen: set[int] = set()

    def __torch_dispatch__(
        self, function: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        results = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(results):
            if isinstance(tensor, Tensor):
                self.hold(tensor)
        return results

    def hold(self, tensor: Tensor) -> None:
        """Count the storage of a tensor, once, until it is freed."""
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key not in self._seen:
            self._seen.add(key)
            self.live += size
            self.peak = max(self.peak, self.live)
            weakref.finalize(storage, self._free, key, size)

    def ignore(self, tensor: Tensor) -> None:
        """Count nothing for the storage of a tensor."""
        self._seen.add(tensor.untyped_storage()._cdata)

    def _free(self, key: int, size: int) -> None:
        self._seen.discard(key)
        self.live -= size


@torch.no_grad()
def peak_activation_bytes(network: nn.Module, input_shape: tuple[int, ...]) -> int:
    """Return the largest number of bytes of activations alive at once, for one sample in evaluation mode.

    The input counts, weights and buffers do not. It is what the network as written needs when each tensor is freed as
    soon as nothing refers to it; scratch memory inside of operations is not seen.

    Args:
        network: on the CPU; left in the mode it was in.
        input_shape: shape of one sample.
    """
    training = network.training
    network.eval()
    try:
        inputs = zero_inputs(network, 1, input_shape)
        tracker = _LiveStorage()
        for tensor in [*network.parameters(), *network.buffers()]:
            tracker.ignore(tensor)
        with tracker:
            tracker.hold(inputs)
            network(inputs)
        return tracker.peak
    finally:
        network.train(training)
