"""Functions of torch that are layers, normalisations, non-linearities or poolings, and their arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from zcproxy.probing.axes import SPREAD, Arrangement, ProductAxes, einsum_labels, matmul_labels, product_axes

Function = Callable[..., Any]
Arguments = Mapping[str, Any]


def functions_named(*names: str) -> frozenset[Function]:
    """Return what torch has under these names, as functions and as methods."""
    places = (F, torch, Tensor)
    return frozenset(getattr(place, name) for name in names for place in places if hasattr(place, name))


_ACTIVATIONS = ("relu", "relu_", "relu6", "gelu", "silu", "elu", "elu_", "selu", "celu", "leaky_relu", "leaky_relu_")
_SATURATIONS = ("hardswish", "hardtanh", "hardtanh_", "hardsigmoid", "sigmoid", "tanh")
NON_LINEARITIES = functions_named(*_ACTIVATIONS, *_SATURATIONS, "prelu", "softplus", "mish")
_POOLINGS_OF_IMAGES = (
    f"{kind}_pool{dimensions}d" for kind in ("avg", "max", "adaptive_avg", "adaptive_max") for dimensions in (1, 2, 3)
)
POOLINGS = functions_named(*_POOLINGS_OF_IMAGES, "mean", "sum", "amax")
PRODUCTS = functions_named("mul", "mul_", "multiply", "multiply_", "__mul__", "__imul__", "__rmul__")
"""Element by element: what a layer's result is scaled or gated by."""

REPETITIONS = functions_named("expand", "expand_as", "broadcast_to", "repeat", "tile")
SUMS = functions_named("add", "add_", "__add__", "__iadd__", "__radd__")
ADDED_PRODUCTS = functions_named("addcmul", "addcmul_")
FILLED = functions_named(
    *(f"{name}_like" for name in ("zeros", "ones", "empty", "full", "rand", "randn")),
    *(f"new_{name}" for name in ("zeros", "ones", "empty", "full", "tensor")),
)
"""Functions that take no more than shape and type of a tensor."""

_BATCH_NORM = ("input", "running_mean", "running_var", "weight", "bias", "training", "momentum", "eps")
_PLAIN_BATCH_NORM = ("input", "weight", "bias", "running_mean", "running_var", "training", "momentum", "eps")
_SHAPED = ("input", "normalized_shape", "weight")
_GROUPED = ("input", "num_groups", "weight", "bias", "eps", "cudnn_enabled")


def _on_images(names: Sequence[str]) -> tuple[str, ...]:
    return tuple("use_input_stats" if name == "training" else name for name in names)


NORMALISATIONS: dict[Function, tuple[str, ...]] = {
    F.batch_norm: _BATCH_NORM,
    torch.batch_norm: (*_PLAIN_BATCH_NORM, "cudnn_enabled"),
    F.instance_norm: _on_images(_BATCH_NORM),
    torch.instance_norm: (*_on_images(_PLAIN_BATCH_NORM), "cudnn_enabled"),
    F.layer_norm: (*_SHAPED, "bias", "eps"),
    torch.layer_norm: (*_SHAPED, "bias", "eps", "cudnn_enable"),
    F.group_norm: _GROUPED[:-1],
    torch.group_norm: _GROUPED,
    F.rms_norm: (*_SHAPED, "eps"),
    torch.rms_norm: (*_SHAPED, "eps"),
}
"""The names of their arguments in order."""

_STATISTICS = ("training", "use_input_stats")
"""The argument that says whether the statistics are those of the batch."""


def on_batch_statistics(arguments: Arguments) -> dict[str, Any]:
    """Return the arguments of a normalisation that takes its statistics from the batch and keeps none."""
    taken = {name: True for name in _STATISTICS if name in arguments}
    kept = {name: None for name in ("running_mean", "running_var") if name in arguments}
    return {**arguments, **taken, **kept}


def on_kept_statistics(arguments: Arguments) -> dict[str, Any]:
    """Return the arguments of a normalisation in evaluation mode; one that keeps no statistics takes the batch's."""
    keeps_none = any(arguments.get(name) for name in _STATISTICS)
    return on_batch_statistics(arguments) if keeps_none else dict(arguments)


