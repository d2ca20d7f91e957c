"""What a run has measured of its labelled networks, read from the column store: nothing is measured for a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zcproxy.columns.context import Context
from zcproxy.columns.store import ColumnStore, LostColumnsError
from zcproxy.columns.table import ColumnTable
from zcproxy.errors import RunError
from zcproxy.evolve.cases import SIZES
from zcproxy.evolve.configuration import Configuration
from zcproxy.evolve.fitness import FitnessFunction
from zcproxy.evolve.invariance import Variation, conditions_of, varied_networks
from zcproxy.evolve.sample import Sample
from zcproxy.evolve.targets import Targets, transferred
from zcproxy.formula import Node
from zcproxy.images.image_sets import ImageSet
from zcproxy.names.tasks import get_task
from zcproxy.primitives import parse

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ColumnReader:
    """Reads columns of a run.

    Attributes:
        configuration: configuration of the run.
        samples: its networks, by task.
        images: what each task was shown.
        cache: the cache directory.
    """

    configuration: Configuration
    samples: Mapping[str, Sample]
    images: Mapping[str, ImageSet]
    cache: Path

    def context(self, task: str) -> Context:
        """Return what the columns of a task depend on."""
        known = self.configuration
        token = self.images[task].token if task in self.images else ""
        return Context(get_task(task), known.batch_size, 0, known.device, token)

    def table(self, context: Context, networks: Sequence[str], columns: Sequence[Node]) -> ColumnTable:
        """Return columns of networks. Raises `RunError` where the store lacks some."""
        store = ColumnStore(self.cache, context)
        lacking = sum(map(len, store.lacking(networks, columns).values()))
        try:
            if not lacking:
                return store.table(networks, columns)
        except LostColumnsError:
            lacking = len(networks)
        raise RunError(
            f"the columns of {lacking} of {len(networks)} networks of {context.name} are not in {self.cache}: "
            "ZCPROXY_CACHE names the folder they were measured into, and resuming the run measures them again"
        )

    def labelled(self, columns: Sequence[Node], all_columns: Sequence[str]) -> Labelled:
        """Return what formulas of some columns are scored with.

        Args:
            columns: of the formulas.
            all_columns: texts of all columns in play, which transferred targets are made of.

        Raises:
            RunError: the store lacks columns.
        """
        known = self.configuration
        needed = list(columns)
        if known.cases:
            needed += map(parse, SIZES)
        if known.targets == Targets.TRANSFERRED:
            needed += map(parse, all_columns)
        wanted = list(dict.fromkeys(needed))
        tables, labels, variations = [], [], []
        for task in known.tasks:
            context, networks = self.context(task), self.samples[task].fitted
            tables.append(self.table(context, networks, wanted))
            labels.append(context.task.labels(networks))
            varied = set(varied_networks(networks))
            places = np.array([place for place, network in enumerate(networks) if network in varied], np.intp)
            names = [networks[place] for place in places]
            conditions = conditions_of(context, known.invariance)
            variations.append([Variation(self.table(each, names, wanted), places) for each in conditions])
        return Labelled(known, self.samples, tuple(map(parse, all_columns)), tables, labels, variations)


@dataclass(frozen=True)
class Labelled:
    """Columns and labels of the labelled networks of a run, by task: the training networks, then the others.

    Attributes:
        configuration: configuration of the run.
        samples: its networks, by task.
        in_play: all columns in play.
        tables: columns of the networks.
        labels: their accuracies.
        variations: columns under other conditions.
    """

    configuration: Configuration
    samples: Mapping[str, Sample]
    in_play: tuple[Node, ...]
    tables: Sequence[ColumnTable]
    labels: Sequence[Array]
    variations: Sequence[Sequence[Variation]]

    def with_constants(self, constants: Mapping[Node, Sequence[float]]) -> Labelled:
        """Return the same with leaves whose value is one for all networks of a task: `constants` has one per task."""
        tables, variations = [], []
        for task, (table, listed) in enumerate(zip(self.tables, self.variations, strict=True)):
            tables.append(_with(table, constants, task))
            variations.append([replace(each, table=_with(each.table, constants, task)) for each in listed])
        return replace(self, tables=tables, variations=variations)

    def fitness(self, part: str) -> FitnessFunction:
        """Return the run's own fitness function on its `training`, `validation` or `fitted` networks."""
        known = self.configuration
        kept = [_places(self.samples[task], part) for task in known.tasks]
        labels = [values[places] for values, places in zip(self.labels, kept, strict=True)]
        tables = [table.take(places) for table, places in zip(self.tables, kept, strict=True)]
        variations = [
            [each.within(places) for each in listed] for listed, places in zip(self.variations, kept, strict=True)
        ]
        if known.targets == Targets.TRANSFERRED:
            in_play = [replace(table, values={each: table.values[each] for each in self.in_play}) for table in tables]
            labels = transferred(known.tasks, in_play, labels, known.goals or known.tasks)
        return FitnessFunction(tables, labels, known.goals, known.cases, variations)


def _places(sample: Sample, part: str) -> NDArray[np.intp]:
    """Return the places of a part among the labelled networks; where it is empty, those of the training networks."""
    training, labelled = len(sample.training), len(sample.fitted)
    first, end = {"training": (0, training), "validation": (training, labelled), "fitted": (0, labelled)}[part]
    return np.arange(first, end) if end > first else np.arange(training)


def _with(table: ColumnTable, constants: Mapping[Node, Sequence[float]], task: int) -> ColumnTable:
    networks = len(table.counts)
    added = {leaf: np.full(networks, values[task]) for leaf, values in constants.items()}
    return replace(table, values={**table.values, **added})
