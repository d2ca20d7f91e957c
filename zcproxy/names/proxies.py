"""Proxies by name: a file, one that comes with the package, a published one, or a formula."""

from __future__ import annotations

import os
import re
from enum import StrEnum
from pathlib import Path

from zcproxy import proxies
from zcproxy.errors import ConfigurationError, FormulaError, ProxyFileError, check_known, nearest_names
from zcproxy.formula import Kind
from zcproxy.formula.language import FIELD
from zcproxy.models.initialisation import OWN
from zcproxy.primitives import parse
from zcproxy.primitives.zoo import AGGREGATES, NAMES, WITH_TEACHER, published, published_aggregate
from zcproxy.proxy.authors import Authors
from zcproxy.proxy.file import MODELS_OWN, plugin_advice, read_proxy_file
from zcproxy.proxy.proxy import Proxy
from zcproxy.proxy.published import Published
from zcproxy.text.visible import shortened
from zcproxy.user_code.references import is_reference

BASELINE = "baseline"
"""The text of params and FLOPs where a benchmark's table has them, in place of a formula."""


ALONE = (*NAMES, *WITH_TEACHER)
"""The published proxies that score a network alone."""

_PATH = re.compile(r"[\w.~-]*(/[\w.~-]+)+/?")
"""A text that may well be the path of a file or folder."""


class Settings(StrEnum):
    """Settings of published proxies: the same for all, those of the authors of each, or the common ones in float32."""

    COMMON = "common"
    AUTHORS = "authors"
    FAST = "fast"


def reported_tau(name: str, text: str, task: str, population: str) -> tuple[float, float] | None:
    """Return the lowest and highest tau that papers report of a published proxy, None if there is none.

    Args:
        name: name of the proxy or baseline.
        text: what it computes: a user may call something else by the name of a published proxy.
        task: name of the task.
        population: `all` or `pruned`.
    """
    if name not in (*ALONE, *AGGREGATES):
        return None
    entry = published(name) if name in ALONE else published_aggregate(name)
    own = _formulas(entry) if isinstance(entry, Published) else [f"{entry.rule}({', '.join(entry.members)})"]
    known = [item for item in entry.reported if (item.task, item.population) == (task, population)]
    if not known or text not in (*own, BASELINE):
        return None
    return min(item.low for item in known), max(item.high for item in known)


def _formulas(entry: Published) -> list[str]:
    """Return the texts of the formulas of an entry: its own and its authors'."""
    others = [entry.authors.formula] if entry.authors is not None and entry.authors.formula else []
    return [str(parse(text)) for text in (entry.formula, *others)]


def is_measured_as_authors_do(proxy: Proxy) -> bool:
    """Whether a proxy was named with its authors' settings."""
    return proxy.provenance.get("settings") == Settings.AUTHORS


def is_measured_fast(proxy: Proxy) -> bool:
    """Whether a proxy was named with the common settings in float32."""
    return proxy.provenance.get("settings") == Settings.FAST


def in_single_precision(formula: str) -> str:
    """Return a formula with probes in float32 in the place of those in float64 that are not known to overflow in it."""
    return _IN_DOUBLE.sub(lambda found: f"@{found[1] or f'{found[2]}32'}", formula)


_IN_DOUBLE = re.compile(r"@(?:(data|noise|logits|chunks)64|(jacobian|curvature))\b")
"""Probes in float64: those with a shorter name in float32, and those with a longer one."""


def resolve_published(name: str, settings: str = Settings.COMMON, authors: Authors | None = None) -> Proxy:
    """Return a published proxy.

    Args:
        name: one of `ALONE`.
        settings: `common`; `authors` for its authors' formula, batch size and initialisation where they are known;
            `fast` for the common ones in float32 where that is possible, see `in_single_precision`.
        authors: what to take for its authors' settings instead.

    Raises:
        ProxyFileError: there is no such proxy.
        ConfigurationError: there are no such settings.
    """
    check_known("settings", settings, Settings)
    entry = published(name)
    if settings == Settings.FAST:
        made = {"paper": entry.paper, "settings": str(Settings.FAST)}
        return Proxy(parse(in_single_precision(entry.formula)), entry.name, entry.batch_size, made)
    authors = authors or entry.authors
    if settings == Settings.COMMON or authors is None:
        return Proxy(parse(entry.formula), entry.name, entry.batch_size, {"paper": entry.paper})
    return Proxy(
        parse(authors.formula or entry.formula),
        entry.name,
        authors.batch_size or entry.batch_size,
        {"paper": entry.paper, "settings": str(Settings.AUTHORS), "source": authors.source},
        rule=authors.rule,
    )


