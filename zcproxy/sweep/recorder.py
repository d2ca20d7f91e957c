"""Records what flows through the weight-bearing layers of any module during one forward and backward pass.

Modules are observed by forward hooks and functional calls by a torch-function mode, so that functional non-linearities
are seen and a tensor that an in-place operation is about to overwrite is copied first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from types import TracebackType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge
from torch.overrides import TorchFunctionMode

from zcproxy.errors import ModelError

WEIGHT_MODULES = (nn.Conv1d, nn.Conv2d, nn.Linear)
NORMALISATIONS = (
    nn.modules.batchnorm._BatchNorm,
    nn.modules.instancenorm._InstanceNorm,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.RMSNorm,
)
_NON_LINEARITY_NAMES = (
    *("relu", "relu_", "relu6", "gelu", "silu", "elu", "elu_", "selu", "celu", "leaky_relu", "leaky_relu_", "prelu"),
    *("softplus", "mish", "hardswish", "hardtanh", "hardtanh_", "hardsigmoid", "sigmoid", "tanh"),
)
NON_LINEARITIES = frozenset(
    function
    for name in _NON_LINEARITY_NAMES
    for function in (getattr(F, name, None), getattr(torch, name, None), getattr(Tensor, name, None))
    if function is not None
)
_OPERATORS = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor", "matmul")
IN_PLACE_OPERATORS = frozenset([*(f"__i{name}__" for name in _OPERATORS), "__setitem__"])
MODEL_FAILURES = (
    RuntimeError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    AssertionError,
)
"""What a user's forward pass may raise; reported as `ModelError` in one line."""


@dataclass
class Slot:
    """One recorded tensor and the place of its gradient in the graph."""

    value: Tensor
    edge: GradientEdge | None


@dataclass
class LayerCall:
    """One call of a weight-bearing module: its tensors by the names formulas use."""

    name: str
    module: nn.Module
    slots: dict[str, Slot] = field(default_factory=dict)

    def slot(self, name: str) -> Slot:
        """Return a recorded tensor, or the one it falls back to where the network has no such operation."""
        fallbacks = {"normalized": "output", "activation": "normalized", "preactivation": "input"}
        while name not in self.slots:
            name = fallbacks[name]
        return self.slots[name]


