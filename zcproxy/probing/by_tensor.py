"""A mapping from tensors, by identity and version."""

from __future__ import annotations

from typing import Generic, TypeVar

from torch import Tensor

Kept = TypeVar("Kept")


class ByTensor(Generic[Kept]):
    """A value for each tensor, forgotten when an operation in place changes the tensor."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Tensor, int, Kept]] = {}

    def set(self, tensor: Tensor, value: Kept) -> None:
        self._known[id(tensor)] = (tensor, tensor._version, value)

    def get(self, tensor: Tensor) -> Kept | None:
        found = self._known.get(id(tensor))
        return found[2] if found is not None and found[1] == tensor._version else None
