"""Models of a user by reference: `package.module:name` of a function of an architecture's text, or of a collection."""

from __future__ import annotations

import inspect
from typing import Any

from torch import nn

from zcproxy.contracts.own_models import Collection, Factory, Models, named_models
from zcproxy.user_code.border import running
from zcproxy.user_code.references import load_object


def own_models(reference: str) -> Models:
    """Return what makes networks.

    Args:
        reference: `package.module:name` of a function that takes the text of an architecture and returns the untrained
            network; of a mapping or sequence of modules, or of functions that build one; or of a function without
            arguments that returns such a collection.

    Raises:
        ConfigurationError: there is no such object, or only a stored file names it, see
            `zcproxy.user_code.permission`.
        BenchmarkError: it is something else.
        ModelError: the function without arguments fails.
    """
    named: Any = load_object(reference)
    if callable(named) and not isinstance(named, nn.Module):
        if _takes_text(named):
            return Factory(named)
        with running(f"'{reference}' failed"):
            named = named()
    return Collection(named_models(named))


def _takes_text(function: Any) -> bool:
    """Whether a function can be called with one text."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some functions of C say nothing of their arguments
        return True
    required = [each for each in parameters if each.default is each.empty and each.kind not in _OPTIONAL]
    return bool(required) or (bool(parameters) and all(each.kind in _OPTIONAL for each in parameters))


_OPTIONAL = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
