"""Minibatches, and how one is made of what a user has: arrays, a dataset, or a loader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from zcproxy.contracts.dataset import alternating_order
from zcproxy.errors import BenchmarkError
from zcproxy.random import array_generator, derive_seed
from zcproxy.user_code.border import running

MOST_SAMPLES = 64
"""Samples that are kept of a user's data."""

LOOKED_AT = 512
"""Samples of a dataset, or of a loader, that those are chosen from, so that classes take turns."""

_EMPTY = "`data` is empty: give at least one sample, or leave it out"


@dataclass(frozen=True)
class Batch:
    """A minibatch for the probes that need real data.

    Attributes:
        inputs: float32, samples x channels x height x width, normalised as the benchmark's training does; or token ids,
            int64, samples x length.
        targets: int64, samples.
    """

    inputs: torch.Tensor
    targets: torch.Tensor


def noise_inputs(shape: tuple[int, ...], generator: torch.Generator, vocabulary: int = 0) -> torch.Tensor:
    """Return Gaussian inputs; or random token ids, int64, where there is a vocabulary: 0, which pads, is not drawn."""
    if vocabulary:
        return torch.randint(1, vocabulary, shape, generator=generator)
    return torch.randn(shape, generator=generator)


def noise_batch(input_shape: tuple[int, ...], classes: int, size: int, vocabulary: int = 0) -> Batch:
    """Return Gaussian inputs, or random token ids of a vocabulary, and random classes, always the same."""
    generator = torch.Generator().manual_seed(derive_seed("noise batch", size))
    inputs = noise_inputs((size, *input_shape), generator, vocabulary)
    return Batch(inputs, torch.randint(classes, (size,), generator=generator))


def batch_of(data: Any, input_shape: tuple[int, ...], *, any_targets: bool = False) -> Batch:
    """Return at most `MOST_SAMPLES` samples of a user's data, in an order in which classes take turns.

    Args:
        data: inputs and classes as two tensors or arrays; a dataset whose items are (input, class); a loader that
            yields (inputs, classes); or a function that returns one of these.
        input_shape: shape of one sample.
        any_targets: whether targets may be other tensors than classes, for a loss of the user; samples are then in
            random order.

    Raises:
        BenchmarkError: it is something else, or inputs and classes do not fit the shape or each other.
        ModelError: the function, dataset or loader raises.
    """
    with running("`data` failed"):
        is_function = callable(data) and not hasattr(data, "__getitem__") and not hasattr(data, "__iter__")
        inputs, targets = (torch.as_tensor(part).detach().cpu() for part in _arrays(data() if is_function else data))
    if tuple(inputs.shape[1:]) != input_shape or not len(inputs):
        raise BenchmarkError(
            f"`data` has inputs of shape {tuple(inputs.shape)}: expected samples x {' x '.join(map(str, input_shape))}"
        )
    if any_targets:
        return _shuffled(inputs, targets)
    if targets.shape != inputs.shape[:1] or targets.is_floating_point() or targets.is_complex():
        raise BenchmarkError(
            f"`data` has targets of {targets.dtype} and shape {tuple(targets.shape)}: expected one whole number, the "
            f"class, for each of {len(inputs)} samples; leave `data` out for other targets"
        )
    inputs, targets = inputs.to(torch.float32), targets.to(torch.int64)
    if not bool(torch.isfinite(inputs).all()) or int(targets.min()) < 0:
        raise BenchmarkError("`data` has inputs that are not finite, or a class below 0")
    order = alternating_order(targets.numpy(), array_generator("own data"))[:MOST_SAMPLES]
    return Batch(inputs[order].contiguous(), targets[order])


def _shuffled(inputs: torch.Tensor, targets: torch.Tensor) -> Batch:
    """Return samples in random order with targets of any kind, one for each."""
    if targets.shape[:1] != inputs.shape[:1]:
        raise BenchmarkError(f"`data` has {len(inputs)} inputs and targets of shape {tuple(targets.shape)}")
    order = torch.from_numpy(array_generator("own data").permutation(len(inputs))[:MOST_SAMPLES])
    return Batch(inputs[order].to(torch.float32), targets[order])


def _arrays(made: Any) -> tuple[Any, Any]:
    """Return inputs and targets."""
    if isinstance(made, tuple | list) and len(made) == 2 and all(hasattr(part, "shape") for part in made):
        return made[0], made[1]
    if hasattr(made, "__getitem__") and hasattr(made, "__len__") and not isinstance(made, str | dict):
        items = [_pair(made[place]) for place in range(min(len(made), LOOKED_AT))]
    elif hasattr(made, "__iter__") and not isinstance(made, str | dict):
        return _joined(made)
    else:
        raise BenchmarkError(
            f"`data` is a {type(made).__name__}: expected (inputs, classes), a dataset, a loader, or a function that "
            "returns one"
        )
    if not items:
        raise BenchmarkError(_EMPTY)
    inputs, targets = (np.stack([np.asarray(item[place]) for item in items]) for place in (0, 1))
    return inputs, targets


def _pair(item: Any) -> tuple[Any, Any]:
    if not isinstance(item, tuple | list) or len(item) != 2:
        raise BenchmarkError(f"`data` has an item that is a {type(item).__name__}: expected pairs (inputs, classes)")
    return item[0], item[1]


def _joined(loader: Any) -> tuple[Any, Any]:
    """Return the first batches as one, up to `LOOKED_AT` samples."""
    inputs: list[torch.Tensor] = []
    targets: list[torch.Tensor] = []
    for item in loader:
        values, classes = _pair(item)
        inputs.append(torch.as_tensor(values))
        targets.append(torch.as_tensor(classes))
        if sum(map(len, inputs)) >= LOOKED_AT:
            break
    if not inputs:
        raise BenchmarkError(_EMPTY)
    return torch.cat(inputs)[:LOOKED_AT], torch.cat(targets)[:LOOKED_AT]
