"""Records of published proxies and rank aggregates: formula, paper, notes, reported correlations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from zcproxy.proxy.authors import Authors
from zcproxy.proxy.reported import Reported

ONCE_A_USE = "a weight that several layers share counts once for each of them, where the authors' code counts it once"
"""Part of the note of sums over layers; `weight_uses` makes up for it."""


@dataclass(frozen=True)
class Published:
    """A proxy from the literature.

    Attributes:
        name: how it is called there.
        formula: in the language of this project; higher is better.
        paper: authors, title, venue, and the equation or table where there is one.
        note: how the formula differs from the authors' code; empty if it does not.
        batch_size: samples that it is measured with where the user names no other number: a compromise between the
            authors' and the cost, which for some of them rises with the square of it.
        authors: how its authors measure it; None where that is not known, or cannot be done here.
        reported: the rank correlations that papers report of it.
        reads_teacher: whether it compares a network with a teacher, and so takes one.
    """

    name: str
    formula: str
    paper: str
    note: str = ""
    batch_size: int = 16
    authors: Authors | None = None
    reported: tuple[Reported, ...] = ()
    reads_teacher: bool = False


@dataclass(frozen=True)
class PublishedAggregate:
    """A sum of ranks from the literature.

    Attributes:
        name: how it is called there.
        members: the published proxies whose ranks are summed.
        rule: one of `zcproxy.proxy.aggregate.RULES`.
        paper: authors, title, venue, and the equation where there is one.
        note: how it differs from the authors' code; empty if it does not.
        authors: how its authors measure members, where they do so differently from the authors of these.
        reported: the rank correlations that papers report of it.
    """

    name: str
    members: tuple[str, ...]
    rule: str
    paper: str
    note: str = ""
    authors: Mapping[str, Authors] = field(default_factory=dict)
    reported: tuple[Reported, ...] = ()
