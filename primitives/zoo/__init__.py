"""The published proxies as formulas, one file each, and how a user names a proxy; `scorers` adds sums of ranks.

To add one, write a module with a `PROXY` beside the others and list it in `NAMES`, or in `AGGREGATES` if it sums ranks.
"""

from __future__ import annotations

import importlib
import os

from zcproxy.errors import ConfigurationError, FormulaError, ProxyFileError, nearest_names
from zcproxy.formula import parse
from zcproxy.primitives.zoo.authors import Authors as Authors
from zcproxy.primitives.zoo.published import Published as Published, PublishedAggregate as PublishedAggregate
from zcproxy.proxies import FILES
from zcproxy.proxy import Proxy, load_proxy

NAMES = (
    *("params", "flops", "weight_layers", "l2_norm"),
    *("grad_norm", "plain", "snip", "grasp", "fisher", "gradsign", "zico"),
    *("synflow", "log_synflow"),
    *("naswot", "swap", "swap_regularised", "jacov", "epe_nas"),
    *("ntk_condition", "linear_regions", "vkdnw_entropy", "vkdnw_single"),
    *("meco", "zen", "eznas_a", "eznas_a_text"),
    *("az_expressivity", "az_progressivity", "az_trainability", "az_complexity"),
)

BASELINE = "baseline"
"""What stands for the formula of params and FLOPs where a benchmark's table has them."""

AGGREGATES = ("te_nas", "az_nas", "vkdnw_agg")

COMMON, AUTHORS = "common", "authors"
SETTINGS = (COMMON, AUTHORS)
"""How published proxies are measured: all alike, or each as its authors do."""


def published(name: str) -> Published:
    """Return a published proxy. Raises `ProxyFileError` with the nearest names if there is none."""
    if name not in NAMES:
        raise ProxyFileError(f"no published proxy is called '{name}'{nearest_names(name, NAMES)}")
    entry: Published = importlib.import_module(f"zcproxy.primitives.zoo.{name}").PROXY
    return entry


def published_aggregate(name: str) -> PublishedAggregate:
    """Return a published sum of ranks. Raises `ProxyFileError` with the nearest names if there is none."""
    if name not in AGGREGATES:
        raise ProxyFileError(f"no published aggregate is called '{name}'{nearest_names(name, AGGREGATES)}")
    entry: PublishedAggregate = importlib.import_module(f"zcproxy.primitives.zoo.{name}").PROXY
    return entry


def reported_tau(name: str, text: str, task: str, population: str) -> tuple[float, float] | None:
    """Return the lowest and highest tau that papers report of a published proxy, None if there is none.

    Args:
        name: of the proxy or baseline.
        text: what it computes: a user may call something else by the name of a published proxy.
        task: name of the task.
        population: `all` or `pruned`.
    """
    if name not in (*NAMES, *AGGREGATES):
        return None
    entry = published(name) if name in NAMES else published_aggregate(name)
    own = _formulas(entry) if isinstance(entry, Published) else [f"{entry.rule}({', '.join(entry.members)})"]
    known = [item for item in entry.reported if (item.task, item.population) == (task, population)]
    if not known or text not in (*own, BASELINE):
        return None
    return min(item.low for item in known), max(item.high for item in known)


def _formulas(entry: Published) -> list[str]:
    """Return the texts of the formulas of an entry: its own and its authors'."""
    others = [entry.authors.formula] if entry.authors is not None and entry.authors.formula else []
    return [str(parse(text)) for text in (entry.formula, *others)]


def check_settings(settings: str) -> None:
    """Raise `ConfigurationError` unless there are settings of this name."""
    if settings not in SETTINGS:
        raise ConfigurationError(f"unknown settings '{settings}': write {' or '.join(SETTINGS)}")


def is_measured_as_authors_do(proxy: Proxy) -> bool:
    """Whether a proxy was named with its authors' settings."""
    return proxy.provenance.get("settings") == AUTHORS


def resolve_published(name: str, settings: str = COMMON, authors: Authors | None = None) -> Proxy:
    """Return a published proxy.

    Args:
        name: one of `NAMES`.
        settings: `common`, or `authors` for its authors' formula, batch size and initialisation where they are known.
        authors: what to take for its authors' settings instead.

    Raises:
        ProxyFileError: there is no such proxy.
        ConfigurationError: there are no such settings.
    """
    check_settings(settings)
    entry = published(name)
    authors = authors or entry.authors
    if settings == COMMON or authors is None:
        return Proxy(parse(entry.formula), entry.name, entry.batch_size, {"paper": entry.paper})
    return Proxy(
        parse(authors.formula or entry.formula),
        entry.name,
        authors.batch_size or entry.batch_size,
        {"paper": entry.paper, "settings": AUTHORS, "source": authors.source},
        rule=authors.rule,
    )


def resolve_proxy(text: str, settings: str = COMMON) -> Proxy:
    """Return the proxy that a user names: a file, one that comes with the package, a published one, or a formula.

    Args:
        text: what the user writes.
        settings: `common` or `authors`, see `resolve_published`.

    Raises:
        ProxyFileError: it looks like a file or a name, and there is none.
        FormulaError: it is no formula.
        ConfigurationError: it is an aggregate, which ranks a set of networks and scores none alone; or it is empty.
    """
    if not text.strip():
        raise ConfigurationError("empty proxy: give a file, a name (zc-general, synflow, ...) or a formula")
    is_file = text.endswith(".json") or os.path.isfile(text)  # unlike Path.is_file, False for a name that is too long
    if is_file or text in FILES:
        return load_proxy(text)
    if text in NAMES:
        return resolve_published(text, settings)
    if text in AGGREGATES:
        raise ConfigurationError(
            f"'{text}' sums ranks of several proxies: it scores the networks of a task (zcproxy score, zcproxy table), "
            "not one alone"
        )
    try:
        return Proxy(parse(text), name=text)
    except FormulaError as error:
        if text.replace("-", "_").isidentifier():
            known = (*FILES, *NAMES, *AGGREGATES)
            hint = nearest_names(text, known)
            listed = "" if hint else f"; known are {', '.join(known)}"
            raise ProxyFileError(f"'{text}' is no file, no published proxy{hint} and no formula{listed}") from error
        raise
