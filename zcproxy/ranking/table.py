"""Builds the table of one task after another: draw networks, sweep once for all proxies, judge every proxy."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from zcproxy.contracts.task import Task
from zcproxy.errors import ConfigurationError
from zcproxy.evolve.observer import Observer, Silent
from zcproxy.figures.axes import axes_or_new
from zcproxy.images.image_sets import ImageSet
from zcproxy.models.device import check_device
from zcproxy.names.proxies import BASELINE, reported_tau, resolve_proxy
from zcproxy.names.scorers import as_scorers
from zcproxy.names.tasks import get_task
from zcproxy.notebook.shown import Shown
from zcproxy.primitives.zoo import NAMES
from zcproxy.probing.coverage import Coverage
from zcproxy.proxy.aggregate import Scorer, text_of
from zcproxy.ranking.drawing import draw_taus
from zcproxy.ranking.measures import Estimate, judge
from zcproxy.ranking.plan import Plan as Plan
from zcproxy.ranking.scores import Scores
from zcproxy.ranking.scoring import (
    draw_networks,
    images_shown,
    population_name,
    score_networks,
)
from zcproxy.ranking.seen import seen_in_fitting
from zcproxy.ranking.settings import settings_notes, settings_text
from zcproxy.ranking.timing import seconds_alone
from zcproxy.ranking.undefined import reasons
from zcproxy.text.visible import shortened
from zcproxy.workers.jobs import in_order

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """One proxy in the table of a task.

    Attributes:
        name: name of the proxy or baseline.
        text: what it computes.
        estimates: by measure.
        scores: scores of the first initialisation, one per network.
        undefined: for how many networks the score is NaN, the most over the initialisations.
        seconds: to measure the proxy alone on one network, in one thread; NaN for a baseline.
        reported: lowest and highest tau that papers report on the population, of which this may be a sample.
        settings: whose settings it was measured with, and what they are; empty where none matters.
        draws: tau in each resample of the networks, the same resamples for all rows; empty where there are none.
    """

    name: str
    text: str
    estimates: dict[str, Estimate]
    scores: Array = field(repr=False)
    undefined: int = 0
    seconds: float = math.nan
    reported: tuple[float, float] | None = None
    settings: str = ""
    draws: Array = field(default_factory=lambda: np.zeros(0), repr=False)

    def measured(self) -> dict[str, float]:
        """Return each measure by name, with `_low`, `_high` and `_spread` behind the name for what belongs to it."""
        return {
            name if part == "value" else f"{name}_{part}": getattr(estimate, part)
            for name, estimate in self.estimates.items()
            for part in ("value", "low", "high", "spread")
        }


@dataclass(frozen=True, repr=False)
class TaskTable(Shown):
    """The table of one task.

    Attributes:
        task: its name.
        population: which networks, in words.
        architectures: their texts.
        labels: their accuracies in percent.
        rows: the proxies in the order given, then the baselines.
        ceiling: tau between two trainings, None if unknown.
        plan: how it was measured.
        images: what the networks were shown; None where no proxy looks at images.
        seen: how many of the networks a proxy was fitted to, by its name.
        coverage: for each network, the part that its layers hold.
        reasons: why proxies are undefined, a sentence each, where that is known.
        settings_notes: what is to be known of authors' settings, a sentence each.
    """

    task: str
    population: str
    architectures: tuple[str, ...]
    labels: Array
    rows: tuple[Row, ...]
    ceiling: float | None
    plan: Plan
    images: ImageSet | None = None
    seen: Mapping[str, int] = field(default_factory=dict)
    coverage: tuple[Coverage, ...] = field(default=(), repr=False)
    reasons: Sequence[str] = ()
    settings_notes: tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        """Which networks, and the proxy that ranks them best."""
        best = self.ranked()[0]
        tau = best.estimates["tau"]
        return (
            f"{len(self.rows)} proxies on {self.task}: {self.population}; highest tau {tau.value:.3f} "
            f"[{tau.low:.2f}, {tau.high:.2f}], {shortened(best.name, 80)}"
        )

    def to_frame(self) -> pd.DataFrame:
        """Return a row per proxy, highest tau first.

        After `proxy` come the measures, each with the ends of its 95 % interval and its standard deviation over
        initialisations (`tau`, `tau_low`, `tau_high`, `tau_spread`, ...; `pick_accuracy` and `regret` in per cent),
        `undefined` (networks without a score), `seconds` (for one network) and `formula`.
        """
        rows = []
        for row in self.ranked():
            rest = {"undefined": row.undefined, "seconds": row.seconds, "formula": row.text}
            rows.append({"proxy": row.name, **row.measured(), **rest})
        return pd.DataFrame(rows)

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw Kendall's tau of each proxy with its interval, the highest on top.

        Args:
            axes: of matplotlib, to draw into; None for those of a new figure.

        Raises:
            ConfigurationError: matplotlib is not installed.
        """
        rows = self.ranked()
        taus = [(tau.value, tau.low, tau.high) for tau in (row.estimates["tau"] for row in rows)]
        title = f"{self.task}: {self.population}"
        return draw_taus(axes_or_new(axes), [row.name for row in rows], taus, title)

    def _shown_frame(self) -> pd.DataFrame:
        return self.to_frame()[["proxy", "tau", "tau_low", "tau_high", "spearman", "undefined", "seconds"]]

    def ranked(self) -> list[Row]:
        """Return the rows, highest tau first; those without one last."""
        return sorted(self.rows, key=lambda row: -np.nan_to_num(row.estimates["tau"].value, nan=-2.0))


