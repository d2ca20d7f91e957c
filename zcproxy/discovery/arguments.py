"""Arguments of an estimator as the library takes them: they are checked when they are used, not when they are given."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zcproxy.errors import BenchmarkError, ConfigurationError

MOST = 2**31
"""Seeds that are drawn are below this."""

LONGEST = 40
"""Characters that messages show of an argument."""


def whole(name: str, value: Any, least: int = 1) -> int:
    """Return a whole number. Raises `ConfigurationError` where it is none, or below the least."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ConfigurationError(f"{name}={str(value)[:LONGEST]} is not a whole number from {least} on")
    return int(value)


def seed_of(random_state: Any) -> int:
    """Return the seed that a random state of scikit-learn's habit stands for.

    Args:
        random_state: the seed; a `RandomState` or `Generator`, which it is drawn from; None for numpy's global state.

    Raises:
        ConfigurationError: it is something else.
    """
    if random_state is None:
        return int(np.random.randint(MOST))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(MOST))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(MOST))
    return whole("random_state", random_state, 0)


def workers_of(n_jobs: Any) -> int:
    """Return how many processes a number of jobs of scikit-learn's habit stands for. Raises `ConfigurationError`."""
    if n_jobs is None:
        return 1
    if isinstance(n_jobs, int | np.integer) and n_jobs == -1:
        return os.cpu_count() or 1
    return whole("n_jobs", n_jobs)


def families_of(families: Any) -> tuple[str, ...]:
    """Return names of families, given one or several. Raises `ConfigurationError`."""
    names = (families,) if isinstance(families, str) else tuple(families or ())
    if not all(isinstance(name, str) for name in names):
        raise ConfigurationError(f"families={str(families)[:LONGEST]} are not names: give texts such as 'embedded'")
    return names


def shape_of(input_shape: Any, data: Any) -> Sequence[int]:
    """Return the shape of a sample: as given, or that of the data where they are arrays. Raises `BenchmarkError`."""
    if input_shape is not None:
        return input_shape
    inputs = data[0] if isinstance(data, tuple | list) and data else None
    shape = getattr(inputs, "shape", ())
    if len(shape) < 2:
        raise BenchmarkError("`input_shape` is missing: give the shape of one sample, for example (3, 32, 32)")
    return tuple(int(size) for size in shape[1:])


def labels_in_order(models: object, labels: Any) -> Any:
    """Return labels of models without names as a list: the index of a part of a series says nothing of them.

    Raises:
        BenchmarkError: there are none, or they have names where the models have none.
    """
    if labels is None:
        raise BenchmarkError("`y` is missing: give one accuracy per model")
    if isinstance(models, Mapping):
        return labels
    if isinstance(labels, Mapping):
        raise BenchmarkError("`y` has names and `models` have none: give a mapping of models, or a list of labels")
    return list(labels) if hasattr(labels, "__iter__") and getattr(labels, "ndim", 1) == 1 else labels
