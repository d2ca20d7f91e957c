"""The run: sample, sweep, epochs of islands, choice, test. `zcproxy.evolve.directory` has its files."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zcproxy.benchmarks import get_task
from zcproxy.benchmarks.families import check_apart
from zcproxy.benchmarks.image_sets import ImageSet, keep_image_sets, kept_image_sets
from zcproxy.benchmarks.minibatch import images_of
from zcproxy.correlation import Correlation, correlate
from zcproxy.device import check_device
from zcproxy.errors import RunError
from zcproxy.evolve.configuration import Configuration, Limits
from zcproxy.evolve.directory import CONFIGURATION, RunDirectory, State
from zcproxy.evolve.fitness import Score, Scorer
from zcproxy.evolve.island import merge_best
from zcproxy.evolve.observer import Observer, Silent
from zcproxy.evolve.proposals import propose_columns, useful_columns
from zcproxy.evolve.results import Result, choose, write_results
from zcproxy.evolve.sample import Sample, draw_held_out, draw_sample
from zcproxy.evolve.targets import check_transferable
from zcproxy.evolve.workplace import IslandJob, IslandReport, Workplace, run_island, scorer_of
from zcproxy.formula import Node, parse
from zcproxy.formula.canonical import canonical
from zcproxy.formula.evaluate import Evaluator
from zcproxy.permission import carried, permit, stored_in
from zcproxy.random import generator
from zcproxy.sweep.library import standard_columns
from zcproxy.sweep.runner import sweep, worker_pool
from zcproxy.sweep.store import Context, default_cache
from zcproxy.sweep.table import ColumnTable

MIGRANTS = 6
"""Formulas of the hall of fame that an island receives after an epoch."""

LEAST_PACE = 0.3
"""Seconds a network that the final test is expected to take where the columns of the run were all known already."""

SWEEP_SHARE = 1.5
"""A sweep for new columns is only begun with this multiple of the first sweep's time left: it takes about a half."""

PROPOSED_FOR_EACH = 5
"""Expressions proposed for each new column wanted: most are undefined somewhere."""

SCREENING_NETWORKS = 8
"""Networks that the proposed expressions are tried on before the others are measured."""

TEST_SHARE = 0.5
"""Time of the final test, which measures a few columns, as a share of the same networks in the first sweep."""


@dataclass
class _Clock:
    """Wall-clock time of a run over all its parts."""

    before: float
    started: float

    @property
    def seconds(self) -> float:
        return self.before + time.monotonic() - self.started


def evolve(
    configuration: Configuration,
    limits: Limits,
    out: Path,
    *,
    workers: int = 1,
    cache: Path | None = None,
    observer: Observer | None = None,
) -> Result:
    """Evolve proxies into a run directory and return what was found.

    Args:
        configuration: what the result depends on.
        limits: when to stop.
        out: the run directory; one that holds the same configuration is continued.
        workers: processes; the result does not depend on it.
        cache: the cache directory; the default one if None.
        observer: told how far the run is.

    Raises:
        BenchmarkError: a task is unknown, has too few networks, or equal labels.
        ConfigurationError: the device is not there.
        RunError: `out` belongs to another run, or a worker died.
        StorageError: something cannot be written.
    """
    check_device(configuration.device)
    directory = RunDirectory(out)
    check_apart(configuration.hold_out, configuration.tasks)
    if configuration.targets == "transferred":
        check_transferable(configuration.tasks, configuration.goals or configuration.tasks)
    samples = draw_samples(configuration)
    with directory.claim(configuration, limits), worker_pool(workers) as executor:
        images = _shown_images(configuration, samples, out)
        run = _Run(configuration, limits, directory, samples, images, cache or default_cache(), observer or Silent())
        return run.complete(executor)


