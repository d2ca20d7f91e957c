"""Records what flows through the weight-bearing layers of any module during one forward and backward pass.

Modules are observed by forward hooks and functional calls by a torch-function mode, so that functional non-linearities
are seen and a tensor that an in-place operation is about to overwrite is copied first. What follows a layer is found by
the identity of tensors and their version, so that a tensor that was overwritten counts as another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from types import TracebackType
from typing import Any, Generic, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch._C import DisableTorchFunction
from torch.autograd.graph import GradientEdge, Node, get_gradient_edge
from torch.nn.utils.parametrize import cached
from torch.overrides import TorchFunctionMode

from zcproxy.errors import ModelError, ZcproxyError
from zcproxy.visible import shortened

Kept = TypeVar("Kept")
ForwardHook = Callable[[nn.Module, tuple[Any, ...], dict[str, Any], Tensor], Tensor]

WEIGHT_MODULES = (nn.Conv1d, nn.Conv2d, nn.Linear)
NORMALISATIONS = (
    nn.modules.batchnorm._BatchNorm,
    nn.modules.instancenorm._InstanceNorm,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.RMSNorm,
)


def _functions_named(names: Iterable[str]) -> frozenset[Callable[..., Any]]:
    """Return what torch has under these names, as functions and as methods."""
    places = (F, torch, Tensor)
    return frozenset(getattr(place, name) for name in names for place in places if hasattr(place, name))


_NON_LINEARITY_NAMES = (
    *("relu", "relu_", "relu6", "gelu", "silu", "elu", "elu_", "selu", "celu", "leaky_relu", "leaky_relu_", "prelu"),
    *("softplus", "mish", "hardswish", "hardtanh", "hardtanh_", "hardsigmoid", "sigmoid", "tanh"),
)
NON_LINEARITIES = _functions_named(_NON_LINEARITY_NAMES)
_POOLING_NAMES = (
    *(
        f"{kind}_pool{dimensions}d"
        for kind in ("avg", "max", "adaptive_avg", "adaptive_max")
        for dimensions in (1, 2, 3)
    ),
    *("mean", "sum", "amax"),
)
POOLINGS = _functions_named(_POOLING_NAMES)
_OPERATORS = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor", "matmul")
IN_PLACE_OPERATORS = frozenset([*(f"__i{name}__" for name in _OPERATORS), "__setitem__"])
MODEL_FAILURES = (Exception,)
"""What a user's code may raise, which is anything; reported as `ModelError` in one line."""


@dataclass
class Slot:
    """One recorded tensor and the place of its gradient in the graph."""

    value: Tensor
    edge: GradientEdge | None


@dataclass
class LayerCall:
    """One call of a weight-bearing module: the weight that it used, and its other tensors by the names formulas use.

    Attributes:
        name: path of the module in the network.
        module: the module.
        weight: the weight that it used.
        operation: how many operations the network had called before the module's own.
        normalized_by: the same for the normalisation that follows, or `operation` again.
        slots: tensors by name.
    """

    name: str
    module: nn.Module
    weight: Tensor
    operation: int = 0
    normalized_by: int = 0
    slots: dict[str, Slot] = field(default_factory=dict)

    def slot(self, name: str) -> Slot:
        """Return a recorded tensor, or the one it falls back to where the network has no such operation.

        A layer that ends no block has NaN for it.
        """
        if name == "block" and name not in self.slots:
            return Slot(self.weight.detach().new_full((1, 1, 1, 1), torch.nan), None)
        fallbacks = {"normalized": "output", "activation": "normalized", "preactivation": "input", "features": "input"}
        while name not in self.slots:
            name = fallbacks[name]
        return self.slots[name]


