"""The proxies that `robot` combines, as a search records them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zcproxy.errors import ConfigurationError
from zcproxy.formula.text import updated
from zcproxy.names.scorers import as_scorers
from zcproxy.proxy.aggregate import RULES, Aggregate, Scorer
from zcproxy.proxy.function import FunctionProxy
from zcproxy.proxy.proxy import Proxy
from zcproxy.proxy.score_file import ScoreFile, read_scores
from zcproxy.reading.data_directory import sha256_of
from zcproxy.search.goals import OF_COMBINED

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Member:
    """A formula with what it is measured with.

    Attributes:
        formula: its text.
        batch_size: samples of its minibatch.
        rule: by which weights are drawn, see `zcproxy.models.initialisation`.
    """

    formula: str
    batch_size: int
    rule: str


@dataclass(frozen=True)
class Combined:
    """One proxy that `robot` combines with others: formulas, a function, or a file of scores.

    Attributes:
        name: what users call it.
        members: its formula, or those of a sum of ranks.
        rule: of a sum of ranks, one of `zcproxy.proxy.aggregate.RULES`; empty for one formula.
        function: `package.module:function`; empty for none.
        batch_size: samples of the function's minibatch.
        file: path of a file of scores; empty for none.
        digest: sha256 of its content.
    """

    name: str
    members: tuple[Member, ...] = ()
    rule: str = ""
    function: str = ""
    batch_size: int = 0
    file: str = ""
    digest: str = ""

    def __str__(self) -> str:
        return self.name

    @property
    def quantities(self) -> tuple[str, ...]:
        """Names of what has to be measured: one quantity, or one per member of a sum of ranks."""
        own = f"{OF_COMBINED}{self.name}"
        return tuple(f"{own}:{place}" for place in range(len(self.members))) if self.rule else (own,)

    def scores(self, values: Mapping[str, Array]) -> Array:
        """Return one number per architecture from the quantities of all of them; NaN where it is undefined."""
        found = [values[name] for name in self.quantities]
        return RULES[self.rule](*found) if self.rule else found[0]

    def of_language(self, language: int) -> Combined:
        """Return it with formulas of an older version of the language as they are written today."""
        return replace(
            self, members=tuple(replace(each, formula=updated(each.formula, language)) for each in self.members)
        )

    def read(self) -> ScoreFile:
        """Return the scores of its file. Raises `ConfigurationError` if its content is not what was recorded."""
        found = read_scores(Path(self.file))
        if sha256_of(Path(self.file)) != self.digest:
            raise ConfigurationError(
                f"{self.file} has other scores than when the search began: put them back, or search into another folder"
            )
        return found


def combined(*proxies: Scorer | str | Callable[..., float]) -> tuple[Combined, ...]:
    """Return the proxies to combine: what `Setting.proxies` takes.

    Args:
        proxies: scorers, functions, or texts as `zcproxy.names.scorers.resolve_scorers` reads them:
            `"grad_norm,snip,runs/x/front"`.

    Raises:
        ConfigurationError, FormulaError, ProxyFileError: as `resolve_scorers`.

    Example:
        >>> from zcproxy.search import combined
        >>> [str(each) for each in combined("synflow,size=sum(log(params))")]
        ['synflow', 'size']
    """
    return tuple(map(_recorded, as_scorers(proxies)))


def formulas_in(proxies: Iterable[Combined]) -> list[str]:
    """Return the texts of all formulas."""
    return [member.formula for each in proxies for member in each.members]


def by_setting(proxies: Iterable[Combined]) -> dict[tuple[int, str], dict[str, str]]:
    """Return formulas by the names of their quantities, by batch size and rule: those of each are measured together."""
    found: dict[tuple[int, str], dict[str, str]] = {}
    for each in proxies:
        for name, member in zip(each.quantities, each.members, strict=False):  # functions and files have no members
            found.setdefault((member.batch_size, member.rule), {})[name] = member.formula
    return found


def scores_of(proxies: Sequence[Combined], values: Mapping[str, Array]) -> Array:
    """Return architectures x proxies from the quantities of the architectures."""
    return np.stack([each.scores(values) for each in proxies], axis=1)


def _recorded(scorer: Scorer) -> Combined:
    if isinstance(scorer, ScoreFile):
        return Combined(scorer.name, file=scorer.path, digest=sha256_of(Path(scorer.path)))
    if isinstance(scorer, FunctionProxy):
        return Combined(scorer.name, function=scorer.reference, batch_size=scorer.batch_size)
    if isinstance(scorer, Aggregate):
        return Combined(scorer.name, tuple(map(_member, scorer.members)), scorer.rule)
    return Combined(scorer.name, (_member(scorer),))


def _member(proxy: Proxy) -> Member:
    return Member(str(proxy.formula), proxy.batch_size, proxy.rule)
