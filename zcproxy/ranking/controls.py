"""Controls of an evolved formula, on the networks that tested it: random formulas, published proxies, predictors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import fmean

import pandas as pd

from zcproxy.columns.context import Context
from zcproxy.columns.sweep import sweep
from zcproxy.columns.table import ColumnTable
from zcproxy.correlation import Correlation, correlate, kendall_tau
from zcproxy.evolve import Configuration, Limits, Result, evolve
from zcproxy.evolve.configuration import Algorithm
from zcproxy.evolve.directory import CONFIGURATION, RunDirectory
from zcproxy.evolve.observer import Observer, Silent
from zcproxy.evolve.predictors import Predictor, features_of, fit, untrained_predictors
from zcproxy.evolve.start import draw_samples, first_columns
from zcproxy.images.image_sets import kept_image_sets
from zcproxy.names.tasks import get_task
from zcproxy.proxy.aggregate import Scorer
from zcproxy.ranking.scoring import Scores, score_networks
from zcproxy.storage.files import replacing
from zcproxy.text.escaping import csv_frame, well_formed
from zcproxy.user_code.permission import stored_in
from zcproxy.workers.pool import worker_pool

CONTROL, CORRELATIONS = "control", "correlations.csv"

CHOSEN = "chosen of these"
"""Begins the name of the row of the proxy that the labels prefer; its own name follows in parentheses."""

Rows = dict[str, dict[str, Correlation]]
"""Correlations by task and name."""


def compare(
    out: Path,
    result: Result,
    proxies: Sequence[Scorer] = (),
    *,
    control: bool = False,
    workers: int = 1,
    executor: Executor | None = None,
    cache: Path | None = None,
    observer: Observer | None = None,
) -> Rows:
    """Return the test correlations of a finished run and of what it is compared with, per task and name.

    They are written to `correlations.csv` in the run directory too.

    Args:
        out: the run directory.
        result: what `evolve` returned for it.
        proxies: others to score on the same networks and minibatches, in one sweep. Where tasks are held out, the one
            that has the highest mean tau on the labelled networks of the run has a second row, for being chosen.
        control: also measure what a formula has to be better than: as many random formulas from the columns that the
            run began with, among which the choice is made as in the run (a run of its own, in the folder `control`);
            and an additive model and a random forest, fitted to the same columns and labels. A run that is a control
            itself gets none.
        workers: processes; the result does not depend on it.
        executor: see `evolve`.
        cache: the cache directory; the default one if None.
        observer: called with the progress.

    Raises:
        BenchmarkError, RunError, StorageError: as `evolve`.
    """
    with stored_in(out / CONFIGURATION):
        return _compared(out, result, proxies, control, workers, executor, cache, observer or Silent())


def _compared(
    out: Path,
    result: Result,
    proxies: Sequence[Scorer],
    control: bool,
    workers: int,
    executor: Executor | None,
    cache: Path | None,
    observer: Observer,
) -> Rows:
    configuration = RunDirectory(out).configuration()
    found: list[Rows] = [{task: {"best formula": best} for task, best in result.test.items()}]
    if control and configuration.algorithm == Algorithm.EVOLVE:
        observer.saying(f"control: {result.evaluations:,} random formulas")
        randomly = replace(configuration, algorithm=Algorithm.RANDOM, new_columns=0)
        limits = Limits(evaluations=result.evaluations)
        drawn = evolve(
            randomly, limits, out / CONTROL, workers=workers, executor=executor, cache=cache, observer=observer
        )
        found.append({task: {"random formulas": best} for task, best in drawn.test.items()})
    with worker_pool(workers, executor) as jobs:
        comparison = _Comparison(out, configuration, result, jobs, cache, observer)
        if control and configuration.algorithm == Algorithm.EVOLVE:
            found.append(comparison.predicted())
        if proxies:
            found.append(comparison.published(proxies))
    found.append({task: dict(baselines) for task, baselines in result.baselines.items()})
    rows = {task: {name: each for part in found for name, each in part[task].items()} for task in result.test}
    table = pd.DataFrame(
        {"proxy": well_formed(name), **item.as_dict(), "task": well_formed(item.task)}
        for known in rows.values()
        for name, item in known.items()
    )
    with replacing(out / CORRELATIONS) as temporary:
        csv_frame(table).to_csv(temporary, index=False)
    return rows


class _Comparison:
    """Measures on the networks of a finished run."""

    def __init__(
        self,
        out: Path,
        configuration: Configuration,
        result: Result,
        executor: Executor | None,
        cache: Path | None,
        observer: Observer,
    ) -> None:
        self._configuration, self._result = configuration, result
        self._executor, self._cache, self._observer = executor, cache, observer
        self._samples = draw_samples(configuration)
        self._goals = configuration.goals or configuration.tasks
        self._images = {task: found.token for task, found in kept_image_sets(out).items()}

    def published(self, proxies: Sequence[Scorer]) -> Rows:
        """Return the correlations of proxies; if tasks are held out, twice of the one that the labels prefer."""
        rows: Rows = {task: self._scores(proxies, task).correlations(seed=self._seed) for task in self._result.test}
        if self._configuration.hold_out and len(proxies) > 1:
            name = self._preferred(proxies)
            for known in rows.values():
                known[f"{CHOSEN} ({name})"] = known[name]
        return rows

    def predicted(self) -> Rows:
        """Return the correlations of predictors that are fitted to what the run was given."""
        predictors = untrained_predictors(self._seed)
        tasks = self._configuration.tasks
        fitted = [self._samples[task].fitted for task in tasks]
        features = [features_of(self._table(task, networks)) for task, networks in zip(tasks, fitted, strict=True)]
        labels = [get_task(task).labels(networks) for task, networks in zip(tasks, fitted, strict=True)]
        fit(predictors, features, labels, self._goals)
        return {task: self._predictions(predictors, task) for task in self._result.test}

    @property
    def _seed(self) -> int:
        return self._configuration.seed

    def _predictions(self, predictors: Mapping[str, Predictor], task: str) -> dict[str, Correlation]:
        networks = self._samples[task].test
        features = features_of(self._table(task, networks))
        labels, population = get_task(task).labels(networks), self._result.test[task].population
        return {
            name: correlate(predictor.predict(features), labels, task=task, population=population, seed=self._seed)
            for name, predictor in predictors.items()
        }

    def _preferred(self, proxies: Sequence[Scorer]) -> str:
        """Return the name of the proxy with the highest mean over goals on the labelled networks of the run."""
        taus: dict[str, dict[str, list[float]]] = {}
        for task, goal in zip(self._configuration.tasks, self._goals, strict=True):
            found = self._scores(proxies, task, labelled=True)
            for name, scores in found.scores.items():
                tau = kendall_tau(scores, found.labels)
                taus.setdefault(name, {}).setdefault(goal, []).append(-1.0 if math.isnan(tau) else tau)
        return max(taus, key=lambda name: fmean(map(fmean, taus[name].values())))

    def _scores(self, proxies: Sequence[Scorer], task: str, *, labelled: bool = False) -> Scores:
        sample = self._samples[task]
        found = score_networks(
            proxies,
            task,
            sample.fitted if labelled else sample.test,
            population="labelled" if labelled else self._result.test[task].population,
            batch_size=self._configuration.batch_size,
            device=self._configuration.device,
            images=self._images.get(task, ""),
            executor=self._executor,
            cache=self._cache,
            progress=partial(self._observer.step, f"measuring {task} for comparison"),
        )
        for remark in found.remarks:
            self._observer.saying(remark)
        return found

    def _table(self, task: str, networks: Sequence[str]) -> ColumnTable:
        return sweep(
            Context(
                get_task(task),
                self._configuration.batch_size,
                0,
                self._configuration.device,
                self._images.get(task, ""),
            ),
            networks,
            first_columns(self._configuration),
            executor=self._executor,
            cache=self._cache,
            progress=partial(self._observer.step, f"measuring {task} for comparison"),
        )