class Recorder:
    """Context manager that observes a module; `run` records the layer calls of one forward pass.

    Args:
        model: the module to observe. The recorder's hooks are gone when the context ends.
        blocks: operations whose results are recorded as `block`, each with the index of the layer call that gets it.

    Attributes:
        operations: what the last run called, in order: the node of each result in the graph, None where there is none.
    """

    def __init__(self, model: nn.Module, blocks: Mapping[int, int] | None = None) -> None:
        self._model = model
        self._blocks = blocks or {}
        self._handles: list[Any] = []
        self._recording: _Recording | None = None
        self.operations: list[Node | None] = []

    def __enter__(self) -> Recorder:
        for name, module in self._model.named_modules():
            if isinstance(module, WEIGHT_MODULES):
                self._handles.append(module.register_forward_hook(self._weight_hook(name), with_kwargs=True))
            elif isinstance(module, NORMALISATIONS):
                self._handles.append(module.register_forward_hook(self._normalisation_hook, with_kwargs=True))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def run(self, inputs: Tensor) -> tuple[Tensor, list[LayerCall]]:
        """Return the logits for `inputs` and the layer calls in order of execution.

        The model works on a copy of `inputs`, which it may overwrite.

        Raises:
            ModelError: the forward pass raises, or does not return one floating-point tensor.
        """
        self._recording = recording = _Recording(self._blocks)
        try:
            with cached(), recording:
                output = call_model(self._model, inputs.clone())
        finally:
            self._recording = None  # a backward pass may call layers once more: checkpoints
        self.operations = recording.operations
        return output, recording.calls

    def _weight_hook(self, name: str) -> ForwardHook:
        def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Tensor) -> Tensor:
            weight = module.weight
            with DisableTorchFunction():  # what a hook does is no part of the model, and quicker this way
                output = _no_view(output)
                if self._recording is not None:
                    call = LayerCall(name, module, weight)  # type: ignore[arg-type]
                    self._recording.add_layer(call, _first(args, kwargs), output)
            return output

        return hook

    def _normalisation_hook(
        self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Tensor
    ) -> Tensor:
        with DisableTorchFunction():
            output = _no_view(output)
            if self._recording is not None:
                self._recording.add_normalisation(_first(args, kwargs), output)
        return output