def resume(
    out: Path,
    *,
    seconds: float | None = None,
    generations: int | None = None,
    evaluations: int | None = None,
    workers: int = 1,
    cache: Path | None = None,
    observer: Observer | None = None,
    allow_code: Iterable[str] = (),
) -> Result:
    """Continue a run where it was, up to its limits or to larger ones; see `evolve`.

    A run whose number of generations or evaluations grows ends as one that had the larger number from the start.

    Args:
        out: the run directory.
        seconds: of wall-clock time in all, as `generations` and `evaluations` see `Limits`; None for the run's own.
        generations: of every island.
        evaluations: formulas evaluated.
        workers: processes.
        cache: the cache directory; the default one if None.
        observer: told how far the run is.
        allow_code: references to your own code that the run may name, see `zcproxy.permission`.

    Raises:
        ConfigurationError: the run names code that is not allowed; a limit is smaller than the run's, or the run has
            none of this kind.
        RunError: `out` is no run directory.
    """
    permit(allow_code)
    directory = RunDirectory(out)
    configuration = directory.configuration()
    limits = directory.limits().extended(seconds=seconds, generations=generations, evaluations=evaluations)
    with stored_in(out / CONFIGURATION):
        return evolve(configuration, limits, out, workers=workers, cache=cache, observer=observer)


def _shown_images(configuration: Configuration, samples: Iterable[str], out: Path) -> dict[str, ImageSet]:
    """Return what each task is shown, as when the run in `out` began, and keep it there for when it goes on."""
    kept = kept_image_sets(out)
    images = {name: kept[name] if name in kept else images_of(get_task(name), configuration.images) for name in samples}
    keep_image_sets(out, images)
    return images


def fitted_networks(configuration: Configuration, space: str) -> set[str]:
    """Return the classes of equivalent networks of a space that a run was fitted to or chosen by."""
    tasks = [task for task in map(get_task, configuration.tasks) if task.space.name == space]
    return {
        task.space.equivalence_class(each)
        for task in tasks
        for each in _drawn(configuration, task.name, test_networks=0).fitted
    }


def draw_samples(configuration: Configuration) -> dict[str, Sample]:
    """Return the networks of a run, by task; held-out tasks come last and have test networks alone.

    Raises:
        BenchmarkError: a task has fewer networks than asked for.
    """
    tests, population = configuration.test_networks, configuration.population
    left = 0 if configuration.hold_out else tests
    fitted = {name: _drawn(configuration, name, test_networks=left) for name in configuration.tasks}
    held_out = {
        name: draw_held_out(get_task(name), networks=tests, population=population, seed=_seed_of_samples(configuration))
        for name in configuration.hold_out
    }
    return {**fitted, **held_out}


def _drawn(configuration: Configuration, task: str, *, test_networks: int | None) -> Sample:
    return draw_sample(
        get_task(task),
        networks=configuration.networks,
        test_networks=test_networks,
        validation_share=configuration.validation_share,
        population=configuration.population,
        seed=_seed_of_samples(configuration),
    )


def _seed_of_samples(configuration: Configuration) -> int:
    return configuration.seed if configuration.sample_seed is None else configuration.sample_seed


