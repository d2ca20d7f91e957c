"""The one tensor of a model's output that proxies look at: of a tuple, a mapping, or an object with fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeGuard

from torch import Tensor, nn

from zcproxy.errors import ModelError
from zcproxy.probing.around import Around
from zcproxy.text.visible import shortened

PREFERRED = ("logits", "last_hidden_state", "hidden_states")
"""Entries that are taken, in this order, where none is named: as models of Hugging Face call them."""

MOST_SHOWN = 8
"""Entries of an output that a message names."""


def tensor_of(output: object, name: str = "") -> Tensor:
    """Return the tensor of an output that proxies look at.

    That is the output itself if it is a tensor. Of a mapping or an object with fields it is `logits`, else
    `last_hidden_state`, else the last of `hidden_states`, else its only tensor of floats; of a tuple or list the first
    tensor of floats. Single numbers, as losses are, do not count.

    Args:
        output: what a model returned.
        name: the entry to take: a key, a field, or the place in a tuple; empty for the rule above.

    Raises:
        ModelError: there is no such entry, there is no tensor, or there are several that none of these rules tells
            apart.
    """
    entries = _output_entries(output)
    if name:
        found = _entry_tensor(entries.get(name))
        if found is None:
            raise ModelError(
                f"the model returns {_output_in_words(output)}: '{shortened(name, 60)}' is no tensor of it"
            )
        return found
    if isinstance(output, Tensor):
        return output
    for preferred in PREFERRED:
        found = _entry_tensor(entries.get(preferred))
        if found is not None:
            return found
    tensors = [
        each for each in entries.values() if isinstance(each, Tensor) and each.is_floating_point() and each.dim()
    ]
    if not tensors:
        raise ModelError(f"the model returns {_output_in_words(output)}, expected one tensor of logits: wrap it")
    if len(tensors) > 1 and not _is_plain_sequence(output):
        raise ModelError(f"the model returns {_output_in_words(output)}: name the one to take with `output`")
    return tensors[0]


def _may_be_logits(value: object) -> TypeGuard[Tensor]:
    return isinstance(value, Tensor) and value.is_floating_point() and value.dim() > 0


def _is_plain_sequence(output: object) -> bool:
    return isinstance(output, tuple | list) and not hasattr(output, "_fields")


def _output_entries(output: object) -> dict[str, Any]:
    """Return what an output holds, by key, field or place."""
    if isinstance(output, Mapping):
        return {str(key): value for key, value in output.items()}
    if is_dataclass(output):
        return {field.name: getattr(output, field.name, None) for field in fields(output)}
    if isinstance(output, tuple | list):
        names = getattr(output, "_fields", range(len(output)))
        return {str(name): value for name, value in zip(names, output, strict=True)}
    return {}


def _entry_tensor(value: object) -> Tensor | None:
    """Return a tensor, or the last one of several; None for anything else."""
    if isinstance(value, tuple | list) and value:
        value = value[-1]
    return value if isinstance(value, Tensor) else None


def _output_in_words(output: object) -> str:
    """Return what an output is in words: `dict of loss (float32, a single number), hidden (NoneType)`."""
    entries = _output_entries(output)
    kind = shortened(type(output).__name__, 60)
    if not entries:
        return kind
    shown = [f"{shortened(key, 40)} ({_entry_in_words(value)})" for key, value in list(entries.items())[:MOST_SHOWN]]
    return f"{kind} of {', '.join(shown)}{' and others' if len(entries) > MOST_SHOWN else ''}"


def _entry_in_words(value: object) -> str:
    if not isinstance(value, Tensor):
        return shortened(type(value).__name__, 40)
    shape = "x".join(map(str, value.shape)) or "a single number"
    return f"{str(value.dtype).removeprefix('torch.')}, {shape}"


class NamedOutput(Around):
    """A model that returns one entry of what another one returns.

    Args:
        model: the other.
        name: the entry, see `tensor_of`.
    """

    def __init__(self, model: nn.Module, name: str) -> None:
        super().__init__(model)
        self.name = name

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the entry for a batch of the other's inputs. Raises `ModelError` where it is no tensor."""
        return tensor_of(self.model(inputs), self.name)