def _first(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return the first argument of a call, whether it was given by position or by keyword."""
    return next(iter((*args, *kwargs.values())), None)


def _no_view(output: Tensor) -> Tensor:
    """Return a module's output as a tensor that is no view of another one, sharing its memory.

    An operation in place on a view (a linear layer yields one for tokens) would rebuild its graph, and the recorded
    place of the gradient would lead nowhere.
    """
    return torch.ops.aten._unsafe_view(output, output.shape) if output._is_view() else output


class _Recording(TorchFunctionMode):
    """The layer calls of one forward pass, linked to the operations around them by the tensors between them."""

    def __init__(self, blocks: Mapping[int, int]) -> None:
        super().__init__()
        self.calls: list[LayerCall] = []
        self.operations: list[Node | None] = []
        self._blocks = blocks
        self._source: _ByTensor[LayerCall] = _ByTensor()
        self._rectified: _ByTensor[Slot] = _ByTensor()
        self._pooled: _ByTensor[Slot] = _ByTensor()
        self._by_storage: dict[int, list[Slot]] = {}

    def add_layer(self, call: LayerCall, inputs: Tensor, output: Tensor) -> None:
        call.operation = call.normalized_by = len(self.operations) - 1
        call.slots["input"] = self._slot(inputs)
        call.slots["output"] = self._slot(output)
        rectified = self._rectified.get(inputs)
        if rectified is not None:
            call.slots["preactivation"] = rectified
        features = self._pooled.get(inputs)
        if features is not None:
            call.slots["features"] = features
            self._pooled.set(output, features)
        if self._blocks.get(call.operation) == len(self.calls):
            call.slots["block"] = call.slots["output"]
        self._source.set(output, call)
        self.calls.append(call)

    def add_normalisation(self, inputs: Tensor, output: Tensor) -> None:
        source = self._source.get(inputs)
        if source is not None and "normalized" not in source.slots:
            source.slots["normalized"] = self._slot(output)
            source.normalized_by = len(self.operations) - 1
            self._source.set(output, source)
        features = self._pooled.get(inputs)
        if features is not None:
            self._pooled.set(output, features)

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = self._observed(function, args, kwargs or {})
        self.operations.append(result.grad_fn if isinstance(result, Tensor) else None)
        place = self._blocks.get(len(self.operations) - 1)
        if place is not None and place < len(self.calls):
            self.calls[place].slots["block"] = self._slot(result)
        return result

    def _observed(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call an operation, keeping what it tells of the layers and of tensors that it overwrites."""
        subject = args[0] if args else kwargs.get("input")
        if not isinstance(subject, Tensor):
            return function(*args, **kwargs)
        overwrites = _writes_in_place(function) or bool(kwargs.get("inplace"))
        features = self._pooled_from((*args, *kwargs.values()))
        if function in NON_LINEARITIES:
            result = self._call_non_linearity(function, subject, args, kwargs, overwrites)
        else:
            if overwrites:
                self._save_before_overwriting(subject)
            result = function(*args, **kwargs)
        if features is None and function in POOLINGS and _pools_all_positions(subject, result):
            features = self._slot(subject)
        if features is not None and isinstance(result, Tensor):
            self._pooled.set(result, features)
        return result

    def _pooled_from(self, arguments: Iterable[Any]) -> Slot | None:
        """Return what all tensors among the arguments of an operation were pooled from, or None."""
        found = [self._pooled.get(value) for value in arguments if isinstance(value, Tensor)]
        return found[0] if all(slot is found[0] for slot in found) else None

    def _call_non_linearity(
        self,
        function: Callable[..., Any],
        subject: Tensor,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        overwrites: bool,
    ) -> Any:
        before = self._slot(subject)
        source = self._source.get(subject)
        if overwrites:
            self._save_before_overwriting(subject)
        result = function(*args, **kwargs)
        if source is not None and "activation" not in source.slots:
            source.slots["activation"] = self._slot(result)
        self._rectified.set(result, before)
        return result

    def _slot(self, tensor: Tensor) -> Slot:
        slot = Slot(tensor.detach(), get_gradient_edge(tensor) if tensor.requires_grad else None)
        self._by_storage.setdefault(tensor.untyped_storage().data_ptr(), []).append(slot)
        return slot

    def _save_before_overwriting(self, tensor: Tensor) -> None:
        for slot in self._by_storage.pop(tensor.untyped_storage().data_ptr(), []):
            slot.value = slot.value.clone()


class _ByTensor(Generic[Kept]):
    """A value for each tensor, forgotten when an operation in place changes the tensor."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Tensor, int, Kept]] = {}

    def set(self, tensor: Tensor, value: Kept) -> None:
        self._known[id(tensor)] = (tensor, tensor._version, value)

    def get(self, tensor: Tensor) -> Kept | None:
        found = self._known.get(id(tensor))
        return found[2] if found is not None and found[1] == tensor._version else None


def _pools_all_positions(subject: Tensor, result: Any) -> bool:
    """Whether a result has one number a sample and channel, and what it was computed from has more."""
    if not isinstance(result, Tensor) or result.dim() < 2 or len(result) != len(subject):
        return False
    return len(result) * max(result.shape[1:]) == result.numel() < subject.numel()


@cache
def _writes_in_place(function: Callable[..., Any]) -> bool:
    name = getattr(function, "__name__", "")
    if name.startswith("__"):
        return name in IN_PLACE_OPERATORS
    return name.endswith("_")


@contextmanager
def reported(problem: str) -> Iterator[None]:
    """Turn what a user's model raises into a `ModelError` of one line: the problem, then the reason."""
    try:
        yield
    except ZcproxyError:
        raise
    except MODEL_FAILURES as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ModelError(f"{problem}: {shortened(reason, 300)}") from error


def call_model(model: nn.Module, inputs: Tensor) -> Tensor:
    """Return the logits a model yields for `inputs`.

    Raises:
        ModelError: the forward pass raises, or does not return one floating-point tensor.
    """
    with reported(f"the model failed on input of shape {tuple(inputs.shape)}"):
        output: object = model(inputs)
    if not isinstance(output, Tensor):
        raise ModelError(f"the model returns {type(output).__name__}, expected one tensor of logits: wrap it")
    if not output.is_floating_point():
        raise ModelError(f"the model returns a tensor of {output.dtype}, expected floating-point logits")
    if output.numel() == 0:
        raise ModelError(f"the model returns a tensor of shape {tuple(output.shape)}, which holds no logits")
    return output