class _Run:
    def __init__(
        self,
        configuration: Configuration,
        limits: Limits,
        directory: RunDirectory,
        samples: dict[str, Sample],
        images: dict[str, ImageSet],
        cache: Path,
        observer: Observer,
    ) -> None:
        self._configuration = configuration
        self._limits = limits
        self._directory = directory
        self._samples = samples
        self._cache = cache
        self._observer = observer
        self._images = images
        self._contexts = {
            name: Context(name, configuration.batch_size, 0, configuration.device, images[name].token)
            for name in samples
        }
        self._pace = LEAST_PACE

    def complete(self, executor: Executor | None) -> Result:
        """Go from wherever the run stands to its end."""
        state = self._begin()
        clock = _Clock(state.seconds, time.monotonic())
        self._measure_columns(executor, state.columns)
        while not self._is_over(state, clock):
            self._advance(executor, state, clock)
        if not state.hall:
            raise RunError(
                f"no formula was scored in {clock.seconds:.0f} s, which measuring took: `zcproxy evolve --resume "
                f"{self._directory.path}` goes on with what is measured, or give a larger --budget"
            )
        champions = [parse(state.hall[size]) for size in sorted(state.hall)]
        result = choose(champions, *(self._scorer(state, part) for part in ("training", "validation", "fitted")))
        chosen = result.chosen.formula
        tests = {name: self._test(executor, name, chosen) for name in self._configuration.tested}
        baselines = {name: self._test_baselines(name) for name in self._configuration.tested}
        result = result.tested(tests, baselines, state, clock.seconds)
        shown = {name: found.description for name, found in self._images.items()}
        write_results(self._directory.path, result, self._configuration, shown)
        return result

    def _begin(self) -> State:
        """Return the state to go on from: before the last epoch, if a limit that has grown since cut that short."""
        limit, state = self._limits.generations, self._directory.load_state()
        may_grow = state is not None and limit is not None and limit > state.generations
        if state is not None and may_grow and state.generations % self._configuration.epoch_generations:
            self._directory.forget_last(state)
            state = self._directory.load_state()
        return state or _first_state(self._configuration)

    def _advance(self, executor: Executor | None, state: State, clock: _Clock) -> None:
        """Run one epoch and save the state it leaves."""
        configuration = self._configuration
        generations = configuration.epoch_generations
        if self._limits.generations is not None:
            generations = min(generations, self._limits.generations - state.generations)
        workplace = self._workplace(state)
        jobs = [IslandJob(island, state.epoch, tuple(texts), generations) for island, texts in enumerate(state.islands)]
        reports = _run_jobs(executor, workplace, jobs)
        scorer = scorer_of(workplace)
        champions = {size: parse(text) for size, text in state.hall.items()}
        hall = {size: (formula, scorer(formula)) for size, formula in champions.items()}
        for report in reports:
            best = [parse(text) for text in report.best]
            merge_best(hall, {formula.size: (formula, scorer(formula)) for formula in best})
            state.evaluations += report.evaluations
            state.outcomes.update({outcome.name.lower(): count for outcome, count in report.outcomes.items()})
        state.hall = {size: str(hall[size][0]) for size in sorted(hall)}
        state.islands = [self._with_migrants(state, report.population, number) for number, report in enumerate(reports)]
        state.epoch += 1
        state.generations += generations
        if state.epoch == configuration.new_columns_after and self._has_time_for_columns(clock):
            self._add_columns(executor, state, [formula for formula, _ in hall.values()])
        state.seconds = clock.seconds
        formula, score = max(hall.values(), key=lambda item: (item[1].merit, -item[1].size))
        self._directory.save_state(state, _journal_line(state, formula, score))
        self._observer.evolving(state, str(formula), score.merit, self._seconds_left(clock))

    def _with_migrants(self, state: State, population: list[str], island: int) -> list[str]:
        """Replace the last formulas of a population by some of the hall of fame."""
        if not population:
            return []
        rng = generator("migration", self._configuration.seed, state.epoch, island)
        champions = list(state.hall.values())
        migrants = rng.sample(champions, min(MIGRANTS, len(champions)))
        return list(dict.fromkeys([*population[: len(population) - len(migrants)], *migrants]))

    def _add_columns(self, executor: Executor | None, state: State, formulas: Sequence[Node]) -> None:
        """Measure columns that the best formulas propose and let every island start from some of them."""
        configuration = self._configuration
        wanted = configuration.new_columns
        proposed = propose_columns(
            formulas,
            map(parse, state.columns),
            PROPOSED_FOR_EACH * wanted,
            seed_names=(configuration.seed, state.epoch),
            accept=configuration.admits,
        )
        screened = self._useful_columns(executor, proposed, networks=SCREENING_NETWORKS)[:wanted]
        self._observer.saying(f"measuring {len(screened)} new layer-level expressions of {len(proposed)} proposed")
        useful = [str(column) for column in self._useful_columns(executor, screened)]
        state.columns += useful
        aggregations = [name for name in ("sum", "mean") if name not in configuration.without][:1]
        of_columns = [f"{name}({column})" for name in aggregations for column in useful]
        state.islands = [[*texts, *of_columns] for texts in state.islands]

    def _useful_columns(
        self, executor: Executor | None, columns: Sequence[Node], networks: int | None = None
    ) -> list[Node]:
        """Return the columns that are finite and not constant on the networks, or on about so many of each task."""
        tables = []
        for name in self._configuration.tasks:
            fitted = self._samples[name].fitted
            step = len(fitted) // networks if networks else 1  # equivalent networks stand beside each other
            tables.append(self._table(executor, name, fitted[::step], columns))
        return useful_columns(tables, columns)

    def _measure_columns(self, executor: Executor | None, columns: Sequence[str]) -> None:
        started = time.monotonic()
        networks = 0

        def counting(task: str, done: int, total: int) -> None:
            nonlocal networks
            networks += done == total and total
            self._observer.sweeping(task, done, total)

        for name in self._configuration.tasks:
            self._table(executor, name, self._samples[name].fitted, [parse(text) for text in columns], counting)
        if networks:
            self._pace = max(LEAST_PACE, (time.monotonic() - started) / networks)

    def _table(
        self,
        executor: Executor | None,
        task: str,
        architectures: Sequence[str],
        columns: Sequence[Node],
        progress: Callable[[str, int, int], None] | None = None,
    ) -> ColumnTable:
        shown = progress or self._observer.sweeping
        return sweep(
            self._contexts[task],
            architectures,
            columns,
            executor=executor,
            cache=self._cache,
            progress=lambda done, total: shown(task, done, total),
        )

    def _workplace(self, state: State) -> Workplace:
        return Workplace(
            tuple(self._contexts[name] for name in self._configuration.tasks),
            tuple(self._samples[name].training for name in self._configuration.tasks),
            tuple(state.columns),
            self._cache,
            self._configuration,
        )

    def _scorer(self, state: State, part: str) -> Scorer:
        architectures = tuple(getattr(self._samples[name], part) for name in self._configuration.tasks)
        return scorer_of(replace(self._workplace(state), architectures=architectures))

    def _test(self, executor: Executor | None, task: str, formula: Node) -> Correlation:
        table = self._table(executor, task, self._samples[task].test, formula.columns())
        return self._correlate(task, Evaluator(table.counts, table.values, table.blocks)(formula))

    def _test_baselines(self, task: str) -> dict[str, Correlation]:
        found = get_task(task).baselines(self._samples[task].test)
        return {name: self._correlate(task, values) for name, values in found.items()}

    def _correlate(self, task: str, scores: NDArray[np.float64]) -> Correlation:
        architectures = self._samples[task].test
        labels = get_task(task).labels(architectures)
        kind = "held out" if task in self._configuration.hold_out else "unseen"
        population = f"{len(architectures)} {kind} of {self._configuration.population}"
        return correlate(scores, labels, task=task, population=population, seed=self._configuration.seed)

    def _seconds_left(self, clock: _Clock) -> float | None:
        if self._limits.seconds is None:
            return None
        tests = sum(len(self._samples[name].test) for name in self._configuration.tested)
        return self._limits.seconds - clock.seconds - TEST_SHARE * self._pace * tests

    def _has_time_for_columns(self, clock: _Clock) -> bool:
        left = self._seconds_left(clock)
        networks = sum(len(sample.fitted) for sample in self._samples.values())
        wanted = self._configuration.new_columns > 0 and self._configuration.algorithm == "evolve"
        return wanted and (left is None or left > SWEEP_SHARE * self._pace * networks)

    def _is_over(self, state: State, clock: _Clock) -> bool:
        left = self._seconds_left(clock)
        limits = self._limits
        return (
            (left is not None and left <= 0)
            or (limits.generations is not None and state.generations >= limits.generations)
            or (limits.evaluations is not None and state.evaluations >= limits.evaluations)
        )


