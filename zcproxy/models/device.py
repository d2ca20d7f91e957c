"""The device that networks are computed on: whether it is there, how exactly it computes, and when it is full."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

from zcproxy.errors import ConfigurationError, ModelError, nearest_names

_FORMS = r"cpu|mps|cuda(:[0-9]{1,3})?"
_FULL = "MPS backend out of memory"
"""Begins what torch raises, of no kind of its own, where the memory of `mps` is full."""


class DeviceMemoryError(ModelError):
    """A network and its minibatch need more memory than the device has."""


def check_device(name: str) -> None:
    """Raise `ConfigurationError` unless the device is `cpu`, `cuda`, `cuda:N` or `mps`, and torch can compute on it."""
    if re.fullmatch(_FORMS, name) is None:
        hint = nearest_names({"gpu": "cuda"}.get(name.lower(), name.lower()[:80]), ("cpu", "cuda", "cuda:0", "mps"))
        raise ConfigurationError(f"unknown device {name[:80]!r}{hint}: write cpu, cuda, cuda:N or mps")
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        reason = "torch finds no Apple GPU here" if name == "mps" else str(error).splitlines()[0]
        raise ConfigurationError(f"the device '{name}' is not available ({reason:.200}): use device=cpu") from error


def is_memory_error(error: BaseException) -> bool:
    """Return whether torch raised an error for lack of memory of a device."""
    return isinstance(error, torch.OutOfMemoryError) or str(error).startswith(_FULL)


@contextmanager
def enough_memory(device: torch.device, samples: int) -> Iterator[None]:
    """Report a lack of memory, and give back what torch keeps of it, so that a smaller network can follow.

    Args:
        device: where the network is.
        samples: of the minibatch.

    Raises:
        DeviceMemoryError: torch found no memory.
    """
    try:
        yield
    except RuntimeError as error:
        if not is_memory_error(error):
            raise
        reason = " ".join(str(error).split()).partition(" If reserved ")[0]
        raise DeviceMemoryError(
            f"{device} has too little memory for it with a batch of {samples} ({reason:.200}): give a smaller batch, "
            "or use device=cpu"
        ) from error


def give_back_memory(device: torch.device) -> None:
    """Let a device have the memory that torch keeps for what is gone."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


@contextmanager
def exact() -> Iterator[None]:
    """Compute in float32 where float32 is asked for, and the same each time, on devices that know quicker ways.

    Convolutions of a GPU round their inputs to ten bits (TF32) unless they are told not to, and may add up in any
    order. What the caller has set is set again at the end.
    """
    backends: Any = torch.backends
    with ExitStack() as stack:
        try:
            precision = torch.get_float32_matmul_precision()
            stack.enter_context(torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False))
        except RuntimeError:  # the caller has set the names of torch 2.9, which do not go with the older ones
            stack.callback(setattr, torch.backends.cudnn, "deterministic", torch.backends.cudnn.deterministic)
            torch.backends.cudnn.deterministic = True
            for place in (backends.cuda.matmul, backends.cudnn.conv, backends.cudnn.rnn):
                stack.callback(setattr, place, "fp32_precision", place.fp32_precision)
                place.fp32_precision = "ieee"
        else:
            stack.callback(torch.set_float32_matmul_precision, precision)
            torch.set_float32_matmul_precision("highest")
        yield
