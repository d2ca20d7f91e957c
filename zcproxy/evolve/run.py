"""The run: sample, sweep, epochs of islands, choice, test. `zcproxy.evolve.directory` has its files."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

from zcproxy.errors import RunError
from zcproxy.evolve.clock import Clock
from zcproxy.evolve.configuration import Algorithm, Configuration, Form, Limits
from zcproxy.evolve.deap.own_toolbox import OwnToolbox, reference_of
from zcproxy.evolve.directory import CONFIGURATION, RunDirectory, State
from zcproxy.evolve.fitness import FitnessFunction
from zcproxy.evolve.island import merge_best
from zcproxy.evolve.journal_line import journal_line
from zcproxy.evolve.materials import IslandJob, Materials, fitness_function_of, island_reports, measured
from zcproxy.evolve.observer import Observer, Silent
from zcproxy.evolve.results import Result, choose, write_results
from zcproxy.evolve.run_columns import RunColumns
from zcproxy.evolve.sample import Sample
from zcproxy.evolve.standing import standings
from zcproxy.evolve.start import check_own_toolbox, draw_samples, first_state, teacher_of
from zcproxy.evolve.targets import Targets, check_transferable
from zcproxy.evolve.unseen import Unseen
from zcproxy.formula import Node
from zcproxy.images.image_sets import ImageSet, keep_image_sets, kept_image_sets
from zcproxy.images.minibatch import images_of
from zcproxy.models.device import check_device
from zcproxy.names.families import check_apart, check_not_set_aside
from zcproxy.names.plugins import check_recorded, plugin_records
from zcproxy.names.tasks import get_task
from zcproxy.primitives import parse
from zcproxy.random import generator
from zcproxy.storage.cache_directory import default_cache
from zcproxy.user_code.chosen_teacher import teaching
from zcproxy.user_code.permission import permit, stored_in
from zcproxy.workers.pool import worker_pool

MIGRANTS = 6
"""Formulas of the hall of fame that an island receives after an epoch."""

SWEEP_SHARE = 1.5
"""A sweep for new columns is only started with this multiple of the first sweep's time left: it takes about a half."""

TEST_SHARE = 0.5
"""Time of the final test, which measures a few columns, as a share of the same networks in the first sweep."""


def evolve(
    configuration: Configuration,
    limits: Limits,
    out: Path,
    *,
    workers: int = 1,
    executor: Executor | None = None,
    cache: Path | None = None,
    observer: Observer | None = None,
    toolbox: OwnToolbox | None = None,
    options: str = "",
) -> Result:
    """Evolve proxies into a run directory and return what was found.

    Args:
        configuration: what the result depends on.
        limits: when to stop.
        out: the run directory; one that holds the same configuration is continued.
        workers: processes; the result does not depend on it.
        executor: where jobs run in place of `workers` processes: that of a Dask client, for example.
        cache: the cache directory; the default one if None.
        observer: called with the progress of the run.
        toolbox: your own operators: `package.module:name`, or what stands there, a function that takes a
            `deap.base.Toolbox` and a `deap.gp.PrimitiveSetTyped` and replaces entries, or a whole toolbox. It becomes
            the field `toolbox` of the configuration.
        options: of the command, for `run.toml` in the run directory; nothing for no such file.

    Raises:
        BenchmarkError: a task is unknown, has too few networks, or equal labels.
        ConfigurationError: the device is not available; a task is of a family that is set aside, or held out and of
            the same networks as another; an entry of the toolbox is missing, raises, or returns something that the run
            cannot take.
        RunError: `out` belongs to another run, or a worker died.
        StorageError: something cannot be written.

    Example:
        >>> import zcproxy
        >>> from pathlib import Path
        >>> small = {"networks": 24, "test_networks": 10, "probes": ("noise",), "islands": 1, "island_size": 20}
        >>> configuration = zcproxy.Configuration(("digits201",), **small)
        >>> found = zcproxy.evolve(configuration, zcproxy.Limits(generations=2), Path("runs/small"))
        >>> list(found.to_frame())
        ['size', 'training_tau', 'validation_tau', 'cost', 'chosen', 'formula']
        >>> found.test["digits201"].networks
        10
        >>> axes = found.plot()
    """
    if toolbox is not None:
        configuration = replace(configuration, toolbox=reference_of(toolbox))
    if not configuration.plugins:
        configuration = replace(configuration, plugins=plugin_records())
    check_recorded(configuration.plugins, out / CONFIGURATION)
    teacher = teacher_of(configuration, out / CONFIGURATION)
    configuration = replace(configuration, teacher=teacher)
    check_device(configuration.device)
    check_own_toolbox(configuration)
    directory = RunDirectory(out)
    check_not_set_aside((*configuration.tasks, *configuration.hold_out), use_set_aside=configuration.use_set_aside)
    check_apart(configuration.hold_out, configuration.tasks)
    if configuration.targets == Targets.TRANSFERRED:
        check_transferable(configuration.tasks, configuration.goals or configuration.tasks)
    samples = draw_samples(configuration)
    with teaching(teacher), directory.claim(configuration, limits, options), worker_pool(workers, executor) as jobs:
        images = _shown_images(configuration, samples, out)
        run = _Run(configuration, limits, directory, samples, images, cache or default_cache(), observer or Silent())
        return run.complete(jobs)


