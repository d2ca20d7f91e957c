"""A run of evolution as its directory has it, finished or not: what a page is made from. Nothing is changed there."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from zcproxy.correlation import Correlation
from zcproxy.discovery.few import FILE, NAME
from zcproxy.errors import RunError
from zcproxy.evolve.configuration import Configuration, Limits
from zcproxy.evolve.directory import ENVIRONMENT, JOURNAL, RunDirectory, State
from zcproxy.evolve.results import FRONT
from zcproxy.images.image_sets import ImageSet, kept_image_sets
from zcproxy.names.proxies import load_proxy
from zcproxy.proxy.proxy import Proxy
from zcproxy.ranking.controls import CORRELATIONS
from zcproxy.reporting.csv_rows import Row, read_rows
from zcproxy.storage.fields import read_fields
from zcproxy.storage.records import read_record_file

BEST = "best.json"
BEST_NAME = "best formula"
"""The name of the chosen formula in `correlations.csv`."""
_NUMBERS = tuple(each.name for each in fields(Correlation) if each.name not in ("task", "population"))


@dataclass(frozen=True)
class Spread:
    """Least, mean and most of a quantity over an island."""

    least: float
    mean: float
    most: float


@dataclass(frozen=True)
class Generation:
    """What the journal has of a generation of an island."""

    merit: Spread
    size: Spread


@dataclass(frozen=True)
class BestOfEpoch:
    """The formula of highest merit after an epoch."""

    formula: str
    size: int
    training_tau: tuple[float, ...]


@dataclass(frozen=True)
class Epoch:
    """What the journal has of an epoch; older ones have no logbooks."""

    epoch: int
    generations: int
    evaluations: int
    seconds: float
    best: BestOfEpoch
    columns: int = 0
    logbooks: tuple[tuple[Generation, ...], ...] = ()


@dataclass(frozen=True)
class Found:
    """A formula of the hall of fame; NaN for what is not known.

    Attributes:
        size: its nodes.
        formula: its text.
        training_tau: mean over the tasks.
        validation_tau: mean over the tasks.
        cost: passes over a minibatch.
        is_chosen: whether it is the one that the run chose.
    """

    size: int
    formula: str
    training_tau: float
    validation_tau: float
    cost: float
    is_chosen: bool


@dataclass(frozen=True)
class FewLabels:
    """How a formula was chosen by few labels, see `zcproxy.discovery`.

    Attributes:
        labels: networks with a label.
        chosen: name of the contender that was chosen.
        taus_on_networks_left_out: tau of each contender, by name; None where it is undefined.
    """

    labels: int
    chosen: str
    taus_on_networks_left_out: dict[str, float | None]


@dataclass(frozen=True)
class EvolveRun:
    """What a run directory holds.

    Attributes:
        path: the directory.
        configuration: of the run.
        limits: when it stops.
        environment: versions that it was begun with.
        images: what each task was shown.
        state: after the last epoch, None before the first.
        epochs: the journal.
        best: the proxy of the result; None where the run is not finished, or went on after that result. Where few
            labels chose it, the one that they chose.
        front: what `front.csv` has, of a finished run.
        tests: by task, the correlations on the test networks by name, the formula's own first.
        few: how few labels chose the formula; None where it was chosen by validation networks.
    """

    path: Path
    configuration: Configuration
    limits: Limits
    environment: Mapping[str, str]
    images: Mapping[str, ImageSet]
    state: State | None
    epochs: Sequence[Epoch]
    best: Proxy | None = None
    front: Sequence[Found] = ()
    tests: Mapping[str, Mapping[str, Correlation]] = field(default_factory=dict)
    few: FewLabels | None = None

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.path.resolve().name


def read_evolve_run(path: Path) -> EvolveRun:
    """Return what a run directory holds.

    Raises:
        ConfigurationError: its configuration, or a plugin that it names, cannot be taken.
        RunError: it is no run directory, or a file is missing or damaged.
    """
    directory = RunDirectory(path)
    configuration, limits, state = directory.configuration(), directory.limits(), directory.last_state()
    epochs = [read_fields(Epoch, each, str(path / JOURNAL), RunError, others=True) for each in directory.journal()]
    environment = _environment(path / ENVIRONMENT)
    images = kept_image_sets(path)
    begun = EvolveRun(path, configuration, limits, environment, images, state, epochs)
    best = _best(path, state)
    if best is None:
        return begun
    front = _front(path)
    if not os.path.lexists(path / FILE):
        return replace(begun, best=best, front=front, tests=_tests(path, best))
    chosen = load_proxy(path / FILE)
    few = read_fields(FewLabels, chosen.provenance.get(NAME), f"{path / FILE}, '{NAME}'", RunError, others=True)
    front = [replace(each, is_chosen=each.formula == str(chosen.formula)) for each in front]
    return replace(begun, best=chosen, front=front, tests=_own_tests(chosen), few=few)


def _environment(place: Path) -> dict[str, str]:
    try:
        return {str(name): str(value) for name, value in read_record_file(place).items()}
    except FileNotFoundError:
        return {}


def _best(path: Path, state: State | None) -> Proxy | None:
    """Return the proxy of the result, if that is of the run's last epoch."""
    if not os.path.lexists(path / BEST):
        return None
    best = load_proxy(path / BEST)
    known = (best.provenance.get("generations"), best.provenance.get("evaluations"))
    return best if state is not None and known == (state.generations, state.evaluations) else None


