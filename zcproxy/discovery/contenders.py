"""What may be chosen by a few labels: a general proxy, a weighed sum of general ones, and evolved formulas by size."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zcproxy.adapting.adapt import formula_of
from zcproxy.adapting.weighing import fit_terms, weighable
from zcproxy.columns.context import Context
from zcproxy.discovery.evolution import best_up_to, evolved_by_size
from zcproxy.evolve.configuration import Configuration
from zcproxy.evolve.fitness import Fitness
from zcproxy.evolve.materials import Materials
from zcproxy.formula import Node
from zcproxy.formula.evaluate import Evaluator
from zcproxy.names.proxies import load_proxy
from zcproxy.proxy.proxy import Proxy

Array = NDArray[np.float64]
Hall = dict[int, tuple[Node, Fitness]]

GENERAL = ("zc-general", "zc-forward")
"""Proxies of the package that need no label; the first is what stays where labels do not speak against it."""

WEIGHED = "weighed"
SIZES = (6, 12, 20, 30)
"""Nodes of evolved formulas that compete: the best of at most so many."""

NODES_PER_LABEL = 0.5
"""Most nodes of a formula for each label: 12 with 24 labels, all 30 with 60."""


def largest_size(labels: int, maximum_size: int) -> int:
    """Return the most nodes of a formula that is fitted to so many labels."""
    return max(SIZES[0], min(maximum_size, round(NODES_PER_LABEL * labels)))


def general_proxies() -> list[Proxy]:
    """Return the proxies of `GENERAL`."""
    return [load_proxy(name) for name in GENERAL]


def sizes_up_to(largest: int) -> list[int]:
    """Return the sizes that compete where formulas have at most so many nodes."""
    return [*(size for size in SIZES if size < largest), largest]


@dataclass(frozen=True)
class Contenders:
    """Makes all contenders on any part of the labelled networks.

    Attributes:
        context: of their columns.
        architectures: of all labelled networks.
        labels: networks.
        columns: texts of the columns that formulas evolve from.
        configuration: how they evolve.
        generations: of every island.
        evaluator: of formulas on all networks.
        cache: the cache directory.
        executor: where islands evolve; None for this process.
    """

    context: Context
    architectures: tuple[str, ...]
    labels: Array
    columns: tuple[str, ...]
    configuration: Configuration
    generations: int
    evaluator: Evaluator
    cache: Path
    executor: Executor | None = None

    @property
    def names(self) -> list[str]:
        """The names of the contenders, the general one first."""
        sizes = sizes_up_to(self.configuration.maximum_size)
        return [GENERAL[0], WEIGHED, *(f"evolved, at most {size} nodes" for size in sizes)]

    @property
    def sizes(self) -> list[int]:
        """Nodes that each contender has at most, as far as labels had a say in them."""
        return [0, len(GENERAL), *sizes_up_to(self.configuration.maximum_size)]

    def made(self, places: NDArray[np.intp]) -> tuple[dict[str, Node], int]:
        """Return the formula of each contender, made on some of the networks, and how many formulas that took."""
        networks = tuple(self.architectures[place] for place in places)
        materials = Materials((self.context,), (networks,), self.columns, self.cache, self.configuration, ((),))
        found = evolved_by_size(materials, self.configuration, self.generations, self.executor)
        return self.of_hall(found.hall, places), found.evaluations

    def of_hall(self, hall: Hall, places: Sequence[int] | NDArray[np.intp]) -> dict[str, Node]:
        """Return the formulas, given the best of each size that evolved on some of the networks."""
        proxies = general_proxies()
        formulas: list[Node | None] = [proxies[0].formula, self._weighed(proxies, np.asarray(places))]
        formulas += best_up_to(hall, sizes_up_to(self.configuration.maximum_size))
        return {
            name: proxies[0].formula if formula is None else formula
            for name, formula in zip(self.names, formulas, strict=True)
        }

    def scores(self, formulas: dict[str, Node]) -> dict[str, Array]:
        """Return the scores of formulas on all networks, by contender."""
        return {name: self.evaluator(formula) for name, formula in formulas.items()}

    def _weighed(self, proxies: Sequence[Proxy], places: NDArray[np.intp]) -> Node | None:
        """Return the weighed sum of the logarithms of the general proxies, where they have any."""
        scores = np.stack([self.evaluator(proxy.formula)[places] for proxy in proxies])
        usable = np.flatnonzero(weighable(scores[None])).tolist()
        if not usable or usable[0] != 0:
            return None
        return formula_of(proxies, fit_terms(np.log(scores[usable]), self.labels[places], usable))
