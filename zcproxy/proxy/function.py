"""Proxies that are a Python function of the user."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, nn

from zcproxy.errors import ConfigurationError, ModelError
from zcproxy.models.initialisation import OWN
from zcproxy.text.visible import shortened
from zcproxy.user_code.border import running
from zcproxy.user_code.references import load_object, reference_at

BATCH_SIZE = 16
"""Samples of a minibatch, as for published proxies, where the function has no attribute `batch_size`."""


@dataclass(frozen=True)
class FunctionProxy:
    """A function `(model, inputs, targets) -> float`, where higher means that a higher accuracy is expected.

    Attributes:
        name: what users call it.
        reference: `package.module:function`, by which worker processes find it.
        batch_size: samples of the minibatch that it is given.
        rule: by which weights are drawn: the model's own.
    """

    name: str
    reference: str
    batch_size: int = BATCH_SIZE
    rule: str = OWN

    def __call__(self, model: nn.Module, inputs: Tensor, targets: Tensor | None = None) -> float:
        """Return the score of a network, which the function may change.

        Args:
            model: untrained.
            inputs: samples x ...
            targets: samples, int64 classes.

        Returns:
            The score; NaN where the function returns NaN or an infinity.

        Raises:
            ModelError: the function raises, or returns something else than one number.
            ConfigurationError: it is not found.
        """
        function = load_function(self.reference)
        with running("it failed"):
            found: Any = function(model, inputs, targets)
        return _number(found)


def function_proxy(reference: str | Callable[..., Any]) -> FunctionProxy:
    """Return the proxy that a function of the user is.

    Args:
        reference: `package.module:function`, or what stands there.

    Raises:
        ConfigurationError: there is none, or worker processes would not find it.
    """
    if not isinstance(reference, str):
        module, name = getattr(reference, "__module__", ""), getattr(reference, "__qualname__", "")
        where = reference_at(module, name, reference, f"the function {shortened(repr(reference), 80)}")
        return replace(function_proxy(where), name=name)
    batch_size = getattr(load_function(reference), "batch_size", BATCH_SIZE)
    if not isinstance(batch_size, int) or batch_size < 1:
        raise ConfigurationError(f"{reference} has batch_size={str(batch_size)[:40]}: give a whole number above 0")
    return FunctionProxy(reference, reference, batch_size)


def load_function(reference: str) -> Callable[..., Any]:
    """Return the function that a reference names. Raises `ConfigurationError`."""
    found = load_object(reference)
    if not callable(found) or isinstance(found, type | nn.Module):
        raise ConfigurationError(
            f"{reference} is a {type(found).__name__}, expected a function (model, inputs, targets) -> float"
        )
    return found


def _number(value: Any) -> float:
    if isinstance(value, bool) or (isinstance(value, Tensor) and value.numel() != 1):
        value = None if isinstance(value, bool) else tuple(value.shape)
    try:
        number = float(value.detach() if isinstance(value, Tensor) else value)
    except (TypeError, ValueError) as error:
        what = f"a tensor of shape {value}" if isinstance(value, tuple) else f"a {type(value).__name__}"
        raise ModelError(f"it returns {what}, expected one number") from error
    return number if math.isfinite(number) else math.nan
