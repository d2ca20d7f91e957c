"""The gallery: a card for every proxy that comes with the package, and one for every published proxy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from zcproxy import proxies
from zcproxy.names.proxies import resolve_proxy
from zcproxy.primitives.zoo import AGGREGATES, NAMES, WITH_TEACHER, published, published_aggregate
from zcproxy.proxy.bibliography import papers_of
from zcproxy.proxy.proxy import Proxy
from zcproxy.proxy.published import Published, PublishedAggregate
from zcproxy.proxy.reported import Reported
from zcproxy.reporting.mathematics import mathematics

from . import written
from .repository import ROOT

CARDS = ROOT / "results" / "proxies" / "README.md"

_OPENING = """\
# Gallery of proxies

A proxy is a formula of [the language](../../language.md). Every name below is one that commands and
`zcproxy.load_proxy` take: `zcproxy score synflow digits201`, `zcproxy.load_proxy("zc-general")`. This gallery is made
from the package's own records, which `zcproxy proxy show NAME` prints too. [How to choose](../../how-to-choose.md)
among them."""

_CORRELATIONS = """\
Taus of papers and taus measured here are [not the same](../../tables.md), often for reasons that are known.
`zcproxy table` measures any of these proxies on any benchmark, on the same networks as all others."""


def pages() -> dict[str, str]:
    """Return the pages by their path: the gallery, and the card of each proxy."""
    entries = [published(name) for name in (*NAMES, *WITH_TEACHER)] + [published_aggregate(name) for name in AGGREGATES]
    cards = {f"gallery/{name}.md": _own(name) for name in proxies.NAMES}
    cards |= {f"gallery/{entry.name}.md": written.page(*_published(entry)) for entry in entries}
    names = [*proxies.NAMES, *(entry.name for entry in entries)]
    return {"gallery/index.md": written.page(*_index(entries), written.toctree(*names)), **cards}


def _index(entries: Sequence[Published | PublishedAggregate]) -> Iterator[str]:
    yield _OPENING
    yield "## Found with zcproxy"
    yield _table(
        ("proxy", "formula"),
        [(_link(name), f"`{resolve_proxy(name).formula}`") for name in proxies.NAMES],
    )
    yield "## Published"
    yield _CORRELATIONS
    yield _table(
        ("proxy", "paper", "published tau, NAS-Bench-201 CIFAR-10"),
        [(_link(entry.name), _escaped(entry.paper), _known(entry.reported)) for entry in entries],
    )


def _own(name: str) -> str:
    """Return the card of a proxy of the package: its part of `results/proxies/README.md`, with the formula set."""
    proxy = resolve_proxy(name)
    card = re.search(rf"^## {re.escape(name)}\n(.*?)(?=^## |\Z)", CARDS.read_text(encoding="utf-8"), re.M | re.S)
    if card is None:
        raise ValueError(f"{CARDS} has no card of {name}: write it with results/publish.py")
    before, _, after = card[1].partition("$$")
    _, _, behind = after.partition("$$")
    return written.page(
        f"# {name}",
        f"Found with zcproxy. `zcproxy.load_proxy({name!r})`, `zcproxy score {name} TASK`.",
        _formula(proxy, before.strip().strip("`")),
        behind.strip(),
        "Kendall's tau-b with a 95 % bootstrap interval over networks, which the run of the proxy did not see; params "
        "and FLOPs on the same networks.",
    )


def _published(entry: Published | PublishedAggregate) -> Iterator[str]:
    """Yield the paragraphs of the card of a published proxy."""
    yield f"# {entry.name}"
    yield f"{_escaped(entry.paper)}."
    if isinstance(entry, PublishedAggregate):
        members = ", ".join(_link(name) for name in entry.members)
        yield f"The sum of the {'logarithms of the ' if entry.rule == 'log_ranks' else ''}ranks by {members}."
        yield f"```text\n{entry.rule}({', '.join(entry.members)})\n```"
        yield "A sum of ranks scores networks together, not one alone."
    else:
        proxy = resolve_proxy(entry.name)
        yield _formula(proxy, entry.formula)
        probes = ", ".join(proxy.probes) or "none"
        yield f"Nodes: {proxy.formula.size}. Probes: {probes}. Minibatch: {entry.batch_size}."
    if entry.note:
        yield f"**How it differs from the authors' code.** {_sentence(entry.note)}"
    if not isinstance(entry, PublishedAggregate) and entry.authors is not None:
        yield f"**Authors' settings** (`--settings authors`) are read from {_escaped(entry.authors.source)}."
    if entry.reported:
        yield "## Published correlations"
        yield from _reported(entry.reported)
    bibtex = "\n\n".join(paper.bibtex() for paper in papers_of(entry.paper))
    if bibtex:
        yield "## BibTeX"
        yield f"```bibtex\n{bibtex}\n```"


def _reported(reported: Sequence[Reported]) -> Iterator[str]:
    """Yield the taus of each source: one table per source is narrow enough for a telephone."""
    for source in dict.fromkeys(item.source for item in reported):
        yield f"Kendall's tau, from {_escaped(source)}:"
        yield _table(
            ("task", "population", "tau"),
            [(f"`{item.task}`", item.population, _tau(item)) for item in reported if item.source == source],
        )


def _formula(proxy: Proxy, text: str) -> str:
    """Return a formula as text, and as mathematics where it is not too large for that."""
    drawn = mathematics(proxy.formula)
    shown = "" if drawn is None else f'<div class="formula">{drawn}</div>\n\n'
    return f"{shown}```text\n{text}\n```"


def _known(reported: Sequence[Reported]) -> str:
    found = [f"{_tau(item)} ({item.population})" for item in reported if item.task == "nasbench201/cifar10"]
    return ", ".join(found)


def _tau(item: Reported) -> str:
    return " to ".join(f"{tau:.3f}" for tau in dict.fromkeys((item.low, item.high)))


def _link(name: str) -> str:
    return f"[{name}]({name}.md)"


def _sentence(text: str) -> str:
    return f"{_escaped(text[0].upper() + text[1:])}{'' if text.endswith('.') else '.'}"


def _escaped(text: str) -> str:
    """Return text in which Markdown reads no sign of its own, besides code."""
    parts = text.split("`")
    plain = (re.sub(r"([\\*_<>\[\]|$])", r"\\\1", part) for part in parts[::2])
    code = (f"`{part}`" for part in parts[1::2])
    return "".join(part for pair in zip(plain, [*code, ""], strict=False) for part in pair)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows)]
    return "\n".join(lines)