class Recorder:
    """Context manager that observes a module; `run` records the layer calls of one forward pass.

    Args:
        model: the module to observe. Its hooks are gone when the context ends.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._handles: list[Any] = []
        self._recording = _Recording()

    def __enter__(self) -> Recorder:
        for name, module in self._model.named_modules():
            if isinstance(module, WEIGHT_MODULES):
                self._handles.append(module.register_forward_hook(self._weight_hook(name)))
            elif isinstance(module, NORMALISATIONS):
                self._handles.append(module.register_forward_hook(self._normalisation_hook))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def run(self, inputs: Tensor) -> tuple[Tensor, list[LayerCall]]:
        """Return the logits for `inputs` and the layer calls in order of execution.

        Raises:
            ModelError: the forward pass raises, or does not return one floating-point tensor.
        """
        self._recording = _Recording()
        with self._recording:
            output = call_model(self._model, inputs)
        return output, self._recording.calls

    def _weight_hook(self, name: str) -> Callable[[nn.Module, tuple[Any, ...], Any], None]:
        def hook(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            self._recording.add_layer(LayerCall(name, module), inputs[0], output)

        return hook

    def _normalisation_hook(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        self._recording.add_normalisation(inputs[0], output)


class _Recording(TorchFunctionMode):
    """The layer calls of one forward pass, linked to the operations around them by the identity of tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[LayerCall] = []
        self._source: dict[int, tuple[LayerCall, Tensor]] = {}
        self._rectified: dict[int, tuple[Slot, Tensor]] = {}
        self._by_storage: dict[int, list[Slot]] = {}

    def add_layer(self, call: LayerCall, inputs: Tensor, output: Tensor) -> None:
        call.slots["input"] = self._slot(inputs)
        call.slots["output"] = self._slot(output)
        rectified = self._rectified.get(id(inputs))
        if rectified is not None:
            call.slots["preactivation"] = rectified[0]
        self._source[id(output)] = (call, output)
        self.calls.append(call)

    def add_normalisation(self, inputs: Tensor, output: Tensor) -> None:
        source = self._source.get(id(inputs))
        if source is not None and "normalized" not in source[0].slots:
            source[0].slots["normalized"] = self._slot(output)
            self._source[id(output)] = (source[0], output)

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        overwrites = _writes_in_place(function) or bool(kwargs.get("inplace"))
        if function in NON_LINEARITIES and args:
            return self._call_non_linearity(function, args, kwargs, overwrites)
        if overwrites and args and isinstance(args[0], Tensor):
            self._save_before_overwriting(args[0])
        return function(*args, **kwargs)

    def _call_non_linearity(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], overwrites: bool
    ) -> Any:
        before = self._slot(args[0])
        if overwrites:
            self._save_before_overwriting(args[0])
        source = self._source.get(id(args[0]))
        result = function(*args, **kwargs)
        if source is not None and "activation" not in source[0].slots:
            source[0].slots["activation"] = self._slot(result)
        self._rectified[id(result)] = (before, result)
        return result

    def _slot(self, tensor: Tensor) -> Slot:
        slot = Slot(tensor.detach(), get_gradient_edge(tensor) if tensor.requires_grad else None)
        self._by_storage.setdefault(tensor.untyped_storage().data_ptr(), []).append(slot)
        return slot

    def _save_before_overwriting(self, tensor: Tensor) -> None:
        for slot in self._by_storage.pop(tensor.untyped_storage().data_ptr(), []):
            slot.value = slot.value.clone()


@cache
def _writes_in_place(function: Callable[..., Any]) -> bool:
    name = getattr(function, "__name__", "")
    if name.startswith("__"):
        return name in IN_PLACE_OPERATORS
    return name.endswith("_")


def call_model(model: nn.Module, inputs: Tensor) -> Tensor:
    """Return the logits a model yields for `inputs`.

    Raises:
        ModelError: the forward pass raises, or does not return one floating-point tensor.
    """
    try:
        output: object = model(inputs)
    except MODEL_FAILURES as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ModelError(f"the model failed on input of shape {tuple(inputs.shape)}: {reason}") from error
    if not isinstance(output, Tensor):
        raise ModelError(f"the model returns {type(output).__name__}, expected one tensor of logits: wrap it")
    if not output.is_floating_point():
        raise ModelError(f"the model returns a tensor of {output.dtype}, expected floating-point logits")
    return output


def gradients_of(loss: Tensor, calls: list[LayerCall], wanted: Iterable[str]) -> list[dict[str, Tensor]]:
    """Return, for each layer call, the gradient of `loss` by each wanted tensor: zeros where the loss ignores it.

    Nothing is accumulated into the `.grad` of any parameter.

    Args:
        loss: a scalar with a graph.
        calls: the layer calls of the pass.
        wanted: names among `weight`, `input`, `output`, `normalized`, `activation`, `preactivation`.
    """
    places: list[tuple[int, str, Any]] = []
    sources: list[Any] = []
    for index, call in enumerate(calls):
        for name in wanted:
            value = call.module.weight if name == "weight" else call.slot(name).value
            source = value if name == "weight" else call.slot(name).edge
            places.append((index, name, value))
            sources.append(source)
    present = [source for source in sources if source is not None]
    found = iter(torch.autograd.grad(loss, present, allow_unused=True) if present and loss.requires_grad else ())
    result: list[dict[str, Tensor]] = [{} for _ in calls]
    for (index, name, value), source in zip(places, sources, strict=True):
        gradient = next(found, None) if source is not None else None
        result[index][name] = torch.zeros_like(value).detach() if gradient is None else gradient
    return result