def build_table(
    task_name: str,
    scorers: Sequence[Scorer | str | Callable[..., Any]],
    plan: Plan,
    *,
    executor: Executor | None = None,
    cache: Path | None = None,
    observer: Observer | None = None,
) -> TaskTable:
    """Return how well proxies rank the networks of a task, beside params, FLOPs and the count of convolutions.

    The result depends on the arguments alone, but for the seconds.

    Args:
        task_name: the task.
        scorers: what `zcproxy.score` takes; published ones that are baselines too (`params`, `flops`) have one row.
        plan: which networks, and how.
        executor: where networks are measured and intervals computed; None for this process.
        cache: the cache directory; the default one if None. What it holds is not measured again.
        observer: called with the progress of the sweeps.

    Raises:
        BenchmarkError: the task is unknown, has too few networks, or equal labels.
        ConfigurationError: the device is not available, two proxies have the same name, or one has that of a baseline
            and computes something else.

    Example:
        >>> import zcproxy
        >>> found = zcproxy.table("digits201", ["naswot"], zcproxy.Plan(networks=12, resamples=50))
        >>> frame = found.to_frame().set_index("proxy")
        >>> sorted(frame.index)
        ['convolutions', 'flops', 'naswot', 'params']
        >>> bool((frame["tau_low"] <= frame["tau_high"]).all())
        True
        >>> axes = found.plot()
    """
    check_device(plan.device)
    task = get_task(task_name)
    observer = observer or Silent()
    networks, population = _drawn(task, plan)
    baselines = task.baselines(networks)
    scorers = _without_baselines(as_scorers(scorers), baselines)
    shown = images_shown(scorers, task_name, plan.images)
    images = "" if shown is None else shown.token
    score = partial(score_networks, scorers, task_name, networks, population=population, batch_size=plan.batch_size)
    score = partial(score, device=plan.device, images=images, executor=executor, cache=cache)
    found = []
    for index in range(plan.initialisations):
        part = "" if plan.initialisations == 1 else f", initialisation {index + 1} of {plan.initialisations}"
        progress = partial(observer.step, f"measuring {task_name}{part}")
        found.append(score(initialisation=index, progress=progress))
    return TaskTable(
        task_name,
        population,
        networks,
        task.labels(networks),
        _rows(task, scorers, baselines, found, plan, images, executor),
        task.noise_ceiling(),
        plan,
        shown,
        seen_in_fitting(scorers, task, networks),
        found[0].coverage,
        [*reasons(scorers, task, plan.batch_size, images), *found[0].remarks],
        settings_notes(scorers),
    )


def _drawn(task: Task, plan: Plan) -> tuple[tuple[str, ...], str]:
    """Return the networks of a plan, and in words which these are."""
    networks = draw_networks(
        task,
        plan.networks,
        population=plan.population,
        sampling=plan.sampling,
        seed=plan.seed,
        unseen_by=plan.unseen_by,
    )
    return networks, population_name(
        task, len(networks), plan.population, sampling=plan.sampling, seed=plan.seed, unseen=bool(plan.unseen_by)
    )


def _rows(
    task: Task,
    scorers: Sequence[Scorer],
    baselines: Mapping[str, Array],
    found: Sequence[Scores],
    plan: Plan,
    images: str,
    executor: Executor | None,
) -> tuple[Row, ...]:
    """Return the rows of a table: the scorers, whose scores of each initialisation were found, then the baselines."""
    networks, population = found[0].architectures, found[0].population
    scores = {scorer.name: np.array([each.scores[scorer.name] for each in found]) for scorer in scorers}
    scores |= {name: np.array([values]) for name, values in baselines.items()}
    judging = partial(
        judge,
        labels=found[0].labels,
        params=baselines["params"],
        seed_names=("table", task.name, population),
        resamples=plan.resamples,
    )
    judged = dict(zip(scores, in_order(executor, judging, [(values,) for values in scores.values()]), strict=True))
    seconds = seconds_alone(
        scorers, task.name, networks, batch_size=plan.batch_size, device=plan.device, images=images, executor=executor
    )
    texts = dict.fromkeys(baselines, BASELINE) | {scorer.name: text_of(scorer) for scorer in scorers}
    settings = {scorer.name: settings_text(scorer, plan.batch_size) for scorer in scorers}
    return tuple(
        Row(
            name,
            texts[name],
            judged[name].estimates,
            values[0],
            int(np.isnan(values).sum(axis=1).max()),
            seconds.get(name, math.nan),
            reported_tau(name, texts[name], task.name, plan.population),
            settings.get(name, ""),
            judged[name].draws,
        )
        for name, values in scores.items()
    )


def _without_baselines(scorers: Sequence[Scorer], baselines: Container[str]) -> list[Scorer]:
    """Return the scorers that are not baselines."""
    for scorer in scorers:
        if scorer.name in baselines and not (scorer.name in NAMES and scorer == resolve_proxy(scorer.name)):
            raise ConfigurationError(f"'{scorer.name}' is the name of a baseline: give the proxy another one")
    return [scorer for scorer in scorers if scorer.name not in baselines]