def resume(
    out: Path,
    *,
    seconds: float | None = None,
    generations: int | None = None,
    evaluations: int | None = None,
    workers: int = 1,
    executor: Executor | None = None,
    cache: Path | None = None,
    observer: Observer | None = None,
    options: str = "",
    allow_code: Iterable[str] = (),
) -> Result:
    """Continue a run where it was, up to its limits or to larger ones; see `evolve`.

    A run whose number of generations or evaluations grows ends as one that had the larger number from the start.

    Args:
        out: the run directory.
        seconds: seconds of wall-clock time in total, see `Limits` for all three; None for the run's own.
        generations: generations of every island.
        evaluations: formulas evaluated.
        workers: processes.
        executor: see `evolve`.
        cache: the cache directory; the default one if None.
        observer: called with the progress of the run.
        options: see `evolve`.
        allow_code: references to your own code that the run may name, see `zcproxy.user_code.permission`.

    Raises:
        ConfigurationError: the run names code that is not allowed; a limit is smaller than the run's, or the run has
            none of this kind.
        RunError: `out` is not a run directory.
    """
    permit(allow_code)
    directory = RunDirectory(out)
    configuration = directory.configuration()
    limits = directory.limits().extended(seconds=seconds, generations=generations, evaluations=evaluations)
    with stored_in(out / CONFIGURATION):
        return evolve(
            configuration,
            limits,
            out,
            workers=workers,
            executor=executor,
            cache=cache,
            observer=observer,
            options=options,
        )


