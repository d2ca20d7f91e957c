"""The test of a run: correlations on networks that no formula was fitted to or chosen by."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zcproxy.correlation import Correlation, correlate
from zcproxy.evolve.configuration import Configuration
from zcproxy.evolve.run_columns import RunColumns
from zcproxy.evolve.sample import Sample
from zcproxy.formula import Node
from zcproxy.formula.evaluate import Evaluator
from zcproxy.names.tasks import get_task


@dataclass(frozen=True)
class Unseen:
    """The test networks of a run.

    Attributes:
        configuration: of the run.
        samples: its networks, by task.
        columns: measures them.
    """

    configuration: Configuration
    samples: Mapping[str, Sample]
    columns: RunColumns

    @property
    def tasks(self) -> list[str]:
        """The tasks that have test networks."""
        return [name for name in self.configuration.tested if self.samples[name].test]

    def formula(self, executor: Executor | None, task: str, formula: Node) -> Correlation:
        """Return how well a formula ranks the test networks of a task."""
        table = self.columns.table(executor, task, self.samples[task].test, formula.columns())
        return self._correlate(task, Evaluator(table.counts, table.values, table.blocks, table.connections)(formula))

    def baselines(self, task: str) -> dict[str, Correlation]:
        """Return how well the baselines of a task do, by name."""
        found = get_task(task).baselines(self.samples[task].test)
        return {name: self._correlate(task, values) for name, values in found.items()}

    def _correlate(self, task: str, scores: NDArray[np.float64]) -> Correlation:
        architectures = self.samples[task].test
        labels = get_task(task).labels(architectures)
        kind = "held out" if task in self.configuration.hold_out else "unseen"
        population = f"{len(architectures)} {kind} of {self.configuration.population}"
        return correlate(scores, labels, task=task, population=population, seed=self.configuration.seed)
