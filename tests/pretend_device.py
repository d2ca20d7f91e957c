"""A device that this machine does not have: its tensors lie on the CPU, and no operation mixes them with others.

Inside `pretended()`, `cuda` exists. Tensors that are moved or made there say that they are on `cuda:0`; an operation
that takes such a tensor and one of the CPU raises what torch raises on a machine with a GPU, and so does one that the
device lacks. Whatever runs inside computes the numbers of the CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map

aten = torch.ops.aten
PLACE = torch.device("cuda", 0)
_INDEXED = (aten.index.Tensor, aten.index_put.default, aten.index_put_.default, aten._index_put_impl_.default)
"""Operations whose indices may be on the CPU while what they index is not."""
_COPIES = (aten.copy_.default, aten.copy.default)
_MOVERS = (Tensor.to, Tensor.cuda, Tensor.cpu, Tensor.type_as)
_LEAVES = (Tensor.numpy, Tensor.__array__)
"""Functions that read the memory of the CPU."""


class Lacks:
    """The operations that a device lacks.

    Attributes:
        names: of torch's operations without overload, as `linalg_eigh`.
        for_one: of those that it can compute of many matrices in one call alone.
        dtypes: of no tensor on it.
    """

    def __init__(
        self, names: Collection[str] = (), for_one: Collection[str] = (), dtypes: Collection[torch.dtype] = ()
    ) -> None:
        self.names, self.for_one, self.dtypes = names, for_one, dtypes


_LACKS = [Lacks()]
"""What devices lack, the innermost last."""


class OnDevice(Tensor):
    """A tensor that says it is on the device; `held` has its numbers."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> OnDevice:
        if held.dtype in _LACKS[-1].dtypes:
            raise TypeError(f"Cannot convert a tensor to the device: it has no {held.dtype}")
        made: OnDevice = Tensor._make_subclass(cls, held.detach(), held.requires_grad)
        made.held = held.detach()
        return made

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        return PLACE

    @property
    def is_cuda(self) -> bool:  # type: ignore[override]
        return True

    @property
    def is_cpu(self) -> bool:  # type: ignore[override]
        return False

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        _check(function, args, kwargs)
        plain_args, plain_kwargs = tree_map(_held, args), tree_map(_held, kwargs)
        found = function(*plain_args, **plain_kwargs)
        if function in _COPIES and not isinstance(args[0], OnDevice):
            return args[0]
        return return_and_correct_aliasing(function, args, kwargs, tree_map(_placed, found))


class _OfAutograd(Tensor):
    """A tensor that torch's own derivatives made where the others are: their C++ code sees where numbers really lie."""

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]