@dataclass(frozen=True)
class Operation:
    """A product of data with a weight, as a call of torch asks for it.

    Attributes:
        data: what the weight is applied to.
        weight: the weight.
        bias: what is added, or None.
        kind: `convolution`, `transposed` (convolution), `product` or `recurrent`.
        spread: the weight as the call has it where that repeats it along further axes, or None.
        axes: the arrangements of a product, None if they are those of `torch.nn.functional.linear`.
        groups: how many parts of the channels have weights of their own.
    """

    data: Tensor
    weight: Tensor
    bias: Tensor | None = None
    kind: str = "product"
    axes: ProductAxes | None = None
    groups: int = 1
    spread: Tensor | None = None


IsWeight = Callable[[Tensor], bool]
Repeated = Callable[[Tensor], Tensor | None]


def bound(names: Sequence[str], args: Sequence[Any], kwargs: Arguments) -> dict[str, Any]:
    """Return the arguments of a call by name."""
    return {**dict(zip(names, args, strict=False)), **kwargs}


CONVOLUTION = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
_TRANSPOSED = ("input", "weight", "bias", "stride", "padding", "output_padding", "groups", "dilation")
_RAW = ("input", "weight", "bias", "stride", "padding", "dilation", "transposed", "output_padding", "groups")
_DIMENSIONS = (1, 2, 3)
CONVOLUTIONS = functions_named(*(f"conv{d}d" for d in _DIMENSIONS))
"""Functions with the arguments `CONVOLUTION`."""

_LAYERS: dict[Function, tuple[str, tuple[str, ...]]] = {
    **dict.fromkeys(CONVOLUTIONS, ("convolution", CONVOLUTION)),
    **dict.fromkeys(functions_named(*(f"conv_transpose{d}d" for d in _DIMENSIONS)), ("transposed", _TRANSPOSED)),
    **dict.fromkeys(functions_named("convolution"), ("either", _RAW)),
    **dict.fromkeys(functions_named("linear"), ("linear", ("input", "weight", "bias"))),
    **dict.fromkeys(functions_named("bilinear"), ("bilinear", ("input1", "input2", "weight", "bias"))),
}
"""Functions that name their weight: kind, and names of the arguments in order."""

_ADDED = functions_named("addmm", "addmv", "baddbmm", "addmm_", "addmv_", "baddbmm_")
MATRIX_PRODUCTS = (
    functions_named(*("matmul", "mm", "bmm", "mv", "__matmul__", "__rmatmul__", "einsum", "tensordot")) | _ADDED
)
"""Functions that do not say which operand is the weight."""

NAMED_LAYERS = frozenset(_LAYERS)


def named_layer(function: Function, args: Sequence[Any], kwargs: Arguments) -> Operation:
    """Return the operation of a function that says which argument is the weight: a convolution or linear map."""
    kind, names = _LAYERS[function]
    given = bound(names, args, kwargs)
    weight, bias = given["weight"], given.get("bias")
    if kind == "bilinear":
        flat = Arrangement((0, 1, 2), 2)
        plain = Arrangement((0,), 1)
        return Operation(given["input1"], weight, bias, "product", ProductAxes(plain, flat, plain, 1))
    if kind == "linear":
        return Operation(given["input"], weight, bias, axes=None if weight.dim() == 2 else _VECTOR)
    if kind == "either":
        kind = "transposed" if given["transposed"] else "convolution"
    return Operation(given["input"], weight, bias, kind, groups=given.get("groups", 1))


_VECTOR = ProductAxes(Arrangement((0,), 1), Arrangement((0,), 1, 0), Arrangement((), 0), 1)
"""Of a linear map whose weight is a vector: one output, which has no axis."""


