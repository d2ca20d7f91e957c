"""Terminal output: progress with an estimate of the time left, and tables of results."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from zcproxy.callbacks.lines import Lines, clock
from zcproxy.callbacks.progress import evolving_line
from zcproxy.cli.terminal import console as console
from zcproxy.correlation import Correlation
from zcproxy.evolve.directory import State
from zcproxy.evolve.standing import Standing, Standings, best_of
from zcproxy.ranking.layout import HEADINGS, cells, shown_columns, title
from zcproxy.ranking.significance import behind_best
from zcproxy.ranking.table import TaskTable
from zcproxy.text.visible import visible

LINES_BESIDE = 8
"""Lines of a terminal beside the rows of the hall of fame: its heading, and some of what was shown before."""
RATE_SECONDS = 600.0
"""Seconds of work that the time left is told by: networks differ in size, few of them say little."""


class RunDisplay:
    """Observer of a run: on a terminal a bar for each sweep and the hall of fame, elsewhere a line now and then."""

    def __init__(self) -> None:
        self._lines = Lines(lambda text: console.print(text, soft_wrap=True))
        self._best: Standing | None = None
        self._hall: Sequence[Standing] = ()
        self._state = ""
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            speed_estimate_period=RATE_SECONDS,
        )
        self._bars: dict[str, TaskID] = {}
        self._live = Live(console=console, get_renderable=self._shown)

    def __enter__(self) -> RunDisplay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hall = ()  # the hall of fame is among the results
        if self._live.is_started:
            self._live.refresh()
            self._live.stop()

    def step(self, what: str, done: int, total: int) -> None:
        """Show how much of some work is done."""
        if total == 0 or not console.shows_progress:
            return
        if not console.is_terminal:
            self._lines.step(what, done, total)
            return
        self._live.start()
        if done == 0 or what not in self._bars:
            self._bars[what] = self._progress.add_task(visible(what), total=total)
        self._progress.update(self._bars[what], completed=done)

    def standing(self, hall: Standings) -> None:
        """Take the hall of fame after an epoch, with tau on the validation networks."""
        if console.shows_progress:
            self._hall = hall()
            self._best = best_of(self._hall)

    def evolving(self, state: State, formula: str, merit: float, seconds_left: float | None) -> None:
        """Show the hall of fame, or the best formula alone, and the time left."""
        if not console.shows_progress:
            return
        if not console.is_terminal:
            console.print(evolving_line(state, merit, self._best, seconds_left), soft_wrap=True)
            return
        left = "" if seconds_left is None else f", {clock(seconds_left)} left"
        self._state = f"generation {state.generations}, {state.evaluations:,} formulas{left}"
        self._live.start()
        self._live.refresh()

    def _shown(self) -> Group:
        """Return what stands at the foot of the terminal."""
        room = max(1, console.height - LINES_BESIDE - len(self._bars))
        table = [standings_table(self._hall, self._state, room)] if self._hall else []
        return Group(*table, self._progress.get_renderable())

    def saying(self, text: str) -> None:
        """Show one line."""
        if console.shows_progress:
            console.print(text)


def correlation_table(title: str, rows: Iterable[tuple[str, Correlation]], ceiling: float | None = None) -> Table:
    """Return a table of correlations with their intervals, one row each, above the noise ceiling where it is known.

    `top 10 %` is tau inside the true top decile where that has ten networks or more, `NaN` the number of networks whose
    score is undefined.
    """
    known = list(rows)
    undefined = any(item.undefined for _, item in known)
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))  # fits 80 characters
    for name in ("", "Kendall tau [95 %]", "Spearman [95 %]", "top 10 % [95 %]", *(["NaN"] if undefined else [])):
        table.add_column(name, justify="left" if name == "" else "right")
    for name, item in known:
        table.add_row(
            name,
            f"{item.tau:.3f} [{item.tau_low:.2f}, {item.tau_high:.2f}]",
            f"{item.spearman:.3f} [{item.spearman_low:.2f}, {item.spearman_high:.2f}]",
            "-"
            if math.isnan(item.tau_top_decile)
            else f"{item.tau_top_decile:.3f} [{item.tau_top_decile_low:.2f}, {item.tau_top_decile_high:.2f}]",
            *([str(item.undefined)] if undefined else []),
        )
    if ceiling is not None:
        table.add_section()
        table.add_row("noise ceiling", f"{ceiling:.3f}")
    return table


def front_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return the hall of fame of a run, a row per size; a star stands before the formula that was chosen."""
    table = Table(title="hall of fame", title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("", "nodes", "training tau", "validation tau", "passes"):
        table.add_column(name, justify="right")
    table.add_column("formula", overflow="fold")
    for row in rows:
        taus = (f"{row[name]:.3f}" for name in ("training_tau", "validation_tau"))
        table.add_row("*" if row["chosen"] else "", str(row["size"]), *taus, f"{row['cost']:g}", row["formula"])
    return table


def standings_table(hall: Sequence[Standing], title: str, room: int) -> Table:
    """Return the hall of fame of a run that goes on: what no smaller formula equals on the training networks.

    Args:
        hall: the best formula of each size, smallest first.
        title: how far the run is.
        room: most rows; the largest formulas stay.
    """
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("nodes", "training tau", "validation tau"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("formula", no_wrap=True, overflow="ellipsis")
    better: list[Standing] = []
    for each in hall:
        if not better or each.merit > better[-1].merit:
            better.append(each)
    for each in better[-room:]:
        validation = "-" if math.isnan(each.validation_tau) else f"{each.validation_tau:.3f}"
        table.add_row(str(each.size), f"{each.training_tau:.3f}", validation, visible(each.formula))
    return table


def task_table(found: TaskTable, width: int) -> Table:
    """Return the table of a task, the highest tau first, above the noise ceiling where it is known.

    Args:
        found: the table.
        width: characters per line; a narrow terminal gets the main columns.
    """
    table = Table(title=title(found), title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    shown = shown_columns(found, width)
    table.add_column("", no_wrap=True)
    for name in shown:
        table.add_column(HEADINGS[name], justify="right", no_wrap=name == "tau")
    behind = behind_best(found)
    for row in found.ranked():
        texts = cells(row, behind.get(row.name))
        table.add_row(row.name, *(texts[name] for name in shown))
    if found.ceiling is not None:
        table.add_section()
        table.add_row("noise ceiling", f"{found.ceiling:.3f}")
    return table
