"""Networks that proxies were fitted to, as their files tell: their numbers on these are not those of unseen ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from zcproxy.contracts.task import SearchSpace, Task
from zcproxy.errors import ZcproxyError
from zcproxy.evolve.configuration import Configuration
from zcproxy.evolve.start import fitted_networks
from zcproxy.proxy.aggregate import Scorer, members_of
from zcproxy.proxy.proxy import Proxy
from zcproxy.user_code.permission import stored_in


def seen_in_fitting(scorers: Sequence[Scorer], task: Task, architectures: Sequence[str]) -> dict[str, int]:
    """Return how many networks, or equivalents of theirs, each scorer was fitted to or chosen by, as its file tells.

    Args:
        scorers: proxies and aggregates; those of which nothing is known, or that saw none, are left out.
        task: where the networks come from.
        architectures: canonical texts.
    """
    classes = [task.space.equivalence_class(architecture) for architecture in architectures]
    found = {}
    for scorer in scorers:
        seen: set[str] = set()
        for proxy in members_of(scorer):
            seen |= _fitted_to(proxy, task.space.name) | _adapted_to(proxy, task.space)
        count = sum(each in seen for each in classes)
        if count:
            found[scorer.name] = count
    return found


def _fitted_to(proxy: Proxy, space: str) -> set[str]:
    """Return the classes of networks that a proxy's file says it was fitted to; none where it cannot be told."""
    configuration = proxy.provenance.get("configuration")
    if not isinstance(configuration, Mapping):
        return set()
    with suppress(ZcproxyError), stored_in(Path(f"the file of {proxy.name}")):
        return fitted_networks(Configuration.from_dict(configuration), space)
    return set()


def _adapted_to(proxy: Proxy, space: SearchSpace) -> set[str]:
    """Return the classes of the networks by whose labels a proxy was adapted, as its file says; see `adapting`."""
    record = proxy.provenance.get("adapted")
    labels = record.get("labels") if isinstance(record, Mapping) and record.get("space") == space.name else None
    found = set()
    for architecture in labels if isinstance(labels, Mapping) else ():
        with suppress(ZcproxyError):
            found.add(space.equivalence_class(space.parse(str(architecture))))
    return found


def seen_line(name: str, seen: int, networks: int) -> str:
    """Return the sentence that says of a scorer that it is judged by what it was fitted to."""
    return (
        f"{name} was fitted to {seen} of these {networks} networks or their equivalents: its numbers are not those of "
        "networks that it has not seen"
    )