def matrix_product(
    function: Function, args: Sequence[Any], kwargs: Arguments, is_weight: IsWeight, repeated: Repeated
) -> Operation | None:
    """Return the operation of a matrix product of data with a weight; None if it is one of something else.

    Args:
        function: one of `MATRIX_PRODUCTS`.
        args: positional arguments of the call.
        kwargs: keyword arguments of the call.
        is_weight: whether a tensor comes from parameters alone.
        repeated: the tensor that another one repeats, None if it repeats none.
    """
    operands, added = _operands(function, args, kwargs)
    if len(operands) != 2:
        return None
    weights = [is_weight(operand) for operand in operands]
    if sum(weights) != 1:
        return None
    labels = _labels(function, args, kwargs, operands, weight_is_left=weights[0])
    if labels is None:
        return None
    left, right, output = labels
    given, data = operands if weights[0] else operands[::-1]
    weight = repeated(given)
    of_data, of_weight = (right, left) if weights[0] else (left, right)
    if weight is None:
        weight, spread = given, None
    else:
        spread, first = given, given.dim() - weight.dim()
        sizes = zip(of_weight[first:], weight.shape, given.shape[first:], strict=True)
        of_weight = [label if size == whole else SPREAD + label for label, size, whole in sizes]
    axes = product_axes(of_data, of_weight, output, weight.shape)
    if axes is None:
        return None
    bias = added if added is not None and is_weight(added) else None
    return Operation(data, weight, bias, axes=axes, groups=axes.groups, spread=spread)


def _operands(function: Function, args: Sequence[Any], kwargs: Arguments) -> tuple[list[Tensor], Tensor | None]:
    """Return the factors of a matrix product, and what it is added to."""
    if function is torch.einsum:
        given = args[1] if len(args) == 2 and isinstance(args[1], list | tuple) else args[1:]
        return [operand for operand in given if isinstance(operand, Tensor)], None
    tensors = [value for value in (*args, *kwargs.values()) if isinstance(value, Tensor)]
    if function in _ADDED:
        return tensors[1:3], tensors[0]
    if getattr(function, "__name__", "") == "__rmatmul__":
        tensors = tensors[::-1]
    return tensors[:2], None


def _labels(
    function: Function, args: Sequence[Any], kwargs: Arguments, operands: list[Tensor], *, weight_is_left: bool
) -> Sequence[list[str]] | None:
    if function is torch.einsum:
        return einsum_labels(args[0], operands) if isinstance(args[0], str) else None
    if function is torch.tensordot:
        return _tensordot_labels(operands, bound(("a", "b", "dims"), args, kwargs).get("dims", 2))
    return matmul_labels(operands[0], operands[1], weight_is_left=weight_is_left)


def _tensordot_labels(operands: list[Tensor], dims: Any) -> Sequence[list[str]] | None:
    left, right = operands
    if isinstance(dims, int):
        dims = [range(left.dim() - dims, left.dim()), range(dims)]
    if isinstance(dims, Tensor) or not all(hasattr(item, "__iter__") for item in dims):
        return None
    first, second = ([axis % tensor.dim() for axis in item] for tensor, item in zip(operands, dims, strict=True))
    of_left = [f"inner {first.index(axis)}" if axis in first else f"left {axis}" for axis in range(left.dim())]
    of_right = [f"inner {second.index(axis)}" if axis in second else f"right {axis}" for axis in range(right.dim())]
    return of_left, of_right, [label for label in (*of_left, *of_right) if not label.startswith("inner")]


def transposed_weight(groups: int, tensor: Tensor) -> Tensor:
    """Return the weight of a transposed convolution, which has input channels x output channels of a group x kernel.

    The result has output channels x input channels of a group x kernel.
    """
    if groups == 1:
        return tensor.transpose(0, 1)
    parts = tensor.reshape(groups, -1, *tensor.shape[1:])
    return parts.transpose(1, 2).flatten(0, 1)


def arranged_weight(operation: Operation) -> Callable[[Tensor], Tensor] | None:
    """Return what turns the weight into output channels x inputs of one output (x kernel), None if it is so."""
    if operation.kind == "transposed":
        return partial(transposed_weight, operation.groups)
    if operation.axes is None or operation.axes.weight.is_plain:
        return None
    return operation.axes.weight


_OPERATORS = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor", "matmul")
IN_PLACE_OPERATORS = frozenset([*(f"__i{name}__" for name in _OPERATORS), "__setitem__"])


@cache
def writes_in_place(function: Function) -> bool:
    """Whether a function overwrites its first argument."""
    name = getattr(function, "__name__", "")
    if name.startswith("__"):
        return name in IN_PLACE_OPERATORS
    return name.endswith("_")
