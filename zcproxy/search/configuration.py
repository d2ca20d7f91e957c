"""Configuration of a search."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

from zcproxy.errors import ConfigurationError
from zcproxy.search.algorithms.catalogue import ROBOT, check_algorithm, check_niches
from zcproxy.search.goals import ACCURACIES, ACCURACY, PROXY, Goals, Limit
from zcproxy.search.quantities.networks import LATENCY, Setting, Weights
from zcproxy.storage.fields import read_fields

EXPENSIVE = (*ACCURACIES, LATENCY)
"""Quantities that the search for a first population does without: the proxy stands in for accuracies."""


@dataclass(frozen=True)
class SearchConfiguration:
    """Everything that the result of a search depends on.

    Attributes:
        setting: what networks are built from, and how they are measured.
        maximized: quantities to make large.
        minimized: quantities to make small.
        limits: bounds on quantities.
        algorithm: one of `zcproxy.search.algorithms.ALGORITHMS`.
        evaluations: architectures whose quantities are all measured.
        population: architectures of a generation.
        seed: seed of every random choice but the initialisation of networks.
        warm_start: architectures of a search by the proxy alone, whose best are the first population; 0 for none.
        inner_evaluations: architectures that the predictors of `linas` look at between two generations.
        start_from: architectures of the first population.
        niches: bins of the first minimised quantity in each of which `nsga2` and `linas` keep the best; 0 for none.
        candidates: architectures that `robot` ranks; all, where there are no more.
        table: path of a look-up table; empty for none.
    """

    setting: Setting
    maximized: tuple[str, ...]
    minimized: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()
    algorithm: str = "nsga2"
    evaluations: int = 1000
    population: int = 50
    seed: int = 0
    warm_start: int = 0
    inner_evaluations: int = 2000
    start_from: tuple[str, ...] = ()
    table: str = ""
    niches: int = 0
    candidates: int = 1000

    def __post_init__(self) -> None:
        check_algorithm(self.algorithm, self.goals)
        check_niches(self.algorithm, self.niches, self.population, self.goals)
        self._check_combined()
        if self.population < 4 or self.evaluations < self.population:
            raise ConfigurationError(
                f"population={self.population} and evaluations={self.evaluations}: give 4 or more, and at least as "
                "many evaluations"
            )
        if self.inner_evaluations < self.population:
            raise ConfigurationError(f"inner_evaluations={self.inner_evaluations} is less than a population")
        if PROXY in self.goals.quantities and not self.setting.formula:
            raise ConfigurationError("the objective 'proxy' needs a proxy: give `formula`")
        if self.warm_start and (not self.setting.formula or self.warm_start < self.population):
            raise ConfigurationError("`warm_start` needs `formula`, and at least as many architectures as a population")

    def _check_combined(self) -> None:
        """Raise `ConfigurationError` where there are no proxies to combine, or nothing that combines them."""
        combines = self.algorithm == ROBOT
        if combines and not self.setting.proxies:
            raise ConfigurationError("robot combines proxies: give `proxies`, for example grad_norm,snip,synflow,jacov")
        if self.setting.proxies and not combines:
            raise ConfigurationError(f"algorithm={self.algorithm} combines no `proxies`: write algorithm={ROBOT}")
        if combines and self.setting.formula and PROXY not in self.goals.quantities:
            raise ConfigurationError("`proxy` plays no part, robot combines `proxies`: name it among them")
        if combines and self.candidates < self.evaluations:
            raise ConfigurationError(
                f"candidates={self.candidates} is less than evaluations={self.evaluations}: rank more, or measure fewer"
            )

    @cached_property
    def goals(self) -> Goals:
        """Objectives and bounds."""
        return Goals(self.maximized, self.minimized, self.limits)

    @property
    def predicted(self) -> tuple[str, ...]:
        """What `linas` predicts: accuracies, latencies measured here and the proxy; all, without the first two.

        A network's costs take as long to count as many a proxy does, but far less than an accuracy.
        """
        quantities = self.goals.quantities
        is_expensive = any(name in EXPENSIVE for name in quantities)
        return tuple(name for name in quantities if name in (PROXY, *EXPENSIVE)) if is_expensive else quantities

    @property
    def hints(self) -> tuple[str, ...]:
        """Hints for predictors besides the encoding: all other quantities, and the proxy if it is not an objective."""
        guide = (PROXY,) if self.setting.formula and PROXY not in self.goals.quantities else ()
        return (*(name for name in self.goals.quantities if name not in self.predicted), *guide)

    @property
    def needs_weights(self) -> bool:
        """Whether the trained weights of a super-network are needed."""
        return ACCURACY in self.goals.quantities or self.setting.weights == Weights.INHERITED

    @property
    def warm_goals(self) -> Goals:
        """Goals of the search for a first population: the proxy, and all that is cheap to measure."""
        cheap = tuple(limit for limit in self.limits if limit.name not in EXPENSIVE)
        return Goals((PROXY,), tuple(name for name in self.minimized if name not in EXPENSIVE), cheap)

    def as_dict(self) -> dict[str, Any]:
        """Return the configuration as JSON can hold it."""
        return asdict(self)

    @staticmethod
    def from_dict(content: object, where: str = "the stored configuration") -> SearchConfiguration:
        """Return the configuration that `as_dict` wrote. Raises `ConfigurationError` for other content of a file."""
        return read_fields(SearchConfiguration, content, where)

    def with_evaluations(self, evaluations: int) -> SearchConfiguration:
        """Return the same search with another budget: what was evaluated counts in it too."""
        return replace(self, evaluations=evaluations)
