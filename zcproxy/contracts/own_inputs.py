"""Inputs of models that take several tensors: packed into one tensor of floats, which probes may replace."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from zcproxy.errors import BenchmarkError, ModelError
from zcproxy.text.visible import shortened

LONGEST = 60
"""Characters of a name in messages."""

_CONSTANTS = (type(None), bool, int, float, str)


@dataclass(frozen=True)
class Part:
    """One argument of a model.

    Attributes:
        keyword: its name; empty for a positional one.
        shape: of one sample, where probes replace it; None for what is the same for every sample.
        constant: what the model is given where `shape` is None: a tensor of 1 x ..., repeated per sample, or a value.
    """

    keyword: str
    shape: tuple[int, ...] | None = None
    constant: Any = None

    @property
    def size(self) -> int:
        """Numbers of one sample that probes replace."""
        return 0 if self.shape is None else math.prod(self.shape)


@dataclass(frozen=True)
class OwnInputs:
    """How a model is called, and which of its arguments probes replace.

    Attributes:
        parts: its arguments, the positional ones in order.
    """

    parts: tuple[Part, ...]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one sample, packed."""
        return (sum(part.size for part in self.parts),)

    def pack(self, batch: Any) -> Tensor:
        """Return the floats of a batch like the one that this was made of: samples x `input_shape`, float32."""
        values = [value for part, (_, value) in zip(self.parts, _named(batch), strict=True) if part.shape is not None]
        return torch.cat([_per_sample(value).detach().cpu().float().flatten(1) for value in values], 1)

    def arguments(self, packed: Tensor) -> tuple[list[Any], dict[str, Any]]:
        """Return positional arguments and keywords for samples x `input_shape`."""
        positional, keywords, start = [], {}, 0
        for part in self.parts:
            value = _constant(part, packed)
            if part.shape is not None:
                value = packed[:, start : start + part.size].reshape(len(packed), *part.shape)
                start += part.size
            if part.keyword:
                keywords[part.keyword] = value
            else:
                positional.append(value)
        return positional, keywords

    def wrapped(self, model: Any) -> Any:
        """Return a model, or what builds one, that takes the packed tensor."""
        return OneInput(model, self) if isinstance(model, nn.Module) else Wrapping(model, self)


class OneInput(nn.Module):
    """A model that takes one tensor of floats, and calls another with its arguments.

    Args:
        model: the other.
        inputs: how it is called.
    """

    def __init__(self, model: nn.Module, inputs: OwnInputs) -> None:
        super().__init__()
        self.model, self.inputs = model, inputs

    def forward(self, packed: Tensor) -> Any:
        """Return the output for samples x `inputs.input_shape`."""
        positional, keywords = self.inputs.arguments(packed)
        return self.model(*positional, **keywords)


@dataclass(frozen=True)
class Wrapping:
    """Builds a `OneInput`.

    Attributes:
        build: builds the model in it.
        inputs: how that is called.
    """

    build: Callable[[], Any]
    inputs: OwnInputs

    def __call__(self) -> nn.Module:
        """Return the model. Raises `ModelError` where none is built."""
        model = self.build()
        if not isinstance(model, nn.Module):
            raise ModelError(f"a {type(model).__name__} is built, expected a torch.nn.Module")
        return OneInput(model, self.inputs)


def one_input(model: nn.Module, batch: Any) -> tuple[nn.Module, Tensor]:
    """Return a model of several inputs as one that takes a single tensor, and that tensor: what a proxy is called with.

    Probes replace what a network is shown by noise, by ones, and by parts of the batch. So every argument is a tensor
    of floats, which they replace, or the same for all samples (a mask, positions, a flag). Token ids are refused: no
    embedding takes noise. Wrap such a model so that it takes what comes after the embedding.

    Args:
        model: called as `model(*batch)` for a tuple, `model(**batch)` for a mapping.
        batch: tensors or arrays of samples x ..., of two samples or more where whole numbers or truth values are among
            them; and constants.

    Returns:
        The module, whose weights are those of the model, and samples x numbers of all float arguments, float32.

    Raises:
        BenchmarkError: an argument can neither be replaced nor is it the same for all samples, or samples differ in
            number.

    Example:
        >>> import torch, zcproxy
        >>> from torch import nn
        >>> class Scaled(nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.layers = nn.Sequential(nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 3))
        ...     def forward(self, values, scale, mask=None):
        ...         return self.layers(values * mask) * scale
        >>> batch = {"values": torch.randn(4, 12), "scale": torch.randn(4, 1), "mask": torch.ones(4, 12).bool()}
        >>> model, inputs = zcproxy.one_input(Scaled(), batch)
        >>> inputs.shape
        torch.Size([4, 13])
        >>> isinstance(zcproxy.load_proxy("zc-general")(model, inputs), float)
        True
    """
    if not isinstance(model, nn.Module):
        raise ModelError(f"the model is a {type(model).__name__}, expected a torch.nn.Module")
    inputs = inputs_of(batch)
    return OneInput(model, inputs), inputs.pack(batch)


