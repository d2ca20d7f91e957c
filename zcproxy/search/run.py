"""The search: ask an algorithm, measure, tell it. `zcproxy.search.directory` has its files."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from zcproxy.contracts.super_network import SuperNetwork
from zcproxy.errors import ConfigurationError, ModelError
from zcproxy.images.image_sets import ImageSet, keep_image_sets, kept_image_sets
from zcproxy.images.minibatch import images_of
from zcproxy.models.device import check_device
from zcproxy.names.plugins import plugin_records
from zcproxy.names.subjects import Subject
from zcproxy.names.teachers import teacher_of_run
from zcproxy.primitives import parse
from zcproxy.probing.beside import reads_teacher
from zcproxy.random import generator
from zcproxy.search.algorithms import Algorithm, Proposer, make_algorithm
from zcproxy.search.algorithms.catalogue import ROBOT
from zcproxy.search.algorithms.robot import Pool
from zcproxy.search.configuration import SearchConfiguration
from zcproxy.search.directory import CONFIGURATION, SearchDirectory
from zcproxy.search.front import ranked
from zcproxy.search.goals import PROXY, Candidate, Goals
from zcproxy.search.measuring import Quantities
from zcproxy.search.pool import draw_pool, scored_pool
from zcproxy.search.quantities.latency import LARGE_SPREAD
from zcproxy.search.quantities.networks import LATENCY, LATENCY_SPREAD, NetworkMeasurer, Setting
from zcproxy.search.quantities.sources import sources_of
from zcproxy.search.results import SearchResult, result_of, write_results
from zcproxy.search.reuse import measured_by
from zcproxy.user_code.chosen_teacher import teaching
from zcproxy.user_code.permission import permit, stored_in
from zcproxy.workers.pool import worker_pool
from zcproxy.workers.progress import Step


def search(
    configuration: SearchConfiguration,
    out: Path,
    *,
    subject: Subject | None = None,
    workers: int = 1,
    executor: Executor | None = None,
    cache: Path | None = None,
    reuse: Sequence[Path] = (),
    step: Step | None = None,
    options: str = "",
) -> SearchResult:
    """Search architectures into a directory and return what was found.

    Args:
        configuration: what the result depends on.
        out: the directory; one that holds the same search is continued.
        subject: what is searched, in place of what the configuration's reference names; measured in this process.
        workers: processes; the result does not depend on it.
        executor: where jobs run in place of `workers` processes: that of a Dask client, for example.
        cache: the cache directory; the default one if None.
        reuse: directories of other searches in the same setting: what they measured is not measured again.
        step: called with what is being done, how much of it is done, and how much there is to do.
        options: of the command, for `run.toml` in the directory; nothing for no such file.

    Raises:
        BenchmarkError: a quantity has no source, or no architecture within the bounds was found (all is written then).
        ConfigurationError: the subject cannot be searched like that, the device is not available, or a search to reuse
            measured differently.
        ModelError: nothing that was evaluated first has all quantities defined.
        RunError: `out` belongs to another search, or a worker died.
        StorageError: something cannot be written.

    Example:
        >>> import zcproxy
        >>> from pathlib import Path
        >>> setting = zcproxy.Setting("digits201", formula="sum(log(params))")
        >>> configuration = zcproxy.SearchConfiguration(setting, ("proxy",), ("macs",), evaluations=12, population=4)
        >>> found = zcproxy.search(configuration, Path("runs/searched"))
        >>> list(found.to_frame())
        ['arch', 'proxy', 'macs', 'seconds', 'is_front']
        >>> len(found.front) >= 1
        True
        >>> axes = found.plot()
    """
    setting = configuration.setting
    if setting.formulas and not setting.plugins:
        setting = replace(setting, plugins=plugin_records())
    check_device(setting.device)
    searched = subject or setting.subject()
    readers = [text for text in setting.formulas if reads_teacher(parse(text))]
    setting = replace(setting, teacher=teacher_of_run(setting.teacher, readers, [searched], out / CONFIGURATION))
    configuration = replace(configuration, setting=setting)
    images = shown_images(searched, setting, out)
    measurer = NetworkMeasurer(searched, replace(setting, images=setting.images if images is None else images.token))
    start = [measurer.space.parse(text) for text in configuration.start_from]
    drawn = draw_pool(configuration, measurer) if configuration.algorithm == ROBOT else ()
    names = [*configuration.goals.quantities, *([PROXY] if configuration.setting.formula else [])]
    directory = SearchDirectory(out)
    here = subject is not None
    with teaching(setting.teacher), worker_pool(1 if here else workers, None if here else executor) as jobs:
        table = Path(configuration.table) if configuration.table else None
        sources = sources_of(dict.fromkeys(names), measurer, table, jobs, cache)
        known = [measured for path in reuse for measured in measured_by(path, configuration, images)]
        with directory.claim(configuration, options):
            if images is not None:
                keep_image_sets(out, {searched.name: images})
            evaluator = Quantities(sources, directory.note)
            evaluator.add(directory.mend())
            evaluator.take_over(known)
            step = step or _silent
            if isinstance(measurer.subject, SuperNetwork) and configuration.needs_weights:
                measurer.subject.prepare(partial(step, f"training {measurer.subject.name}"))
            run = _Run(configuration, measurer, evaluator, step)
            result = run.complete(start, drawn)
            write_results(out, result, configuration)
    result.check_feasible()
    return result


def shown_images(subject: Subject, setting: Setting, out: Path) -> ImageSet | None:
    """Return what the proxy is shown: as the search in `out` was started with; None if it looks at no images."""
    if not setting.looks_at_images:
        return None
    return kept_image_sets(out).get(subject.name) or images_of(subject, setting.images)


def resume(
    out: Path,
    *,
    evaluations: int | None = None,
    workers: int = 1,
    executor: Executor | None = None,
    cache: Path | None = None,
    step: Step | None = None,
    options: str = "",
    allow_code: Iterable[str] = (),
) -> SearchResult:
    """Continue a search where it was, up to its number of evaluations or a larger one; see `search`.

    Args:
        out: the directory.
        evaluations: architectures to evaluate in all; None for the search's own number.
        workers: processes.
        executor: see `search`.
        cache: the cache directory; the default one if None.
        step: called with the progress, see `search`.
        options: see `search`.
        allow_code: references to your own code that the search may name, see `zcproxy.user_code.permission`.

    Raises:
        ConfigurationError: the search names code that is not allowed, or the number is smaller than the search's.
        RunError: `out` holds no search.
    """
    permit(allow_code)
    configuration = SearchDirectory(out).configuration()
    if evaluations is not None:
        if evaluations < configuration.evaluations:
            raise ConfigurationError(
                f"evaluations={evaluations} does not extend the search, which has {configuration.evaluations}"
            )
        configuration = configuration.with_evaluations(evaluations)
    with stored_in(out / CONFIGURATION):
        return search(configuration, out, workers=workers, executor=executor, cache=cache, step=step, options=options)


@dataclass
class _Run:
    configuration: SearchConfiguration
    measurer: NetworkMeasurer
    evaluator: Quantities
    step: Step

    def complete(self, start: Sequence[str], drawn: Sequence[str] = ()) -> SearchResult:
        """Evaluate as many architectures as the configuration says; `drawn` are those that `robot` ranks."""
        configuration, goals = self.configuration, self.configuration.goals
        started = time.perf_counter()
        scored = self._warm(start) if configuration.warm_start else []
        best = [outcome.architecture for outcome in ranked(scored) if outcome.architecture not in start]
        first = [*start, *best[: configuration.population]]
        pool = scored_pool(configuration, drawn, self.evaluator.values, self.step) if drawn else None
        known = [outcome.architecture for outcome in scored]
        algorithm = self._algorithm(configuration.algorithm, goals, first, "search", known, pool)
        outcomes = self._drive(algorithm, goals, configuration.evaluations, "searching")
        seconds = [self.evaluator.seconds[outcome.architecture] for outcome in outcomes]
        total = time.perf_counter() - started
        return result_of(goals, outcomes, seconds, self.evaluator.measuring, total, self._unsteady(outcomes))

    def _unsteady(self, outcomes: Sequence[Candidate]) -> int:
        """Return how many architectures have a latency that varied much from run to run."""
        known = [self.evaluator.known[outcome.architecture] for outcome in outcomes]
        return sum(row[LATENCY_SPREAD] > LARGE_SPREAD * row[LATENCY] for row in known if LATENCY_SPREAD in row)

    def _warm(self, start: Sequence[str]) -> list[Candidate]:
        """Return the outcomes of a search by the proxy and by what is cheap."""
        goals, evaluations = self.configuration.warm_goals, self.configuration.warm_start
        algorithm = self._algorithm("nsga2", goals, start, "warm start")
        return self._drive(algorithm, goals, evaluations, "warm start")

    def _algorithm(
        self,
        name: str,
        goals: Goals,
        start: Sequence[str],
        purpose: str,
        scored: Sequence[str] = (),
        pool: Pool | None = None,
    ) -> Algorithm:
        configuration, space = self.configuration, self.measurer.space
        return make_algorithm(
            name,
            Proposer(space, generator("search", space.name, purpose, configuration.seed), set()),
            population=configuration.population,
            start=start,
            goals=goals,
            seed=configuration.seed,
            predicted=configuration.predicted,
            hints=configuration.hints,
            measure=self.evaluator.values,
            inner_evaluations=configuration.inner_evaluations,
            scored=scored,
            niches=configuration.niches if goals == configuration.goals else 0,
            pool=pool,
            queries=configuration.evaluations,
        )

    def _drive(self, algorithm: Algorithm, goals: Goals, evaluations: int, what: str) -> list[Candidate]:
        """Ask, measure and tell until there are enough evaluations, or nothing new is asked for."""
        outcomes: list[Candidate] = []
        self.step(what, 0, evaluations)
        while len(outcomes) < evaluations:
            asked = algorithm.ask()[: evaluations - len(outcomes)]
            if not asked:
                break
            found = goals.outcomes(asked, self.evaluator.values(asked, goals.quantities))
            if not outcomes:
                _check_defined(found, goals)
            outcomes += found
            self.step(what, len(outcomes), evaluations)
            if len(outcomes) < evaluations:
                algorithm.tell(found)
        return outcomes


def _silent(what: str, done: int, total: int) -> None:
    pass


def _check_defined(outcomes: Sequence[Candidate], goals: Goals) -> None:
    for place, name in enumerate(goals.quantities):
        if not any(np.isfinite(outcome.values[place]) for outcome in outcomes):
            raise ModelError(
                f"'{name}' is undefined for all {len(outcomes)} architectures evaluated first, such as "
                f"{outcomes[0].architecture}: there is nothing to go by"
            )
