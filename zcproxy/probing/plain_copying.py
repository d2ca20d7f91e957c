"""The quick way to copy a model: for those that keep nothing but modules, tensors and constants."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Mapping
from enum import Enum
from functools import cache
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

import torch
from torch import Tensor, nn

_PLAIN = frozenset(
    (type(None), bool, int, float, complex, str, bytes, torch.dtype, torch.device, torch.Size, torch.memory_format)
)
_HELD = frozenset(("_parameters", "_buffers", "_modules"))
_PLAIN_SEQUENCES = frozenset((list, tuple, set, frozenset))
_PLAIN_MAPPINGS = frozenset((dict, OrderedDict))
_PLAIN_CONTAINERS = _PLAIN_SEQUENCES | _PLAIN_MAPPINGS
_PLAIN_TENSORS = frozenset((Tensor, nn.Parameter, nn.Buffer))


def plain_copy(model: nn.Module, dtype: torch.dtype | None = None) -> nn.Module | None:
    """Return a copy that shares no tensor or module with the model; None if it is not as plain as that.

    A model is plain if each of its modules has modules, parameters and buffers under names, and beside them nothing but
    constants, functions that refer to nothing else, and lists, tuples, sets and dictionaries of those.

    Args:
        model: any module.
        dtype: float32 or float64, of all floating-point numbers in the copy; None keeps what they have.
    """
    modules = list(model.modules())
    if not all(map(_is_plain_module, modules)):
        return None
    made = {id(module): _without_tensors(module) for module in modules}
    tensors: dict[int, Tensor] = {}
    for module in modules:
        twin = made[id(module)]
        for name, child in module._modules.items():
            twin._modules[name] = None if child is None else made[id(child)]
        for kind in ("_parameters", "_buffers"):
            for name, tensor in getattr(module, kind).items():
                if tensor is not None and id(tensor) not in tensors:
                    tensors[id(tensor)] = _own_tensor(tensor, dtype)
                getattr(twin, kind)[name] = None if tensor is None else tensors[id(tensor)]
    return made[id(model)]


def converted(dtype: torch.dtype, wanted: torch.dtype) -> torch.dtype:
    """Return the dtype that numbers of one get where floating-point numbers become `wanted`."""
    if dtype.is_floating_point:
        return wanted
    return wanted.to_complex() if dtype.is_complex else dtype


def _without_tensors(module: nn.Module) -> nn.Module:
    """Return a module like another one, without its modules and tensors."""
    made: nn.Module = type(module).__new__(type(module))
    for name, value in vars(module).items():
        if name in _HELD:
            made.__dict__[name] = type(value)()
        elif type(value) in _PLAIN_CONTAINERS:
            made.__dict__[name] = copy.deepcopy(value) if value else type(value)()
        else:
            made.__dict__[name] = value
    return made


def _own_tensor(tensor: Tensor, dtype: torch.dtype | None) -> Tensor:
    wanted = tensor.dtype if dtype is None else converted(tensor.dtype, dtype)
    values = tensor.detach().to(wanted, copy=True)
    if isinstance(tensor, nn.Parameter):
        return nn.Parameter(values, requires_grad=tensor.requires_grad)
    return values


def _is_plain_module(module: nn.Module) -> bool:
    kind: Any = type(module)
    if not _is_copied_by_its_attributes(kind):
        return False
    held = (*module._parameters.values(), *module._buffers.values())
    beside = (value for name, value in vars(module).items() if name not in _HELD)
    return all(tensor is None or _is_plain_tensor(tensor) for tensor in held) and all(map(_is_plain_value, beside))


@cache
def _is_copied_by_its_attributes(kind: type[nn.Module]) -> bool:
    """Whether a class has no way of its own to be copied; torch's restore what older versions did not store."""
    if kind.__reduce_ex__ is not object.__reduce_ex__ or not kind.__setstate__.__module__.startswith("torch.nn."):
        return False
    has_way = any(hasattr(kind, name) for name in ("__deepcopy__", "__copy__"))
    return not has_way and not any(vars(base).get("__slots__") for base in kind.__mro__)


def _is_plain_tensor(tensor: Tensor) -> bool:
    is_usual = type(tensor) in _PLAIN_TENSORS and tensor.layout == torch.strided and not vars(tensor)
    return is_usual and tensor.is_leaf and not tensor._is_view() and not tensor.is_meta


def _is_plain_value(value: Any) -> bool:
    kind = type(value)
    if kind in _PLAIN or isinstance(value, type | Enum):
        return True
    if kind in _PLAIN_SEQUENCES:
        return all(map(_is_plain_value, value))
    if kind in _PLAIN_MAPPINGS:
        return _is_plain_mapping(value)
    if kind is FunctionType:
        defaults = (*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values())
        return not value.__closure__ and not vars(value) and all(map(_is_plain_value, defaults))
    return kind is BuiltinFunctionType and isinstance(value.__self__, ModuleType | type | None)


def _is_plain_mapping(value: Mapping[Any, Any]) -> bool:
    return all(_is_plain_value(key) and _is_plain_value(item) for key, item in value.items())
