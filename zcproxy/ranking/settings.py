"""Settings that each row of a table was measured with, in words."""

from __future__ import annotations

from collections.abc import Sequence

from zcproxy.models.initialisation import OWN
from zcproxy.names.proxies import ALONE, Settings, is_measured_as_authors_do, is_measured_fast
from zcproxy.primitives.zoo import published
from zcproxy.probing.expressions import leaves_of
from zcproxy.probing.probes import PROBES
from zcproxy.proxy.aggregate import Scorer, members_of
from zcproxy.proxy.proxy import Proxy
from zcproxy.ranking.scoring import setting_of


def settings_text(scorer: Scorer, batch_size: int | None = None) -> str:
    """Return whose settings a scorer has, the samples, the initialisation and the mode; empty where none matters.

    Args:
        scorer: a proxy, or an aggregate, which has those of its members.
        batch_size: for all scorers; None for what each asks for.
    """
    texts = [_settings_text(proxy, batch_size) for proxy in members_of(scorer)]
    return "; ".join(dict.fromkeys(filter(None, texts)))


def settings_notes(scorers: Sequence[Scorer]) -> tuple[str, ...]:
    """Return what a reader has to know of the settings, a sentence each; nothing where all have common ones."""
    proxies = {proxy.name: proxy for scorer in scorers for proxy in members_of(scorer)}
    if any(map(is_measured_fast, proxies.values())):
        return ("Settings: fast are the common ones in float32, in which single scores can be off by some percent.",)
    if not any(map(is_measured_as_authors_do, proxies.values())):
        return ()
    found = [
        "Settings: where they are the authors', formula, samples, initialisation and mode are those of the authors' "
        "code; all others have the common ones."
    ]
    known = {name: published(name).authors for name in proxies if name in ALONE}
    differing = [f"{name}: {authors.note}" for name, authors in known.items() if authors is not None and authors.note]
    if differing:
        found.append(f"How the authors' code still differs: {'; '.join(differing)}.")
    unknown = [name for name, authors in known.items() if authors is None and _reads_tensors(proxies[name])]
    if unknown:
        found.append(f"No authors' settings are known, or can be used here, for {', '.join(unknown)}.")
    return tuple(found)


def _settings_text(proxy: Proxy, batch_size: int | None) -> str:
    if not _reads_tensors(proxy):
        return ""
    setting = setting_of(proxy, batch_size)
    named = Settings.AUTHORS if is_measured_as_authors_do(proxy) else Settings.COMMON
    parts = [f"{Settings.FAST if is_measured_fast(proxy) else named}: {setting.batch_size}"]
    if setting.rule != OWN:
        parts.append(setting.rule)
    if any(PROBES[name].evaluates for name in proxy.probes):
        parts.append("evaluation mode")
    return ", ".join(parts)


def _reads_tensors(proxy: Proxy) -> bool:
    return bool(leaves_of(proxy.formula.columns()))