class _Derivatives(TorchDispatchMode):
    """Tells what derivatives make in C++ from what Python code makes on the CPU."""

    def __init__(self) -> None:
        super().__init__()
        self.of_python = [-1]

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        if torch._C._current_graph_task_id() == self.of_python[-1]:
            return result
        given = [each for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
        if type(result) is Tensor and all(isinstance(each, _OfAutograd) for each in given):
            return Tensor._make_subclass(_OfAutograd, result)
        return result


def _held(value: Any) -> Any:
    return value.held if isinstance(value, OnDevice) else value


def _placed(value: Any) -> Any:
    return OnDevice(value) if isinstance(value, Tensor) and not isinstance(value, OnDevice) else value


def _check(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Raise what torch raises on a device where an operation cannot be computed."""
    name, lacks = function._schema.name.partition("::")[2], _LACKS[-1]
    refused = (
        lacks.names
        if not args or not isinstance(args[0], Tensor) or args[0].dim() > 2
        else {*lacks.names, *lacks.for_one}
    )
    if name.removeprefix("_") in refused:
        raise NotImplementedError(f"The operator 'aten::{name}' is not currently implemented for the device")
    if function in _COPIES:
        return
    if function in _INDEXED and isinstance(args[0], OnDevice):
        args = (args[0], *args[2:3])
    others = [each for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
    strange = [each for each in others if not isinstance(each, OnDevice | _OfAutograd) and each.dim() > 0]
    if strange:
        shapes = ", ".join(str(tuple(each.shape)) for each in strange)
        raise RuntimeError(
            f"Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu! ({shapes} "
            f"on cpu when calling {name})"
        )


class _Sent(torch.autograd.Function):
    """A copy on the device, with its gradient back."""

    @staticmethod
    def forward(context: Any, values: Tensor) -> Tensor:
        return OnDevice(values.detach().clone())

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        return _held(gradient)


class _Fetched(torch.autograd.Function):
    """A copy on the CPU, with its gradient sent back."""

    @staticmethod
    def forward(context: Any, values: Tensor) -> Tensor:
        return _held(values.detach()).clone()

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        return _placed(gradient)


def _moved(values: Tensor, place: torch.device | None) -> Tensor:
    """Return a tensor at a place; itself where it is there."""
    if place is None or (place.type == "cuda") == isinstance(values, OnDevice):
        return values
    return _Sent.apply(values) if place.type == "cuda" else _Fetched.apply(values)


class _Device(TorchFunctionMode):
    """Puts what functions make where they are told to."""

    def __init__(self, derivatives: _Derivatives) -> None:
        super().__init__()
        self._derivatives = derivatives

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        self._derivatives.of_python.append(torch._C._current_graph_task_id())
        try:
            return self._called(function, args, dict(kwargs or {}))
        finally:
            self._derivatives.of_python.pop()

    def _called(self, function: Callable[..., Any], args: tuple[Any, ...], given: dict[str, Any]) -> Any:
        if function in _LEAVES and isinstance(args[0], OnDevice):
            raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy it first")
        if function == Tensor.data.__set__ and isinstance(args[0], OnDevice):  # type: ignore[attr-defined]
            function(args[0], args[1])
            args[0].held = args[1].held
            return None
        if function in _MOVERS:
            place, args = _place_of(function, args, given)
            return _moved(function(*args, **given) if len(args) > 1 or given else args[0], place)
        place = given.pop("device", None)
        if place is None:
            return function(*args, **given)
        place = torch.device(place)
        result = function(*args, **given, device=torch.device("cpu") if place.type == "cuda" else place)
        return _moved(result, place)


def _place_of(
    function: Callable[..., Any], args: tuple[Any, ...], given: dict[str, Any]
) -> tuple[torch.device | None, tuple[Any, ...]]:
    """Return where a tensor is sent, and the arguments without that."""
    if function is Tensor.cuda:
        return PLACE, args[:1]
    if function is Tensor.cpu:
        return torch.device("cpu"), args[:1]
    place, rest = given.pop("device", None), []
    for each in args[1:]:
        if isinstance(each, Tensor):
            place = each.device
            rest.append(each.dtype)
        elif isinstance(each, torch.device | str):
            place = each
        elif isinstance(each, torch.dtype):
            rest.append(each)
    if function is Tensor.type_as and rest:
        args = (args[0].to(rest[0]),)
        rest = []
    other = given.pop("other", None)
    if other is not None:
        place = other.device
        rest.append(other.dtype)
    return None if place is None else torch.device(place), (args[0], *rest)


@contextmanager
def pretended(lacks: Lacks | None = None) -> Iterator[None]:
    """Have a device `cuda` in this thread.

    Args:
        lacks: what it cannot do; a GPU of NVIDIA can do everything.
    """
    future = torch.__future__.get_overwrite_module_params_on_conversion()
    state = torch.zeros(16, dtype=torch.uint8)
    with ExitStack() as stack:
        stack.enter_context(patch("torch.cuda.get_rng_state", lambda device=0: state.clone()))
        stack.enter_context(patch("torch.cuda.set_rng_state", lambda given, device=0: None))
        stack.enter_context(patch("torch.cuda.amp.common.amp_definitely_not_available", lambda: False))
        stack.callback(torch.__future__.set_overwrite_module_params_on_conversion, future)
        torch.__future__.set_overwrite_module_params_on_conversion(True)
        derivatives = stack.enter_context(_Derivatives())
        stack.enter_context(_Device(derivatives))
        stack.callback(_LACKS.pop)
        _LACKS.append(lacks or Lacks())
        yield