def _first_state(configuration: Configuration) -> State:
    """Return where a run begins: every island with the formulas to start from, and nothing else."""
    start = [str(canonical(parse(text))) for text in configuration.start_from]
    return State([list(start) for _ in range(configuration.islands)], list(map(str, first_columns(configuration))))


def first_columns(configuration: Configuration) -> list[Node]:
    """Return the columns that a run begins with: the standard library, and those of the formulas to start from."""
    start = [canonical(parse(text)) for text in configuration.start_from]
    standard = filter(configuration.admits, standard_columns(configuration.probes))
    columns = [*standard, *(column for formula in start for column in formula.columns())]
    return list(dict.fromkeys(columns))


def _run_jobs(executor: Executor | None, workplace: Workplace, jobs: Sequence[IslandJob]) -> list[IslandReport]:
    if executor is None:
        return [run_island(workplace, job) for job in jobs]
    return list(executor.map(carried(run_island), itertools.repeat(workplace), jobs))


def _journal_line(state: State, formula: Node, score: Score) -> dict[str, Any]:
    return {
        "generations": state.generations,
        "evaluations": state.evaluations,
        "seconds": round(state.seconds, 3),
        "columns": len(state.columns),
        "outcomes": dict(state.outcomes),
        "best": {"formula": str(formula), "size": score.size, "training_tau": list(score.correlations)},
    }