def _front(path: Path) -> list[Found]:
    try:
        rows = read_rows(path / FRONT, ("size", "training_tau", "validation_tau", "cost", "chosen", "formula"))
    except FileNotFoundError as error:
        raise RunError(
            f"{path} has {BEST} and no {FRONT}: `zcproxy evolve --resume {path}` writes the results again"
        ) from error
    return [
        Found(
            _size(row),
            row.text("formula"),
            row.number("training_tau"),
            row.number("validation_tau"),
            row.number("cost"),
            row.text("chosen") == "True",
        )
        for row in rows
    ]


def _size(row: Row) -> int:
    size = row.number("size")
    if size != size // 1 or size < 1:
        raise RunError(f"{row.place}: {size:g} is no number of nodes: the file was damaged or edited")
    return int(size)


def _tests(path: Path, best: Proxy) -> dict[str, dict[str, Correlation]]:
    """Return the correlations of the formula and of what it was compared with, by task."""
    found = _own_tests(best)
    try:
        rows = read_rows(path / CORRELATIONS, ("proxy", *(each.name for each in fields(Correlation))))
    except FileNotFoundError:
        return found
    compared: dict[str, dict[str, Correlation]] = {}
    for row in rows:
        numbers = {name: row.number(name) for name in _NUMBERS}
        item = _correlation_of(row.text("task"), row.text("population"), numbers)
        compared.setdefault(item.task, {})[row.text("proxy")] = item
    are_of_this_result = all(
        math.isclose(compared[task][BEST_NAME].tau, own[BEST_NAME].tau, abs_tol=1e-9) or math.isnan(own[BEST_NAME].tau)
        for task, own in found.items()
        if BEST_NAME in compared.get(task, {})
    )
    return compared if found.keys() == compared.keys() and are_of_this_result else found


def _own_tests(best: Proxy) -> dict[str, dict[str, Correlation]]:
    """Return the correlations in a proxy's file, by task."""
    return {
        task: {BEST_NAME: _correlation_of(task, str(item.get("population")), item)}
        for item in best.correlations
        for task in (str(item.get("task")),)
    }


def _correlation_of(task: str, population: str, values: Mapping[str, Any]) -> Correlation:
    """Return a correlation from the values of a file, NaN or 0 networks where one is missing."""
    numbers = {
        name: float(value) if isinstance(value := values.get(name), int | float) else math.nan for name in _NUMBERS
    }
    networks, undefined = (
        int(count) if math.isfinite(count := numbers.pop(name)) else 0 for name in ("networks", "undefined")
    )
    return Correlation(task=task, population=population, networks=networks, undefined=undefined, **numbers)