def inputs_of(batch: Any) -> OwnInputs:
    """Return how models are called with a batch; see `one_input`. Raises `BenchmarkError`."""
    named = _named(batch)
    tensors = {shown: _tensor(value) for shown, value in named if not isinstance(value, _CONSTANTS)}
    if not tensors:
        raise BenchmarkError("`batch` holds no tensor: give what a model is called with")
    first, samples = next((shown, len(value) if value.dim() else 0) for shown, value in tensors.items())
    if not samples:
        raise BenchmarkError(f"{first} holds no sample: give a tensor of samples x ...")
    parts = []
    keywords = list(batch) if isinstance(batch, Mapping) else [""] * len(named)
    for keyword, (shown, value) in zip(keywords, named, strict=True):
        parts.append(_part(shown, keyword, tensors.get(shown), value, samples))
    if not any(part.size for part in parts):
        raise BenchmarkError(f"`batch` holds no tensor of floats, which is what probes replace: {_AFTER_EMBEDDING}")
    return OwnInputs(tuple(parts))


_AFTER_EMBEDDING = "wrap models of token ids so that they take what comes after the embedding"


def _part(shown: str, keyword: str, tensor: Tensor | None, value: Any, samples: int) -> Part:
    if tensor is None:
        return Part(keyword, constant=value)
    if tensor.dim() == 0 or len(tensor) != samples:
        rows = f"{len(tensor)} samples" if tensor.dim() else "no samples"
        raise BenchmarkError(f"{shown} has {rows}, others have {samples}: give samples x ... for every tensor")
    if tensor.is_floating_point():
        return Part(keyword, tuple(tensor.shape[1:]))
    kind = str(tensor.dtype).removeprefix("torch.")
    if samples < 2:
        raise BenchmarkError(f"{shown} is {kind}: give two samples or more, so that what differs between them is seen")
    if tensor.is_complex() or bool((tensor != tensor[:1]).any()):
        raise BenchmarkError(
            f"{shown} is {kind} and differs between samples: probes replace inputs by noise and by ones, which it does "
            f"not take; {_AFTER_EMBEDDING}, or give what is the same for all samples"
        )
    return Part(keyword, constant=tensor[:1].detach().cpu().clone())


def _named(batch: Any) -> list[tuple[str, Any]]:
    """Return the arguments in a batch, each with what messages call it."""
    if isinstance(batch, Mapping):
        wrong = next((key for key in batch if not isinstance(key, str) or not key.isidentifier()), None)
        if wrong is not None:
            raise BenchmarkError(f"`batch` has the key {wrong!r:.{LONGEST}}: keys are names of arguments")
        return [(f"`batch['{key}']`", value) for key, value in batch.items()]
    if isinstance(batch, Tensor | np.ndarray):
        return [("`batch`", batch)]
    if isinstance(batch, Sequence) and not isinstance(batch, str):
        return [(f"`batch[{place}]`", value) for place, value in enumerate(batch)]
    raise BenchmarkError(
        f"`batch` is a {type(batch).__name__}: give what a model is called with, a tensor, a tuple of tensors, or a "
        "dictionary by argument"
    )


def _tensor(value: Any) -> Tensor:
    try:
        return torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise BenchmarkError(
            f"`batch` has a {shortened(type(value).__name__, LONGEST)}: give tensors, arrays, numbers, texts or None"
        ) from error


def _per_sample(value: Any) -> Tensor:
    """Return samples x numbers, one number for each sample where there is no other axis."""
    tensor = _tensor(value)
    return tensor[:, None] if tensor.dim() == 1 else tensor


def _constant(part: Part, packed: Tensor) -> Any:
    if not isinstance(part.constant, Tensor):
        return part.constant
    return part.constant.to(packed.device).expand(len(packed), *part.constant.shape[1:])
