"""Results of a run: the proxy chosen with validation, one proxy per complexity, and the numbers beside them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import pandas as pd
from deap import tools

from zcproxy.correlation import Correlation
from zcproxy.evolve.configuration import Configuration
from zcproxy.evolve.deap.individual import ParetoFitness
from zcproxy.evolve.directory import State
from zcproxy.evolve.fitness import Fitness, FitnessFunction
from zcproxy.figures.axes import axes_or_new, finish
from zcproxy.figures.style import BLUE, GREY, ORANGE
from zcproxy.formula import Node
from zcproxy.notebook.shown import Shown
from zcproxy.proxy.proxy import Proxy
from zcproxy.storage.files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FRONT = "front.csv"
"""The table of the front, in the run directory."""


@dataclass(frozen=True)
class Finalist:
    """The best formula of its size, with its scores.

    Attributes:
        formula: canonical.
        training: on the networks that selection went by.
        validation: on the others that have labels; where all are trained on, as `training`.
        labelled: on both together, the basis of the choice. Validation alone, on a hundred networks, has a standard
            error of about .03, more than the formulas of a hall of fame differ by.
    """

    formula: Node
    training: Fitness
    validation: Fitness
    labelled: Fitness

    @property
    def fitness(self) -> ParetoFitness:
        """The objectives on the training networks, for DEAP's sorting."""
        return ParetoFitness(self.training.objectives)


@dataclass(frozen=True, repr=False)
class Result(Shown):
    """The outcome of a run.

    Attributes:
        hall: the best formula of each size, smallest first.
        front: those of the hall that no smaller or cheaper one equals in correlation on the training networks.
        chosen: the one with the highest correlation on training and validation networks together.
        test: its correlation on networks that it was neither fitted to nor chosen by, per task.
        baselines: correlations on the same networks of what every table shows, per task and name.
        evaluations: formulas evaluated.
        generations: generations of every island.
        seconds: wall-clock time.
        outcomes: number of evaluations by outcome.
    """

    hall: list[Finalist]
    front: list[Finalist]
    chosen: Finalist
    test: Mapping[str, Correlation] = field(default_factory=dict)
    baselines: Mapping[str, Mapping[str, Correlation]] = field(default_factory=dict)
    evaluations: int = 0
    generations: int = 0
    seconds: float = 0.0
    outcomes: Mapping[str, int] = field(default_factory=dict)

    @property
    def headline(self) -> str:
        """The chosen formula, and among how many."""
        chosen = self.chosen
        taus = (f"{name} tau {fmean(getattr(chosen, name).correlations):.3f}" for name in ("training", "validation"))
        return (
            f"chosen of {len(self.hall)} formulas, one per size, after {self.evaluations:,} evaluations: "
            f"{chosen.formula}\n{chosen.training.size} nodes, {', '.join(taus)}"
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the front and the chosen formula, one row per formula, smallest first.

        The columns are `size` (nodes), `training_tau` and `validation_tau` (means over tasks), `cost` (passes over a
        minibatch), `chosen` (true in one row) and `formula`.
        """
        return pd.DataFrame(front_rows(self))

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw tau against size: what `to_frame` has, training and validation networks apart, the chosen one marked.

        Args:
            axes: of matplotlib, to draw into; None for those of a new figure.

        Raises:
            ConfigurationError: matplotlib is not installed.
        """
        drawn, frame = axes_or_new(axes), self.to_frame()
        for column, colour in (("training_tau", GREY), ("validation_tau", BLUE)):
            drawn.plot(frame["size"], frame[column], "o-", color=colour, markersize=4, label=column.replace("_", " "))
        chosen = frame[frame["chosen"]]
        drawn.plot(chosen["size"], chosen["validation_tau"], "o", color=ORANGE, markersize=8, label="chosen")
        drawn.legend(frameon=False)
        title = f"evolution: {self.evaluations:,} formulas, {self.generations} generations"
        return finish(drawn, title=title, across="nodes of the formula", up="Kendall's tau, mean over tasks")

    def tested(
        self,
        test: Mapping[str, Correlation],
        baselines: Mapping[str, Mapping[str, Correlation]],
        state: State,
        seconds: float,
    ) -> Result:
        """Return the result with the test correlations and the accounts of the run."""
        return replace(
            self,
            test=test,
            baselines=baselines,
            evaluations=state.evaluations,
            generations=state.generations,
            seconds=seconds,
            outcomes=dict(state.outcomes),
        )


def choose(
    finalists: Sequence[Node], training: FitnessFunction, validation: FitnessFunction, labelled: FitnessFunction
) -> Result:
    """Return the hall of fame, its Pareto front, and the best formula on all labels, the smaller one in a tie."""
    hall = [Finalist(formula, training(formula), validation(formula), labelled(formula)) for formula in finalists]
    hall.sort(key=lambda item: item.training.size)
    front = tools.sortNondominated(hall, len(hall), first_front_only=True)[0]
    front.sort(key=lambda item: item.training.size)
    chosen = max(hall, key=lambda item: (item.labelled.merit, -item.training.size))
    return Result(hall, front, chosen)


def front_rows(result: Result) -> list[dict[str, Any]]:
    """Return the front and the chosen formula as a table: one row per formula, smallest first.

    Each tau is the mean over tasks, `cost` counts passes over a minibatch, and `chosen` says which one is in
    `best.json`.
    """
    shown = {result.chosen.formula, *(item.formula for item in result.front)}
    return [
        {
            "size": item.training.size,
            "training_tau": fmean(item.training.correlations),
            "validation_tau": fmean(item.validation.correlations),
            "cost": item.training.cost,
            "chosen": item.formula == result.chosen.formula,
            "formula": str(item.formula),
        }
        for item in result.hall
        if item.formula in shown
    ]


def write_results(path: Path, result: Result, configuration: Configuration, images: Mapping[str, str]) -> None:
    """Write `best.json`, `front.csv` and `front/`, one proxy per size. Raises `StorageError`.

    Args:
        path: the run directory.
        result: what was found.
        configuration: configuration of the run.
        images: what the networks of each task were shown.
    """
    shutil.rmtree(path / "front", ignore_errors=True)
    for item in result.front:
        name = f"size-{item.training.size:02d}"
        _proxy(item, name, configuration, result, images).save(path / "front" / f"{name}.json")
    with replacing(path / FRONT) as temporary:
        result.to_frame().to_csv(temporary, index=False, float_format="%.6g")
    best = _proxy(result.chosen, "best", configuration, result, images)
    looks = best.needs_images
    correlations = tuple(
        correlation.as_dict() | ({"images": images[task]} if looks else {}) for task, correlation in result.test.items()
    )
    replace(best, correlations=correlations).save(path / "best.json")


def _proxy(item: Finalist, name: str, configuration: Configuration, result: Result, images: Mapping[str, str]) -> Proxy:
    validation = dict(zip(configuration.tasks, item.validation.correlations, strict=True))
    provenance: dict[str, Any] = {
        "configuration": configuration.as_dict(),
        "size": item.training.size,
        "training_tau": dict(zip(configuration.tasks, item.training.correlations, strict=True)),
        **({"validation_tau": validation} if configuration.validation_share else {}),
        "evaluations": result.evaluations,
        "generations": result.generations,
        "images": dict(images),
    }
    return Proxy(item.formula, name=name, batch_size=configuration.batch_size, provenance=provenance)