def resolve_proxy(text: str, settings: str = Settings.COMMON) -> Proxy:
    """Return the proxy that a user names, which scores a network alone: see `proxy_or_set`.

    Raises:
        ProxyFileError: it looks like a file or a name, and there is none.
        FormulaError: it is not a formula.
        ConfigurationError: it is an aggregate or a set of formulas, which rank networks together; or it is empty.
    """
    found = proxy_or_set(text, settings)
    if found.formula.kind is Kind.RANKING:
        raise _ranks_together(text)
    return found


def proxy_or_set(text: str, settings: str = Settings.COMMON) -> Proxy:
    """Return what a user names: a file, a proxy that comes with the package, a published one, or a formula.

    Args:
        text: what the user writes.
        settings: `common` or `authors`, see `resolve_published`.

    Raises:
        ProxyFileError, FormulaError, ConfigurationError: as `resolve_proxy`, but a set of formulas is returned.
    """
    if not text.strip():
        raise ConfigurationError("empty proxy: give a file, a name (zc-general, synflow, ...) or a formula")
    is_file = text.endswith(".json") or os.path.isfile(text)  # unlike Path.is_file, False for a name that is too long
    if is_file or text in proxies.NAMES:
        return load_proxy(text)
    if text in ALONE:
        return resolve_published(text, settings)
    if text in AGGREGATES:
        raise _ranks_together(text)
    if is_reference(text) or text.endswith(".csv"):
        raise ConfigurationError(
            f"'{shortened(text, 200)}' is not a formula: functions and files of scores rank the networks of a task "
            "(zcproxy score, zcproxy table, evolve --compare)"
        )
    try:
        return Proxy(parse(text), name=text)
    except FormulaError as error:
        if text.replace("-", "_").isidentifier():
            known = (*proxies.NAMES, *ALONE, *AGGREGATES)
            hint = nearest_names(text, known)
            listed = "" if hint else f"; known are {', '.join(known)}"
            raise ProxyFileError(f"'{text}' is not a file, a published proxy{hint} or a formula{listed}") from error
        if _PATH.fullmatch(text):
            place = shortened(text, 200)
            raise ProxyFileError(f"there is no file or folder '{place}'; as a formula: {error}") from error
        raise


def _ranks_together(text: str) -> ConfigurationError:
    return ConfigurationError(
        f"'{shortened(text, 200)}' sums ranks of several proxies: it scores the networks of a task (zcproxy score, "
        "zcproxy table), not one alone"
    )


def load_proxy(path: str | os.PathLike[str]) -> Proxy:
    """Read a proxy: a file, or one by its name: of the package (`zc-general`) or published (`naswot`).

    Nothing is executed.

    Args:
        path: of the file, or the name.

    Raises:
        ProxyFileError: see `zcproxy.proxy.file.read_proxy_file`.
        FormulaError: its formula does not parse.

    Example:
        A proxy is called on an untrained network and a minibatch, samples x ...; a higher score is better.

        >>> import torch, zcproxy
        >>> from torch import nn
        >>> network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10))
        >>> score = zcproxy.load_proxy("zc-general")(network, torch.randn(8, 1, 8, 8))
        >>> isinstance(score, float)
        True
    """
    if str(path) in ALONE:
        return resolve_published(str(path))
    place = proxies.file_of(str(path)) if str(path) in proxies.NAMES else Path(path)
    fields = read_proxy_file(place)
    try:
        return Proxy(
            parse(fields["formula"], language=fields[FIELD]),
            name=fields["name"],
            description=fields["description"],
            batch_size=fields["batch_size"],
            provenance=fields["provenance"],
            correlations=tuple(fields["correlations"]),
            rule=OWN if fields["initialisation"] == MODELS_OWN else fields["initialisation"],
        )
    except FormulaError as error:
        raise FormulaError(f"{place}: {error}{plugin_advice(fields['provenance'])}") from error
