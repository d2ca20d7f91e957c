"""Models of a user: what makes an untrained network from its name."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from torch import nn

from zcproxy.errors import BenchmarkError, ModelError
from zcproxy.models.content import content_of
from zcproxy.text.visible import shortened
from zcproxy.user_code.border import running

LONGEST_NAME = 80
"""Characters of a network's name in messages."""


class Models(Protocol):
    """A source of untrained networks."""

    def make(self, name: str) -> nn.Module:
        """Return the network of a name, its weights from torch's random state. Raises `ModelError`."""
        ...

    def content(self, name: str) -> str:
        """Return a digest of what the network is made by: see `zcproxy.models.content`."""
        ...


class Factory:
    """A function that makes the network of any text.

    Args:
        function: takes the text.
    """

    def __init__(self, function: Callable[[str], nn.Module]) -> None:
        self._function = function
        self._content = content_of(function)

    def make(self, name: str) -> nn.Module:
        """Return the network of a text."""
        with running(f"the network '{shortened(name, LONGEST_NAME)}' cannot be built"):
            made = self._function(name)
        return _checked(made, name)

    def content(self, name: str) -> str:
        """Return the digest of the function: that of the network is the text with it."""
        return self._content


class Collection:
    """Networks, or functions that build one, by name.

    Args:
        entries: modules, of which copies are taken as they are, and functions without arguments.
    """

    def __init__(self, entries: Mapping[str, nn.Module | Callable[[], nn.Module]]) -> None:
        self._entries = dict(entries)
        self._contents: dict[str, str] = {}

    def make(self, name: str) -> nn.Module:
        """Return a network of the collection."""
        if name not in self._entries:
            raise BenchmarkError(f"there is no model '{shortened(name, LONGEST_NAME)}' among the {len(self._entries)}")
        entry = self._entries[name]
        with running(f"the network '{shortened(name, LONGEST_NAME)}' cannot be built"):
            made = copy.deepcopy(entry) if isinstance(entry, nn.Module) else entry()
        return _checked(made, name)

    def content(self, name: str) -> str:
        """Return the digest of a module with its weights, or of a function."""
        if name not in self._contents:
            self._contents[name] = content_of(self._entries[name]) if name in self._entries else ""
        return self._contents[name]

    def trained(self) -> list[str]:
        """Return the names of modules whose batch normalisations have seen data: they are hardly untrained."""
        return [
            name
            for name, entry in self._entries.items()
            if isinstance(entry, nn.Module)
            and any(int(value) > 0 for key, value in entry.named_buffers() if key.endswith("num_batches_tracked"))
        ]


def _checked(made: Any, name: str) -> nn.Module:
    if not isinstance(made, nn.Module):
        raise ModelError(
            f"the network '{shortened(name, LONGEST_NAME)}' is a {type(made).__name__}, expected a torch.nn.Module"
        )
    return made


def named_models(models: object) -> dict[str, Any]:
    """Return models by name; those of a sequence are called `0`, `1`, ...

    Args:
        models: a mapping or sequence of modules, or of functions that build one.

    Raises:
        BenchmarkError: it is something else, empty, has a name that is no text, or holds something else.
    """
    if isinstance(models, Mapping):
        found = dict(models)
    elif isinstance(models, Sequence) and not isinstance(models, str | bytes):
        found = {str(place): model for place, model in enumerate(models)}
    elif isinstance(models, nn.ModuleList | nn.ModuleDict):
        listed: Iterable[tuple[Any, Any]] = models.items() if isinstance(models, nn.ModuleDict) else enumerate(models)
        found = {str(name): model for name, model in listed}
    else:
        raise BenchmarkError(
            f"`models` is a {type(models).__name__}: give a mapping or sequence of modules, or of functions that build "
            "one"
        )
    if not found:
        raise BenchmarkError("`models` is empty: give the networks that have accuracies")
    for name, model in found.items():
        if not isinstance(name, str) or not name.strip():
            raise BenchmarkError(f"`models` has the name {name!r:.80}: names are texts")
        if not callable(model):
            raise BenchmarkError(
                f"the model '{shortened(name, LONGEST_NAME)}' is a {type(model).__name__}: give a torch.nn.Module or a "
                "function that builds one"
            )
    return found
