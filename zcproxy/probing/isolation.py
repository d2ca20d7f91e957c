"""Keeps a measurement and the process around it apart: torch's global state, and the tensors of the user's model."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from zcproxy.errors import ModelError
from zcproxy.models.device import exact
from zcproxy.probing.copying import reachable

_FOLLOWS_INPUTS = ContextVar("follows_inputs", default=False)
"""Whether the caller of a measurement has a default device other than the CPU."""

_READS_LAYOUT = frozenset((torch.as_strided, Tensor.as_strided, Tensor.as_strided_, Tensor.stride, Tensor.data_ptr))
"""Functions whose result depends on how a tensor lies in memory."""

_WINDOWS = (torch.hann_window, torch.hamming_window, torch.blackman_window, torch.bartlett_window, torch.kaiser_window)
_MAKES_FLOATS = frozenset(
    (
        torch.zeros,
        torch.ones,
        torch.empty,
        torch.rand,
        torch.randn,
        torch.eye,
        torch.linspace,
        torch.logspace,
        *_WINDOWS,
    )
)
_MAKES_WHAT_IT_IS_GIVEN = frozenset((torch.tensor, torch.as_tensor, torch.scalar_tensor, torch.full, torch.arange))
"""Functions that make floats of floats, and whole numbers of whole numbers."""
_MAKERS = _MAKES_FLOATS.union(_MAKES_WHAT_IT_IS_GIVEN, _WINDOWS)


@contextmanager
def own_state(device: torch.device) -> Iterator[None]:
    """Give torch the global state that measuring needs, whatever the caller's is, and give the caller's back.

    Gradients are on, inference mode, autocasting and compilers off; tensors are float32 on the CPU by default, a GPU
    computes in what it is asked to, and the random state is a copy.

    Args:
        device: where the network is.
    """
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices=[device.index or 0] if device.type == "cuda" else []))
        stack.enter_context(torch.inference_mode(mode=False))
        stack.enter_context(torch.enable_grad())
        for kind in filter(torch.amp.is_autocast_available, {"cpu", device.type}):
            stack.enter_context(torch.autocast(kind, enabled=False))
        stack.enter_context(_default_dtype(torch.float32))
        if torch.get_default_device().type != "cpu":
            stack.enter_context(_set(_FOLLOWS_INPUTS, True))
            stack.enter_context(torch.device("cpu"))
        if device.type != "cpu":
            stack.enter_context(exact())
        if "torch._dynamo" in sys.modules:  # else nothing is compiled, and importing it takes seconds
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        yield


@contextmanager
def fitting_defaults(inputs: Tensor) -> Iterator[None]:
    """Let tensors that a model makes without saying which be of the dtype of its inputs, in this thread alone.

    They are also where the inputs are, if the caller has a default device.
    """
    fitting = nullcontext() if inputs.dtype == torch.get_default_dtype() else _FloatsOf(inputs.dtype)
    with fitting, inputs.device if _FOLLOWS_INPUTS.get() else nullcontext():
        yield


class _FloatsOf(TorchFunctionMode):
    """Gives new tensors a dtype where the call names none and would make floats."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self._dtype = dtype

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = kwargs or {}
        if given.get("dtype") is not None or function not in _MAKERS:
            return function(*args, **given)
        if function in _MAKES_WHAT_IT_IS_GIVEN:
            made = function(*args, **given)
            if made.dtype != torch.get_default_dtype() or any(isinstance(each, Tensor) for each in args):
                return made
        return function(*args, **{**given, "dtype": self._dtype})


@contextmanager
def _set(variable: ContextVar[bool], value: bool) -> Iterator[None]:
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)


@contextmanager
def _default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    if before != dtype:
        torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        if before != dtype:
            torch.set_default_dtype(before)


@contextmanager
def restored(model: nn.Module) -> Iterator[None]:
    """Give the buffers of a model their numbers back, should a copy of it have reached them."""
    kept = [(buffer, buffer.clone()) for buffer in model.buffers() if not buffer.is_inference() and not buffer.is_meta]
    try:
        yield
    finally:
        for buffer, before in kept:
            if not torch.equal(buffer, before):
                with torch.no_grad():
                    buffer.copy_(before)


class Watch(TorchFunctionMode):
    """Notes what the operations of a network take that is not its own.

    Args:
        network: the one that is called inside the context.
        original: the model that it is a copy of, or None.

    Attributes:
        foreign: parameters that are not the network's, and tensors of the original.
        reads_layout: whether an operation asked how a tensor lies in memory.
    """

    def __init__(self, network: nn.Module, original: nn.Module | None) -> None:
        super().__init__()
        self.foreign: list[Tensor] = []
        self.reads_layout = False
        self._own = {id(parameter) for parameter in network.parameters()}
        items = () if original is None else reachable([original])
        self._storages = {_storage(item) for item in items if isinstance(item, Tensor)} - {0}

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        self.reads_layout |= function in _READS_LAYOUT
        for tensor in _tensors((*args, *(kwargs or {}).values())):
            is_foreign = isinstance(tensor, nn.Parameter) and id(tensor) not in self._own
            if is_foreign or (self._storages and _storage(tensor) in self._storages):
                self.foreign.append(tensor)
        return function(*args, **(kwargs or {}))


def _tensors(arguments: Iterable[Any]) -> Iterator[Tensor]:
    for argument in arguments:
        if isinstance(argument, Tensor):
            yield argument
        elif isinstance(argument, (list, tuple)):
            yield from _tensors(argument)


def _storage(tensor: Tensor) -> int:
    """Return where the numbers of a tensor lie; 0 for one that has no memory of its own."""
    try:
        return tensor.untyped_storage().data_ptr()
    except (RuntimeError, NotImplementedError):  # sparse, or not initialised yet
        return 0


def adopt(network: nn.Module, used: Iterable[Tensor]) -> None:
    """Register the layers and parameters that a network uses and keeps in a plain list, dictionary or closure.

    Args:
        network: gets them as modules and parameters of its own; so do layers without parameters that it keeps so.
        used: parameters that its operations took.

    Raises:
        ModelError: a parameter is out of its reach: a global variable, a weak reference or a cache leads to it.
    """
    wanted = {id(tensor) for tensor in used}
    registered = {id(module) for module in network.modules()}
    found = list(reachable([network]))
    loose = [item for item in found if isinstance(item, nn.Module) and id(item) not in registered]
    number = 0
    for module in loose:
        parameters = [id(parameter) for parameter in module.parameters(recurse=False)]
        if wanted.intersection(parameters) or not any(True for _ in module.parameters()):
            network.add_module(f"unregistered{number}", module)
            number += 1
    known = {id(parameter) for parameter in network.parameters()}
    for item in found:
        if isinstance(item, nn.Parameter) and id(item) in wanted - known:
            network.register_parameter(f"unregistered{number}", item)
            known.add(id(item))
            number += 1
    for tensor in used:
        if id(tensor) not in known:
            raise ModelError(
                f"the model computes with a tensor of shape {tuple(tensor.shape)} that a copy of it does not own: a "
                "global variable, weak reference or cache leads to it, or its forward makes a layer; make it an "
                "attribute of the model"
            )
