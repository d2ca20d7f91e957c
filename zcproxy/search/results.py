"""Results of a search, and their files: tables and a figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from zcproxy.benchmarks.shared.label_table import ARCHITECTURE
from zcproxy.errors import BenchmarkError
from zcproxy.figures import save
from zcproxy.figures.axes import axes_or_new
from zcproxy.notebook.shown import Shown
from zcproxy.reading.data_directory import sha256_of
from zcproxy.search.configuration import SearchConfiguration
from zcproxy.search.directory import EVALUATIONS, FIGURE, FRONT, RESULTS
from zcproxy.search.figure import draw_front, search_figure
from zcproxy.search.front import pareto_front
from zcproxy.search.goals import Candidate, Goals
from zcproxy.storage.files import replacing
from zcproxy.storage.records import write_record_file
from zcproxy.text.escaping import csv_frame

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SECONDS = "seconds"
DIGEST = "front_sha256"
"""Entry of `results.json`: what the front was written as."""


@dataclass(frozen=True, repr=False)
class SearchResult(Shown):
    """The result of a search.

    Attributes:
        goals: what was searched for.
        outcomes: all evaluated architectures, in the order of their evaluation.
        table: one row per architecture: `arch`, its quantities, `seconds`.
        measuring_seconds: time spent measuring now.
        total_seconds: time spent in all now.
        unsteady: architectures whose latency varied much from run to run, see `latency.LARGE_SPREAD`.
    """

    goals: Goals
    outcomes: tuple[Candidate, ...]
    table: pd.DataFrame
    measuring_seconds: float
    total_seconds: float
    unsteady: int = 0

    @property
    def headline(self) -> str:
        """How many architectures were evaluated, and how many are on the front."""
        names = ", ".join(self.goals.objectives)
        return f"{len(self.outcomes):,} architectures by {names}: {len(self.front)} of them on the front"

    def to_frame(self) -> pd.DataFrame:
        """Return a row per architecture, as `table`, and whether it is on the front, `is_front`; the front first."""
        return pd.concat(
            [
                self.front.assign(is_front=True),
                self.table.drop(self.front.index).assign(is_front=False),
            ],
            ignore_index=True,
        )

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw what was evaluated with its front: the first objective against the last.

        Args:
            axes: of matplotlib, to draw into; None for those of a new figure.
        """
        drawn = axes_or_new(axes)
        draw_front(drawn, self.table, self.front, self.goals.objectives)
        return drawn

    @property
    def front(self) -> pd.DataFrame:
        """The rows within the bounds that no other is better than everywhere, the best of the first objective first."""
        place = {outcome.architecture: row for row, outcome in enumerate(self.outcomes)}
        return self.table.iloc[[place[outcome.architecture] for outcome in pareto_front(self.outcomes)]]

    @property
    def undefined(self) -> int:
        """Number of architectures with an undefined quantity."""
        return sum(not np.isfinite(outcome.values).all() for outcome in self.outcomes)

    def check_feasible(self) -> None:
        """Raise `BenchmarkError`, which says how close one comes, if no architecture is within the bounds."""
        if any(outcome.violation == 0.0 for outcome in self.outcomes):
            return
        closest = min(self.outcomes, key=lambda outcome: outcome.violation)
        values = dict(zip(self.goals.quantities, closest.values, strict=True))
        wanted = " and ".join(limit.text for limit in self.goals.limits)
        reached = ", ".join(f"{limit.name} {values[limit.name]:g}" for limit in self.goals.limits)
        raise BenchmarkError(
            f"none of the {len(self.outcomes):,} architectures evaluated has {wanted}: the closest, "
            f"{closest.architecture}, has {reached}"
        )


def result_of(
    goals: Goals,
    outcomes: Sequence[Candidate],
    seconds: Sequence[float],
    measuring: float,
    total: float,
    unsteady: int = 0,
) -> SearchResult:
    """Return the result of a search; `seconds` that measuring each architecture took."""
    values = np.array([outcome.values for outcome in outcomes], np.float64).reshape(len(outcomes), -1)
    columns = {name: values[:, place] for place, name in enumerate(goals.quantities)}
    names = [outcome.architecture for outcome in outcomes]
    table = pd.DataFrame({ARCHITECTURE: names, **columns, SECONDS: list(seconds)})
    return SearchResult(goals, tuple(outcomes), table, measuring, total, unsteady)


def write_results(path: Path, result: SearchResult, configuration: SearchConfiguration) -> None:
    """Write the table of evaluations, that of the front, and the figure. Raises `StorageError`."""
    with replacing(path / EVALUATIONS) as temporary:
        result.table.to_parquet(temporary, index=False)
    with replacing(path / FRONT) as temporary:
        csv_frame(result.front).to_csv(temporary, index=False)
    write_record_file(path / RESULTS, {DIGEST: sha256_of(path / FRONT)})
    title = title_of(result, configuration)
    save(search_figure(result.table, result.front, result.goals.objectives, result.outcomes, title), path / FIGURE)


def title_of(result: SearchResult, configuration: SearchConfiguration) -> str:
    """Return the title of a figure: what was searched, how many architectures, by which algorithm, and the seed."""
    return (
        f"{configuration.setting.reference or 'search'}: {len(result.table):,} architectures, "
        f"{configuration.algorithm}, seed {configuration.seed}"
    )
