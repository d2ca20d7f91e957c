"""Origins of the tensors of a forward pass: the inputs, parameters alone, or neither."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

Origin = frozenset[str]
"""The names of the parameters that a tensor is computed from; `DATA` where it depends on the inputs too."""

GENERATED = "*"
"""Stands among the names of what a layer without data made: a hypernetwork, a projection of learned queries."""

CONSTANT: Origin = frozenset()
DATA: Origin = frozenset([""])
_MARK = "_zcproxy_origin"


class Origins:
    """The origins of tensors, known from the operations that made them.

    Args:
        model: its parameters and buffers have their own.
    """

    def __init__(self, model: nn.Module) -> None:
        self._known: dict[int, Origin] = {id(buffer): CONSTANT for buffer in model.buffers()}
        self._known.update({id(parameter): frozenset([name]) for name, parameter in model.named_parameters()})

    def of(self, tensor: Tensor) -> Origin:
        """Return the origin of a tensor; what no operation was seen to make is data if a graph leads to it."""
        found = self._known.get(id(tensor))
        if found is None:
            found = tensor.__dict__.get(_MARK)
        if found is None:
            unseen = tensor.requires_grad or (not torch.is_grad_enabled() and tensor.is_floating_point())
            found = DATA if unseen else CONSTANT
            self.mark(tensor, found)
        return found

    def of_all(self, arguments: Iterable[Any]) -> Origin:
        """Return the origin of what is computed from arguments: `DATA` if one of them depends on the inputs."""
        result = CONSTANT
        for tensor in tensors_in(arguments):
            origin = self.of(tensor)
            if origin >= DATA:
                return DATA
            result = result | origin if result else origin
        return result

    def mark(self, result: Any, origin: Origin) -> None:
        """Note the origin of what an operation returns: a tensor, or some in a list or tuple."""
        if isinstance(result, Tensor):
            if id(result) not in self._known:
                result.__dict__[_MARK] = origin
        elif isinstance(result, list | tuple):
            for item in result:
                self.mark(item, origin)


def tensors_in(arguments: Iterable[Any]) -> Iterator[Tensor]:
    """Yield the tensors among arguments, also those in lists and tuples."""
    for argument in arguments:
        if isinstance(argument, Tensor):
            yield argument
        elif isinstance(argument, list | tuple):
            yield from tensors_in(argument)
