"""Objects of a user by name: `package.module:attribute`, looked for in the current folder too."""

from __future__ import annotations

import importlib
import math
import re
import sys
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from zcproxy.errors import ConfigurationError, ModelError
from zcproxy.random import derive_seed
from zcproxy.text.whole_numbers import whole_number
from zcproxy.user_code.border import note_module, running
from zcproxy.user_code.permission import check_permitted

LARGEST_INPUT = 2**28
"""Numbers of a minibatch of random inputs: a gigabyte."""

_LONGEST_REFERENCE = 200
_MOST_AXES = 8

_FOLDERS: set[str] = set()
"""Folders that modules of the user were looked for in: what lies there is not installed."""


def check_reference(reference: str) -> None:
    """Raise `ConfigurationError` unless the text has the form `package.module:name`."""
    module, separator, name = reference.partition(":")
    if is_reference(reference) and len(reference) <= _LONGEST_REFERENCE and not module.endswith(".py"):
        return
    shown = reference if len(reference) <= 80 else reference[:77] + "..."
    path = re.sub(r"^(\./)+|\.py$", "", module).replace("/", ".").lstrip(".")
    hint = f"{path or 'package.module'}:{name if separator and name.isidentifier() else 'name'}"
    is_path = all(part.isidentifier() for part in path.split(".")) and len(hint) <= 80
    raise ConfigurationError(f"cannot read '{shown}': write {hint if separator and is_path else 'package.module:name'}")


def is_reference(text: str) -> bool:
    """Whether a text has the form `package.module:name`."""
    module, separator, name = text.partition(":")
    return bool(separator) and name.isidentifier() and all(part.isidentifier() for part in module.split("."))


def reference_at(module: str, name: str, found: object, what: str) -> str:
    """Return the reference of an object that a module has under a name.

    Args:
        module: name of the module.
        name: name that it has there.
        found: the object.
        what: begins the message: what is given.

    Raises:
        ConfigurationError: it is not found there, or in a script or notebook, which worker processes do not import.
    """
    if module == "__main__" or not name.isidentifier() or getattr(sys.modules.get(module), name, None) is not found:
        raise ConfigurationError(
            f"{what} is not found by name: worker processes import it, so put it at the top of a module of your own "
            "and give package.module:name"
        )
    return f"{module}:{name}"


def load_object(reference: str) -> Any:
    """Return the attribute of a module.

    Raises:
        ConfigurationError: the reference has another form, only a stored file names it (see
            `zcproxy.user_code.permission`), module or attribute do not exist, or the module fails.
    """
    check_reference(reference)
    check_permitted(reference)
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
        _FOLDERS.add(here)
    return _imported(reference)


def _imported(reference: str) -> Any:
    """Return the attribute of a module that needs no permission: code of the package. Raises as `load_object`."""
    module_name, _, attribute = reference.partition(":")
    note_module(module_name)
    with running(f"cannot import '{module_name}' of '{reference}'", ConfigurationError):
        module = importlib.import_module(module_name)
        if hasattr(module, attribute):
            return getattr(module, attribute)
    raise ConfigurationError(f"'{module_name}' has no '{attribute}', asked for by '{reference}'")


def offered_names(group: str) -> set[str]:
    """Return the names of the entry points that installed packages have in a group."""
    return set(_offered(group))


def offered_module(name: str, group: str) -> str:
    """Return the module that an entry point of an installed package names. Raises KeyError for a name it has not."""
    return _offered(group)[name].module


def load_offered(name: str, group: str) -> Any:
    """Return what an entry point of this name gives, else what `package.module:name` names.

    Raises:
        ConfigurationError: see `load_object`.
    """
    offered = _offered(group).get(name)
    if offered is None:
        return load_object(name)
    note_module(offered.module)
    with running(f"cannot load '{name}' of an installed package", ConfigurationError):
        return offered.load()


def _offered(group: str) -> dict[str, EntryPoint]:
    """Return the entry points of a group by name, without those in the folder that a user's modules are taken from."""
    return {
        point.name: point
        for point in reversed(list(entry_points(group=group)))  # the first of a name counts, as on the path
        if point.dist is None or str(point.dist.locate_file("")) not in _FOLDERS
    }


def made_by(reference: str, factory: Any, options: Mapping[str, Any] | None = None) -> Any:
    """Return what a class or function makes, given options by name. Raises `ModelError` if it fails."""
    with running(f"'{reference}' failed"):
        return factory(**(options or {}))


def load_model(reference: str, *names: str | int) -> nn.Module:
    """Return what the factory `package.module:factory` makes.

    Args:
        reference: reference of the factory, or of a module.
        names: seed torch's random state for the factory, which is left as it was.

    Raises:
        ConfigurationError: see `load_object`.
        ModelError: the factory raises or makes something else than a module.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed("model", *names))
        factory = load_object(reference)
        if isinstance(factory, nn.Module):
            return factory
        with running(f"the factory '{reference}' failed"):
            model = factory()
    if not isinstance(model, nn.Module):
        raise ModelError(f"the factory '{reference}' made a {type(model).__name__}, expected a torch.nn.Module")
    return model


def parse_shape(text: str) -> tuple[int, ...]:
    """Return the shape written `3x32x32`. Raises `ConfigurationError`."""
    sizes = [whole_number(part) for part in text.lower().split("x")]
    shape = tuple(size for size in sizes if size)
    if len(shape) != len(sizes) or len(shape) > _MOST_AXES:
        shown = text if len(text) <= 80 else text[:77] + "..."
        raise ConfigurationError(f"cannot read the input shape '{shown}': write for example 3x32x32")
    return shape


def random_inputs(shape: tuple[int, ...], batch_size: int, seed: int) -> Tensor:
    """Return Gaussian inputs: batch_size x shape. Raises `ConfigurationError` for more than `LARGEST_INPUT` numbers."""
    size = batch_size * math.prod(shape)
    if size > LARGEST_INPUT:
        raise ConfigurationError(
            f"{batch_size} inputs of shape {'x'.join(map(str, shape)):.80} are too large: at most {LARGEST_INPUT:,} "
            "numbers are drawn"
        )
    generator = torch.Generator().manual_seed(derive_seed("random inputs", seed))
    return torch.randn((batch_size, *shape), generator=generator)
