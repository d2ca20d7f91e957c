"""Copies of models that share no tensor, module or closure with what they were copied from."""

from __future__ import annotations

import copy
import gc
from collections.abc import Iterable, Iterator
from functools import _lru_cache_wrapper
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    MethodType,
    ModuleType,
)
from typing import Any
from weakref import ReferenceType

import torch
from torch import Tensor, nn

from zcproxy.probing.plain_copying import converted, plain_copy

_ATOMS = frozenset((type(None), bool, int, float, complex, str, bytes, torch.dtype, torch.device, torch.Size))
_ENDS = (
    *(type, ModuleType, CodeType, FrameType, GeneratorType, CoroutineType),
    *(BuiltinFunctionType, _lru_cache_wrapper, ReferenceType, Tensor),
)
"""Types that a search for state does not look into."""

_CONTAINERS = (dict, list, tuple, set, frozenset)


def copied(model: nn.Module, dtype: torch.dtype | None = None) -> nn.Module:
    """Return a copy of a model; compiled modules and functions in it are the original ones again.

    `copy.deepcopy` shares functions, so that a lambda over a layer would still call the layer of the model, and refuses
    tensors that a graph leads to: kept activations, weights that were normalised or pruned. Here functions get closures
    of their own, and such tensors lose their graph. What cannot be copied at all (locks, open files) is shared.

    Args:
        model: any module.
        dtype: float32 or float64: of all floating-point numbers in the copy, plain tensors included; complex ones get
            the same precision. None keeps what they have.

    Raises:
        Exception: whatever copying an object of the model raises.
    """
    model = uncompiled(model)
    plain = plain_copy(model, dtype)
    if plain is not None:
        return plain
    found = list(reachable([model]))
    memo: dict[int, Any] = {}
    for item in found:
        if isinstance(item, Tensor):
            if not isinstance(item, nn.Parameter):
                _remember_tensor(item, dtype, memo)
        elif isinstance(item, ModuleType) or _cannot_be_copied(item):
            memo[id(item)] = item
    functions = [item for item in found if isinstance(item, FunctionType) and _needs_a_copy(item)]
    cells: dict[int, CellType] = {}
    for function in functions:
        memo[id(function)] = _emptied(function, cells)
    for item in reversed(found):
        original = _compiled_from(item)
        if original is not None:
            memo[id(item)] = copy.deepcopy(original, memo)
    for function in functions:
        _fill(memo[id(function)], function, memo)
    result: nn.Module = copy.deepcopy(model, memo)
    if dtype is None:
        return result
    return result.double() if dtype == torch.float64 else result.float()  # `to` would make complex buffers real


def uncompiled(model: nn.Module) -> nn.Module:
    """Return the module that `torch.compile` was given, or the module itself."""
    while isinstance(original := _compiled_from(model), nn.Module):
        model = original
    return model


def reachable(roots: Iterable[Any]) -> Iterator[Any]:
    """Yield the objects that lead from the roots to tensors, once each: also through closures and plain containers."""
    seen: set[int] = set()
    waiting = list(roots)
    while waiting:
        item = waiting.pop()
        if type(item) in _ATOMS or id(item) in seen:
            continue
        seen.add(id(item))
        yield item
        waiting.extend(_children(item))


def _children(item: Any) -> Iterable[Any]:
    if isinstance(item, _ENDS):
        return ()
    original = _compiled_from(item)
    if original is not None:
        return (original,)
    if isinstance(item, FunctionType):
        return (
            *_contents(item),
            *(item.__defaults__ or ()),
            *(item.__kwdefaults__ or {}).values(),
            *vars(item).values(),
        )
    return gc.get_referents(item)


def _contents(function: FunctionType) -> list[Any]:
    """Return what the variables of enclosing functions hold."""
    found = []
    for cell in function.__closure__ or ():
        try:
            found.append(cell.cell_contents)
        except ValueError:  # it is empty
            continue
    return found


def _compiled_from(item: Any) -> Any:
    """Return what `torch.compile` was given to make a module or function, or None."""
    if isinstance(item, nn.Module):
        return item._modules.get("_orig_mod")
    return vars(item).get("_torchdynamo_orig_callable") if isinstance(item, FunctionType) else None


def _needs_a_copy(function: FunctionType) -> bool:
    """Whether a function refers to what a copy of the model must not share."""
    if _compiled_from(function) is not None:
        return False
    state = (nn.Module, Tensor, dict, list, set)
    return any(isinstance(item, state) for item in reachable(_children(function)))


def _cannot_be_copied(item: Any) -> bool:
    """Whether an object refuses to be taken apart, as locks and open files do."""
    if isinstance(item, (GeneratorType, CoroutineType, FrameType)):
        return True
    if isinstance(item, (*_CONTAINERS, *_ENDS, nn.Module, FunctionType, MethodType)):
        return False
    if hasattr(type(item), "__deepcopy__"):
        return False
    try:
        item.__reduce_ex__(4)
    except TypeError:
        return True
    return False


def _remember_tensor(tensor: Tensor, dtype: torch.dtype | None, memo: dict[int, Any]) -> None:
    """Note the copy of a tensor, unless `copy.deepcopy` makes the right one."""
    wanted = None if dtype is None else converted(tensor.dtype, dtype)
    if wanted is not None and wanted != tensor.dtype:
        memo[id(tensor)] = tensor.detach().to(wanted)
    elif not tensor.is_leaf:
        memo[id(tensor)] = tensor.detach().clone()


def _emptied(function: FunctionType, cells: dict[int, CellType]) -> FunctionType:
    """Return the function with new variables, shared by those that shared the old ones, still empty."""
    closure = tuple(cells.setdefault(id(cell), CellType()) for cell in function.__closure__ or ())
    made = FunctionType(function.__code__, function.__globals__, function.__name__, None, closure)
    made.__qualname__, made.__module__, made.__doc__ = function.__qualname__, function.__module__, function.__doc__
    return made


def _fill(made: FunctionType, function: FunctionType, memo: dict[int, Any]) -> None:
    for new, old in zip(made.__closure__ or (), function.__closure__ or (), strict=True):
        try:
            new.cell_contents = copy.deepcopy(old.cell_contents, memo)
        except ValueError:  # it is empty
            continue
    made.__defaults__ = copy.deepcopy(function.__defaults__, memo)
    made.__kwdefaults__ = copy.deepcopy(function.__kwdefaults__, memo)
    vars(made).update(copy.deepcopy(vars(function), memo))
