"""Start of a run: the networks of its tasks, its columns, and its first state."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from zcproxy.columns.of_teacher import teacher_columns
from zcproxy.columns.own import own_columns
from zcproxy.columns.standard import standard_columns
from zcproxy.errors import ConfigurationError
from zcproxy.evolve.configuration import Configuration, Form
from zcproxy.evolve.deap.own_toolbox import own_toolbox
from zcproxy.evolve.deap.primitives import primitive_set
from zcproxy.evolve.deap.randomness import lent_to
from zcproxy.evolve.deap.toolbox import make_toolbox
from zcproxy.evolve.directory import State
from zcproxy.evolve.fitness import Fitness
from zcproxy.evolve.sample import Sample, draw_held_out, draw_sample
from zcproxy.formula import Node, vocabulary
from zcproxy.formula.canonical import canonical
from zcproxy.names.tasks import get_task
from zcproxy.names.teachers import teacher_of_run
from zcproxy.primitives import parse
from zcproxy.probing.probes import OF_TEACHER
from zcproxy.random import generator

LOG_RANKS = "log_ranks"
"""The primitive that joins the formulas to start from, where sets evolve."""


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


def teacher_of(configuration: Configuration, place: Path) -> str:
    """Return the reference and digest of the teacher of a run, which `place` holds; raises as `teacher_of_run`."""
    readers = OF_TEACHER if configuration.reads_teacher else {}
    tasks = map(get_task, (*configuration.tasks, *configuration.hold_out))
    return teacher_of_run(configuration.teacher, readers, tasks, place)


def check_own_toolbox(configuration: Configuration) -> None:
    """Raise `ConfigurationError` if the user's toolbox cannot be made, before anything is measured."""
    if configuration.toolbox:
        columns, without = first_columns(configuration), configuration.without
        size, root = configuration.maximum_size, configuration.root
        primitives = primitive_set(columns, without=without, maximum_size=size, root=root)
        ours = make_toolbox(primitives, configuration.operators, _not_yet_scored)
        with lent_to(generator("toolbox", configuration.seed)):
            own_toolbox(configuration.toolbox, ours, primitives)


def _not_yet_scored(formula: Node) -> Fitness:
    raise ConfigurationError(f"'{formula}' was to be scored while the toolbox is made: no network is measured yet")


def first_state(configuration: Configuration) -> State:
    """Return where a run begins: every island with the formulas to start from, and nothing else."""
    start = [str(canonical(formula)) for formula in _started(configuration)]
    return State([list(start) for _ in range(configuration.islands)], list(map(str, first_columns(configuration))))


def _started(configuration: Configuration) -> list[Node]:
    """Return what every island begins with: the formulas to start from, or sets of each with the next."""
    formulas = [parse(text) for text in configuration.start_from]
    if configuration.form == Form.FORMULA:
        return formulas
    sets = [vocabulary().apply(LOG_RANKS, *pair) for pair in pairwise(formulas)]
    return [each for each in sets if canonical(each).size <= configuration.maximum_size]


def first_columns(configuration: Configuration) -> list[Node]:
    """Return the columns that a run begins with: standard ones, those of plugins and teachers, those to start from."""
    start = [canonical(parse(text)) for text in configuration.start_from]
    standard = filter(configuration.admits, standard_columns(configuration.probes))
    own = filter(configuration.admits, own_columns(configuration.probes))
    taught = filter(configuration.admits, teacher_columns(configuration.probes))
    columns = [*standard, *own, *taught, *(column for formula in start for column in formula.columns())]
    return list(dict.fromkeys(columns))
