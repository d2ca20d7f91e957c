"""Digest of what an object of a user is made of: code, the values that it uses, and the tensors that it holds."""

from __future__ import annotations

import hashlib
import inspect
import sys
import sysconfig
import types
from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

DIGITS = 16
"""Hexadecimal digits of a digest."""

_LIBRARIES = (
    *(path for name, path in sysconfig.get_paths().items() if name.endswith(("stdlib", "lib"))),
    str(Path(torch.__file__).parents[1]),
)
_FOLDERS_OF_PACKAGES = ("site-packages", "dist-packages")
_PLAIN = (type(None), bool, int, float, complex, str, bytes, type(...), range)
_UNSHARED = (tuple, frozenset, types.CodeType)
"""Whether two of these that are equal are one object is chance; circles go through other objects too."""

_OF_THE_LANGUAGE = frozenset(
    {"__dict__", "__weakref__", "__doc__", "__module__", "__firstlineno__", "__static_attributes__"}
)


def content_of(value: object) -> str:
    """Return a digest that changes with the content of an object, and is the same in every process.

    Of functions it has the code, defaults, what they close over, and the functions, classes and values of the user that
    the code names; of classes their methods and bases; of modules of torch all attributes, weights among them. What
    installed packages define counts by its name alone. Comments and line numbers do not count, and neither does what
    code finds by other ways than by name: files, or `getattr` with a text that is put together.

    Args:
        value: a function, a `functools.partial`, a `torch.nn.Module`, or what holds some.
    """
    return _Content().digest(value)


class _Content:
    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._places: dict[int, int] = {}
        self._alive: list[object] = []
        """What was met stays alive, so that no other object takes its identity."""

    def digest(self, value: object) -> str:
        self._add(value)
        return self._digest.hexdigest()[:DIGITS]

    def _note(self, *texts: str) -> None:
        for text in texts:
            self._digest.update(f"{len(text)}:{text}".encode("utf-8", "surrogatepass"))

    def _add(self, value: object) -> None:
        """Add what a value is made of; what was met before counts by its place, so that circles end."""
        if isinstance(value, _PLAIN):
            self._note(type(value).__name__, repr(value))
            return
        if id(value) in self._places:
            self._note("again", str(self._places[id(value)]))
            return
        if not isinstance(value, _UNSHARED):
            self._places[id(value)] = len(self._places)
            self._alive.append(value)
        if isinstance(value, types.ModuleType):
            self._note("module", value.__name__)
            if not _is_installed(value):
                self._note(_source(value))
        elif isinstance(value, type | types.FunctionType) and _is_installed(sys.modules.get(value.__module__)):
            self._note("named", f"{value.__module__}.{value.__qualname__}")
        else:
            self._note(type(value).__qualname__)
            for part in self._parts(value):
                self._add(part)

    def _parts(self, value: Any) -> Iterator[object]:
        """Yield what an object is made of, in an order that does not depend on the process."""
        if isinstance(value, types.CodeType):
            yield from _of_code(value)
        elif isinstance(value, types.FunctionType):
            cells = value.__closure__ or ()
            yield from (value.__code__, value.__defaults__, value.__kwdefaults__)
            yield from (cell.cell_contents for cell in cells if _is_filled(cell))
            yield from (value.__globals__[name] for name in _names_of(value.__code__) if name in value.__globals__)
        elif isinstance(value, type):
            own = {name: each for name, each in vars(value).items() if name not in _OF_THE_LANGUAGE}
            yield from (value.__qualname__, value.__bases__, own)
        elif isinstance(value, partial):
            yield from (value.func, value.args, value.keywords)
        elif isinstance(value, types.MethodType):
            yield from (value.__func__, value.__self__)
        elif isinstance(value, staticmethod | classmethod):
            yield value.__func__
        elif isinstance(value, property):
            yield from (value.fget, value.fset, value.fdel)
        elif isinstance(value, cached_property):
            yield value.func
        else:
            yield from _of_data(value)


def _of_data(value: Any) -> Iterator[object]:
    """Yield the parts of containers, tensors and other objects."""
    if isinstance(value, torch.Tensor):
        yield from _of_array(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
        yield from (str(value.dtype), tuple(value.shape), value.requires_grad)
    elif isinstance(value, np.ndarray) and value.dtype.hasobject:
        yield from value.ravel().tolist()
    elif isinstance(value, np.ndarray):
        yield from _of_array(value)
    elif isinstance(value, np.generic):
        yield from (str(value.dtype), value.item())
    elif isinstance(value, Mapping):
        yield from (part for item in value.items() for part in item)
    elif isinstance(value, set | frozenset):
        yield from sorted(map(content_of, value))
    elif isinstance(value, tuple | list):
        yield from value
    else:
        yield from (type(value), getattr(value, "__qualname__", ""))
        yield from (part for item in sorted(getattr(value, "__dict__", {}).items()) for part in item)
        text = "" if hasattr(value, "__dict__") else repr(value)
        yield text if " at 0x" not in text else ""


def _of_array(array: np.ndarray[Any, Any]) -> Iterator[object]:
    yield from (str(array.dtype), array.shape, hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest())


def _of_code(code: types.CodeType) -> Iterator[object]:
    yield from (code.co_code, code.co_consts, code.co_names, code.co_varnames, code.co_freevars)


def _names_of(code: types.CodeType) -> Iterator[str]:
    """Yield the names that a code and those inside it look up, each once and in order."""
    inner = (each for each in code.co_consts if isinstance(each, types.CodeType))
    yield from dict.fromkeys([*code.co_names, *(name for each in inner for name in _names_of(each))])


def _is_filled(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:  # a variable that is not bound yet
        return False


def _is_installed(module: types.ModuleType | None) -> bool:
    """Whether a module belongs to Python, to an installed package, or to zcproxy."""
    if module is None or module.__name__ == "__main__":
        return False
    if module.__name__.partition(".")[0] in sys.builtin_module_names or module.__name__.startswith("zcproxy."):
        return True
    file = str(getattr(module, "__file__", None) or "")
    return file.startswith(("<", *_LIBRARIES)) or any(name in Path(file).parts for name in _FOLDERS_OF_PACKAGES)


def _source(module: types.ModuleType) -> str:
    try:
        return inspect.getsource(module)
    except (OSError, TypeError):  # without a file
        return ""
