"""Results of a search, as tables and a figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zcproxy.benchmarks.shared.label_table import ARCHITECTURE
from zcproxy.errors import BenchmarkError
from zcproxy.notebook.axes import DARK, LIGHT, axes_or_new
from zcproxy.notebook.shown import Shown
from zcproxy.reading.data_directory import sha256_of
from zcproxy.search.directory import EVALUATIONS, FIGURE, FRONT, RESULTS
from zcproxy.search.front import hypervolume_over, pareto_front
from zcproxy.search.goals import PROXY, Candidate, Goals
from zcproxy.storage.files import replacing
from zcproxy.storage.records import write_record_file
from zcproxy.text.escaping import csv_frame, plain

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
        _draw_evaluations(drawn, self)
        drawn.grid(alpha=0.25)
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


def write_results(path: Path, result: SearchResult) -> None:
    """Write the table of evaluations, that of the front, and the figure. Raises `StorageError`."""
    with replacing(path / EVALUATIONS) as temporary:
        result.table.to_parquet(temporary, index=False)
    with replacing(path / FRONT) as temporary:
        csv_frame(result.front).to_csv(temporary, index=False)
    write_record_file(path / RESULTS, {DIGEST: sha256_of(path / FRONT)})
    with replacing(path / FIGURE) as temporary:
        search_figure(result).savefig(temporary, dpi=120, format="png")


def search_figure(result: SearchResult) -> Figure:
    """Return a figure: the evaluations with their front, and how the hypervolume, or the best value, grew."""
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_evaluations(left, result)
    by_rank = [place for place, name in enumerate(result.goals.objectives) if name == PROXY]
    after, volumes = hypervolume_over(result.outcomes, by_rank=by_rank)
    right.plot(after, volumes, color=DARK)
    right.set(
        xlabel="evaluations",
        ylabel="hypervolume (share of the box of all" + ("; scores by rank)" if by_rank else ")"),
        ylim=(0, 1.02),
    )
    for axis in (left, right):
        axis.grid(alpha=0.25)
    return figure


def _draw_evaluations(left: Axes, result: SearchResult) -> None:
    """Draw what was evaluated with its front: the first objective against the last; in order, where there is one."""
    names = result.goals.objectives
    table, front = result.table, result.front
    if len(names) == 1:
        left.plot(np.arange(1, len(table) + 1), table[names[0]], ".", color=LIGHT, markersize=4)
        left.set(xlabel="evaluations", ylabel=_label(names[0]))
    else:
        across, up = names[-1], names[0]
        left.plot(table[across], table[up], ".", color=LIGHT, markersize=4, label="evaluated")
        ordered = front.sort_values(across)
        left.plot(ordered[across], ordered[up], "o-", color=DARK, markersize=4, linewidth=1, label="Pareto front")
        left.set(xlabel=_label(across), ylabel=_label(up))
        left.legend(frameon=False)


def _label(name: str) -> str:
    """Return the name of a quantity, which may be a column of a user's table, without what matplotlib typesets."""
    return plain(name).replace("$", r"\$")
