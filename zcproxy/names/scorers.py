"""Scorers by name: a proxy, a sum of ranks, or a list of them."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from zcproxy.errors import ConfigurationError, FormulaError
from zcproxy.formula import Kind
from zcproxy.names.folders import proxy_files
from zcproxy.names.proxies import Settings, proxy_or_set, resolve_proxy, resolve_published
from zcproxy.primitives.zoo import AGGREGATES, NAMES, WITH_TEACHER, published_aggregate
from zcproxy.proxy.aggregate import RULES, Aggregate, Scorer, aggregate_of, members_of, text_of
from zcproxy.proxy.function import FunctionProxy, function_proxy
from zcproxy.proxy.proxy import Proxy
from zcproxy.proxy.score_file import ScoreFile, read_scores
from zcproxy.user_code.chosen_teacher import chosen_teacher
from zcproxy.user_code.references import is_reference

ZOO = "zoo"
"""Stands for all published proxies and aggregates in a list."""

TABLE = ".csv"
"""Ending of files of scores."""

GIVEN_NAME = re.compile(r"\s*([A-Za-z_][\w.-]*)\s*=")
"""The name that a user gives to what follows."""


def resolve_scorer(text: str, settings: str = Settings.COMMON) -> Scorer:
    """Return what a user names to rank networks by.

    That is a proxy (a file, a published name, a formula), a published sum of ranks, or your own, written
    `ranks(synflow, naswot)` or `log_ranks(...)`; a Python function `package.module:function`, see
    `zcproxy.proxy.function`; or a file `scores.csv`, see `zcproxy.proxy.score_file`. Each may be given a name:
    `mine=log_ranks(synflow, sum(log(macs)))`.

    Args:
        text: what the user writes.
        settings: `common`, or `authors`: what is published has its authors' formula, batch size and initialisation.

    Raises:
        ConfigurationError: a sum of ranks has fewer than two members, or a function is not found.
        FormulaError, ProxyFileError: as `resolve_proxy`, for members too.
    """
    if (named := GIVEN_NAME.match(text)) is not None:
        return replace(resolve_scorer(text[named.end() :].strip(), settings), name=named[1])
    if is_reference(text):
        return function_proxy(text)
    if text.endswith(TABLE):
        return read_scores(Path(text))
    if text in AGGREGATES:
        entry = published_aggregate(text)
        found = (resolve_published(member, settings, entry.authors.get(member)) for member in entry.members)
        return Aggregate(entry.name, tuple(found), entry.rule)
    rule, has_members, members = text.partition("(")
    if has_members and rule in RULES:
        if not members.endswith(")"):
            raise FormulaError(f"'{text}' does not end with ')'")
        return Aggregate(text, tuple(resolve_proxy(member, settings) for member in split_names(members[:-1])), rule)
    proxy = proxy_or_set(text, settings)
    return aggregate_of(proxy) if proxy.formula.kind is Kind.RANKING else proxy


def resolve_scorers(text: str, settings: str = Settings.COMMON) -> list[Scorer]:
    """Return what a list of names, separated by commas, stands for.

    `zoo` is all that is published (what compares networks with a teacher where one is chosen), a folder all proxy files
    in it, a run directory those of its front.

    Proxies of the same name (every run of evolution calls its own `best`) go by what the user wrote.

    Args:
        text: names, separated by commas.
        settings: `common` or `authors`, see `resolve_scorer`.

    Raises:
        ConfigurationError: one is named twice.
        FormulaError, ProxyFileError: as `resolve_scorer`.
    """
    names = [name for each in split_names(text) for name in _stands_for(each)]
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise ConfigurationError(f"the proxy '{repeated[0]}' is named twice")
    found = [resolve_scorer(name, settings) for name in names]
    shared = Counter(scorer.name for scorer in found)
    return [
        replace(scorer, name=name) if shared[scorer.name] > 1 else scorer
        for name, scorer in zip(names, found, strict=True)
    ]


def _stands_for(name: str) -> Sequence[str]:
    if name == ZOO:
        return (*NAMES, *(WITH_TEACHER if chosen_teacher() else ()), *AGGREGATES)
    return proxy_files(Path(name)) if os.path.isdir(name) else (name,)


def as_scorers(given: Sequence[Scorer | str | Callable[..., Any]]) -> list[Scorer]:
    """Return what ranks networks, from objects, from texts as `resolve_scorers` reads them, and from functions.

    Args:
        given: scorers, texts, or functions `(model, inputs, targets) -> float` at the top of a module.

    Raises:
        ConfigurationError, FormulaError, ProxyFileError: as `resolve_scorers`; a function is not found by name.
    """
    found: list[Scorer] = []
    for item in given:
        if isinstance(item, str):
            found += resolve_scorers(item)
        elif isinstance(item, Proxy | Aggregate | FunctionProxy | ScoreFile):
            found.append(item)
        else:
            found.append(function_proxy(item))
    return found


def formulas_of(text: str) -> tuple[str, ...]:
    """Return the texts of the formulas in a list as `resolve_scorers` reads it, those of aggregates' members too.

    Raises:
        ConfigurationError: one is a function or a file of scores.
    """
    scorers = resolve_scorers(text)
    for scorer in scorers:
        if not members_of(scorer):
            raise ConfigurationError(f"'{scorer.name}' ({text_of(scorer)}) is not a formula")
    return tuple(dict.fromkeys(str(proxy.formula) for scorer in scorers for proxy in members_of(scorer)))


def split_names(text: str) -> list[str]:
    """Return the parts of a list, separated by commas that are not in parentheses; empty ones are left out."""
    parts, depth = [""], 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts if part.strip()]
