"""The published proxies as formulas. To add one, write a file with a `PROXY` beside the others, under its name."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from zcproxy.errors import ProxyFileError, nearest_names
from zcproxy.proxy.published import Published, PublishedAggregate

_ENTRIES = [import_module(f"{__name__}.{module.name}").PROXY for module in pkgutil.iter_modules(__path__)]
_PROXIES = {entry.name: entry for entry in _ENTRIES if isinstance(entry, Published)}
_TAUGHT = {name: entry for name, entry in _PROXIES.items() if entry.reads_teacher}
_AGGREGATES = {entry.name: entry for entry in _ENTRIES if isinstance(entry, PublishedAggregate)}

NAMES = tuple(name for name in _PROXIES if name not in _TAUGHT)
"""The published proxies that need no teacher, in alphabetical order."""

WITH_TEACHER = tuple(_TAUGHT)
"""Those that compare a network with a teacher."""

AGGREGATES = tuple(_AGGREGATES)
"""The published sums of ranks, in alphabetical order."""


def published(name: str) -> Published:
    """Return a published proxy. Raises `ProxyFileError` with the nearest names if there is none."""
    if name not in _PROXIES:
        raise ProxyFileError(f"no published proxy is called '{name}'{nearest_names(name, _PROXIES)}")
    return _PROXIES[name]


def published_aggregate(name: str) -> PublishedAggregate:
    """Return a published sum of ranks. Raises `ProxyFileError` with the nearest names if there is none."""
    if name not in _AGGREGATES:
        raise ProxyFileError(f"no published aggregate is called '{name}'{nearest_names(name, AGGREGATES)}")
    return _AGGREGATES[name]
