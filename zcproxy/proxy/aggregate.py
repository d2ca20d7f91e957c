"""Rank aggregates: scores for a set of networks, from the ranks that several proxies give them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from zcproxy.errors import ConfigurationError, check_known
from zcproxy.primitives.rankings import log_ranks, ranks
from zcproxy.proxy.function import FunctionProxy
from zcproxy.proxy.proxy import Proxy
from zcproxy.proxy.score_file import ScoreFile

RULES: Mapping[str, Callable[..., NDArray[np.float64]]] = {"ranks": ranks, "log_ranks": log_ranks}
"""The primitives that join the rankings of several proxies."""


@dataclass(frozen=True)
class Aggregate:
    """Proxies whose rankings are summed. It ranks a set of networks: one network alone has no score.

    Attributes:
        name: what users call it.
        members: the proxies.
        rule: one of `RULES`; the logarithm punishes a network that one member ranks last (AZ-NAS, CVPR 2024).
    """

    name: str
    members: tuple[Proxy, ...]
    rule: str = "log_ranks"

    def __post_init__(self) -> None:
        if len(self.members) < 2:
            raise ConfigurationError(f"the aggregate '{self.name}' needs 2 or more proxies, it has {len(self.members)}")
        check_known("rule", self.rule, RULES)

    @property
    def text(self) -> str:
        """The rule and its members, as a user writes them."""
        return f"{self.rule}({', '.join(member.name for member in self.members)})"

    def scores(self, of_members: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """Return one number per network from those that its members give; what is undefined for a member ranks last."""
        return RULES[self.rule](*of_members)


def aggregate_of(proxy: Proxy) -> Aggregate:
    """Return the aggregate that a proxy stands for whose formula is a set: kind `Ranking`."""
    members = [replace(proxy, formula=member, name=str(member), correlations=()) for member in proxy.formula.arguments]
    return Aggregate(proxy.name, tuple(members), proxy.formula.symbol)


Scorer = Proxy | Aggregate | FunctionProxy | ScoreFile
"""What gives each of some networks a score: a proxy, an aggregate, a function of the user, or a file."""


def members_of(scorer: Scorer) -> tuple[Proxy, ...]:
    """Return the proxies whose columns a scorer needs: itself, the members of an aggregate, or none."""
    if isinstance(scorer, Proxy):
        return (scorer,)
    return scorer.members if isinstance(scorer, Aggregate) else ()


def text_of(scorer: Scorer) -> str:
    """Return what a scorer computes, in one line."""
    if isinstance(scorer, Proxy):
        return str(scorer.formula)
    if isinstance(scorer, Aggregate):
        return scorer.text
    return scorer.reference if isinstance(scorer, FunctionProxy) else scorer.path