def _shown_images(configuration: Configuration, samples: Iterable[str], out: Path) -> dict[str, ImageSet]:
    """Return what each task is shown, as when the run in `out` started, and keep it there for when it is resumed."""
    kept = kept_image_sets(out)
    images = {name: kept[name] if name in kept else images_of(get_task(name), configuration.images) for name in samples}
    keep_image_sets(out, images)
    return images


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
        self._columns = RunColumns(configuration, samples, images, cache, observer)
        self._stopped = False

    def complete(self, executor: Executor | None) -> Result:
        """Go from wherever the run stands to its end."""
        state = self._begin()
        clock = Clock(state.seconds, time.monotonic())
        self._columns.measure(executor, state.columns)
        while not self._is_over(state, clock):
            self._advance(executor, state, clock)
        if not state.hall:
            raise RunError(
                f"no formula was scored in {clock.seconds:.0f} s, which measuring took: `zcproxy evolve --resume "
                f"{self._directory.path}` continues with what is measured, or give a larger `seconds`"
            )
        finalists = [parse(state.hall[size]) for size in sorted(state.hall)]
        result = choose(finalists, *(self._scorer(state, part) for part in ("training", "validation", "fitted")))
        chosen = result.chosen.formula
        unseen = Unseen(self._configuration, self._samples, self._columns)
        tests = {name: unseen.formula(executor, name, chosen) for name in unseen.tasks}
        baselines = {name: unseen.baselines(name) for name in unseen.tasks}
        result = result.tested(tests, baselines, state, clock.seconds)
        shown = {name: found.description for name, found in self._images.items()}
        write_results(self._directory.path, result, self._configuration, shown)
        return result

    def _begin(self) -> State:
        """Return the state to resume from: before the last epoch, if a limit that has grown since cut that short."""
        limit, state = self._limits.generations, self._directory.load_state()
        may_grow = state is not None and limit is not None and limit > state.generations
        if state is not None and may_grow and state.generations % self._configuration.epoch_generations:
            self._directory.forget_last(state)
            state = self._directory.load_state()
        return state or first_state(self._configuration)

    def _advance(self, executor: Executor | None, state: State, clock: Clock) -> None:
        """Run one epoch and save the state it leaves."""
        configuration = self._configuration
        generations = configuration.epoch_generations
        if self._limits.generations is not None:
            generations = min(generations, self._limits.generations - state.generations)
        materials = self._materials(state)
        jobs = [IslandJob(island, state.epoch, tuple(texts), generations) for island, texts in enumerate(state.islands)]
        reports = list(island_reports(executor, materials, jobs))
        scorer = fitness_function_of(measured(materials))
        finalists = {size: parse(text) for size, text in state.hall.items()}
        hall = {size: (formula, scorer(formula)) for size, formula in finalists.items()}
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
        self._directory.save_state(state, journal_line(state, formula, score, reports))
        self._observer.standing(lambda: standings(hall, self._validation(state)))
        self._stopped = self._observer.evolving(state, str(formula), score.merit, self._seconds_left(clock)) is True

    def _with_migrants(self, state: State, population: list[str], island: int) -> list[str]:
        """Replace the last formulas of an island by some of the hall of fame."""
        if not population:
            return []
        rng = generator("migration", self._configuration.seed, state.epoch, island)
        finalists = list(state.hall.values())
        migrants = rng.sample(finalists, min(MIGRANTS, len(finalists)))
        return list(dict.fromkeys([*population[: len(population) - len(migrants)], *migrants]))

    def _add_columns(self, executor: Executor | None, state: State, formulas: Sequence[Node]) -> None:
        """Measure columns that the best formulas propose and let every island start from some of them."""
        useful = self._columns.proposed(executor, state, formulas)
        state.columns += useful
        is_formula = self._configuration.form == Form.FORMULA
        aggregations = [name for name in ("sum", "mean") if is_formula and name not in self._configuration.without][:1]
        of_columns = [f"{name}({column})" for name in aggregations for column in useful]
        state.islands = [[*texts, *of_columns] for texts in state.islands]

    def _materials(self, state: State) -> Materials:
        return Materials(
            tuple(self._columns.contexts[name] for name in self._configuration.tasks),
            tuple(self._samples[name].training for name in self._configuration.tasks),
            tuple(state.columns),
            self._cache,
            self._configuration,
            tuple(self._columns.varied[name] for name in self._configuration.tasks),
        )

    def _scorer(self, state: State, part: str) -> FitnessFunction:
        samples = [self._samples[name] for name in self._configuration.tasks]
        architectures = tuple(getattr(sample, part) or sample.training for sample in samples)
        return fitness_function_of(measured(replace(self._materials(state), architectures=architectures)))

    def _validation(self, state: State) -> FitnessFunction | None:
        return self._scorer(state, "validation") if self._configuration.validation_share else None

    def _seconds_left(self, clock: Clock) -> float | None:
        if self._limits.seconds is None:
            return None
        tests = sum(len(self._samples[name].test) for name in self._configuration.tested)
        return self._limits.seconds - clock.seconds - TEST_SHARE * self._columns.pace * tests

    def _has_time_for_columns(self, clock: Clock) -> bool:
        left = self._seconds_left(clock)
        networks = sum(len(sample.fitted) for sample in self._samples.values())
        wanted = self._configuration.new_columns > 0 and self._configuration.algorithm == Algorithm.EVOLVE
        return wanted and (left is None or left > SWEEP_SHARE * self._columns.pace * networks)

    def _is_over(self, state: State, clock: Clock) -> bool:
        left = self._seconds_left(clock)
        limits = self._limits
        return (
            self._stopped
            or (left is not None and left <= 0)
            or (limits.generations is not None and state.generations >= limits.generations)
            or (limits.evaluations is not None and state.evaluations >= limits.evaluations)
        )
