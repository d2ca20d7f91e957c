"""Candidates by name: proxies, files, and folders of files such as the front of a run."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from zcproxy.errors import ConfigurationError, FormulaError, ProxyFileError
from zcproxy.formula import Kind
from zcproxy.names.folders import proxy_files
from zcproxy.names.proxies import load_proxy, resolve_proxy
from zcproxy.names.scorers import ZOO, split_names
from zcproxy.primitives.zoo import NAMES
from zcproxy.proxy.proxy import Proxy

FEWEST, MOST = 2, 500
"""Candidates that there have to be, and may be."""

PATH = re.compile(r"[\w.~-]*(/[\w.~-]+)+/?")
"""What may be the path of a file or folder."""


def resolve_candidates(text: str) -> list[Proxy]:
    """Return the proxies that a list of names stands for, each called what the user calls it.

    Args:
        text: separated by commas: proxies as `zcproxy.names.proxies.resolve_proxy` takes them, folders of proxy files,
            run directories (their front), or `zoo`: all published proxies. The first is the general one.

    Raises:
        ConfigurationError: the first is a folder or `zoo`; an aggregate is named, which is not a formula; there are too
            few or too many.
        FormulaError, ProxyFileError: as `resolve_proxy`.
    """
    names = split_names(text)
    if names and (names[0] == ZOO or os.path.isdir(names[0])):
        raise ConfigurationError(
            f"the first candidate is the general one, and '{names[0]}' stands for several: begin with one proxy, for "
            f"example zc-general,{names[0]}"
        )
    return checked_candidates([proxy for name in names for proxy in _named(name)])


def checked_candidates(proxies: Sequence[Proxy]) -> list[Proxy]:
    """Return proxies without those that compute what an earlier one computes.

    Raises:
        ConfigurationError: two or more are needed, of different names; or they are too many, or one is a set of
            formulas.
    """
    sets = [proxy.name for proxy in proxies if proxy.formula.kind is Kind.RANKING]
    if sets:
        raise ConfigurationError(f"'{sets[0]}' is a set of formulas, which scores no network alone: name its formulas")
    distinct = {(proxy.formula, proxy.batch_size, proxy.rule): proxy for proxy in reversed(proxies)}
    found = [proxy for proxy in proxies if distinct[proxy.formula, proxy.batch_size, proxy.rule] is proxy]
    if not FEWEST <= len(found) <= MOST:
        raise ConfigurationError(
            f"{len(found)} different candidates: name {FEWEST} to {MOST}, the general one first, for example "
            "zc-general,runs/x/front"
        )
    names = [proxy.name for proxy in found]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise ConfigurationError(f"two candidates are called '{repeated}': give each a name of its own")
    return found


def _named(name: str) -> list[Proxy]:
    """Return the proxies that one name stands for."""
    if name == ZOO:
        return [resolve_proxy(each) for each in NAMES]
    if not os.path.isdir(name):
        try:
            return [replace(resolve_proxy(name), name=name)]
        except FormulaError as error:
            if PATH.fullmatch(name) is None:
                raise
            raise ProxyFileError(f"there is no file or folder {name}, and it is no formula either: {error}") from error
    return [replace(load_proxy(file), name=file) for file in proxy_files(Path(name))]
