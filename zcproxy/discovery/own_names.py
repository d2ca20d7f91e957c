"""Names for models without one, by their content: a network is then the same in every part of a cross-validation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from torch import nn

from zcproxy.contracts.own_models import named_models
from zcproxy.errors import BenchmarkError
from zcproxy.models.content import content_of
from zcproxy.text.escaping import plain
from zcproxy.text.visible import shortened

LONGEST = 48
"""Characters of a name before its digest."""

DIGITS = 8
"""Hexadecimal digits of the digest."""

_SHOWN = (bool, int, float, str)
"""Arguments that are shown: those of other types may say where they lie in memory."""


def named_by_content(models: object) -> dict[str, Any]:
    """Return models by name: their own, or what they are made by and a digest of it.

    One that occurs again has its number behind it.

    Args:
        models: a mapping, sequence, array or series of modules, or of functions that build one.

    Raises:
        BenchmarkError: it is something else, empty, or holds something else.
    """
    if isinstance(models, np.ndarray) and models.ndim != 1:
        raise BenchmarkError(
            f"`models` is an array of {models.ndim} dimensions: give a list, or one dimension of dtype object"
        )
    if isinstance(models, np.ndarray | pd.Series):
        models = list(models)
    known = named_models(models)
    if isinstance(models, Mapping):
        return known
    seen: Counter[str] = Counter()
    found = {}
    for model in known.values():
        name = f"{shortened(plain(_made_by(model)), LONGEST)} {content_of(model)[:DIGITS]}"
        seen[name] += 1
        found[name if seen[name] == 1 else f"{name} ({seen[name]})"] = model
    return found


def _made_by(model: Any) -> str:
    """Return what makes a model, in words that do not depend on the process: `network(3, 40)`."""
    if isinstance(model, partial):
        given = [_shown(value) for value in model.args]
        given += [f"{name}={_shown(value)}" for name, value in model.keywords.items()]
        return f"{_made_by(model.func)}({', '.join(given)})"
    if isinstance(model, nn.Module):
        return type(model).__name__
    return str(getattr(model, "__name__", type(model).__name__))


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, _SHOWN) else type(value).__name__
