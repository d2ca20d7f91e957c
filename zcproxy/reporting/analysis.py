"""What a page computes of a run from stored columns: hall of fame, parts of the formula, scores of networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zcproxy.errors import ZcproxyError
from zcproxy.evolve.directory import CONFIGURATION
from zcproxy.evolve.results import Result, choose, front_rows
from zcproxy.evolve.sample import Sample
from zcproxy.evolve.start import draw_samples
from zcproxy.formula import Node
from zcproxy.formula.evaluate import Evaluator
from zcproxy.names.tasks import get_task
from zcproxy.primitives import parse
from zcproxy.reporting.contributions import Contribution, contributions
from zcproxy.reporting.evolve_run import EvolveRun, Found
from zcproxy.reporting.figures import Networks
from zcproxy.reporting.stored_columns import ColumnReader, Labelled
from zcproxy.user_code.permission import stored_in


@dataclass(frozen=True)
class Analysis:
    """What is known of a run beyond its files.

    Attributes:
        formula: the one that was chosen, or would be if the run ended now; None before the first epoch.
        front: the Pareto front with the chosen formula, smallest first.
        merit: of the formula on the labelled networks; None where the columns are not at hand.
        parts: what the parts of the formula contribute.
        networks: by task, networks with their scores and accuracies.
        ceilings: by task, tau between two trainings; None where it is not known.
        labels: networks with a label that formulas were fitted to or chosen by; 0 where that is not known.
        lacking: why something above is missing, a sentence; empty where nothing is.
    """

    formula: Node | None
    front: Sequence[Found]
    merit: float | None
    parts: Sequence[Contribution]
    networks: Mapping[str, Sequence[Networks]]
    ceilings: Mapping[str, float | None]
    labels: int = 0
    lacking: str = ""


def analyse(run: EvolveRun, cache: Path, samples: Mapping[str, Sample] | None = None) -> Analysis:
    """Return what stored columns say of a run; nothing is measured.

    Args:
        run: the run.
        cache: the cache directory.
        samples: its networks by task; drawn anew if None.
    """
    hall = [] if run.state is None else [parse(run.state.hall[size]) for size in sorted(run.state.hall)]
    formula = run.best.formula if run.best is not None else _latest(run)
    try:
        with stored_in(run.path / CONFIGURATION):
            samples = samples or draw_samples(run.configuration)
            ceilings = {task: get_task(task).noise_ceiling() for task in run.configuration.tested}
            reader = ColumnReader(run.configuration, samples, run.images, cache)
            return _computed(run, reader, formula, hall, ceilings)
    except ZcproxyError as error:
        known = run.front or [Found(each.size, str(each), *_UNKNOWN, each == formula) for each in hall]
        return Analysis(formula, known, None, (), {}, {}, lacking=str(error))


_UNKNOWN = (float("nan"), float("nan"), float("nan"))


def _latest(run: EvolveRun) -> Node | None:
    """Return the best formula by training merit after the last epoch, or the largest where the journal lacks it."""
    if run.state is None or not run.state.hall:
        return None
    hall = run.state.hall
    best = run.epochs[-1].best.formula if run.epochs else ""
    return parse(best if best in hall.values() else hall[max(hall)])


def _computed(
    run: EvolveRun,
    reader: ColumnReader,
    formula: Node | None,
    hall: Sequence[Node],
    ceilings: Mapping[str, float | None],
) -> Analysis:
    labels = sum(len(sample.fitted) for sample in reader.samples.values())
    if run.state is None or formula is None:
        return Analysis(formula, (), None, (), {}, ceilings, labels)
    formulas = [formula] if run.best is not None else hall
    columns = list(dict.fromkeys(column for each in formulas for column in each.columns()))
    labelled = reader.labelled(columns, run.state.columns)
    front = run.front
    if run.best is None:
        result = choose(hall, *(labelled.fitness(part) for part in ("training", "validation", "fitted")))
        formula, front = result.chosen.formula, _found(result)
    merit = labelled.fitness("fitted")(formula).merit
    networks = _labelled_networks(formula, labelled) if run.best is None else _tested_networks(formula, reader)
    return Analysis(formula, front, merit, contributions(formula, labelled), networks, ceilings, labels)


def _found(result: Result) -> list[Found]:
    return [
        Found(*(row[name] for name in ("size", "formula", "training_tau", "validation_tau", "cost", "chosen")))
        for row in front_rows(result)
    ]


def _labelled_networks(formula: Node, labelled: Labelled) -> dict[str, list[Networks]]:
    """Return the training and the validation networks of each task."""
    found: dict[str, list[Networks]] = {}
    for task, table in zip(labelled.configuration.tasks, labelled.tables, strict=True):
        sample: Sample = labelled.samples[task]
        scores = Evaluator(table.counts, table.values, table.blocks, table.connections)(formula)
        accuracies = get_task(task).labels(sample.fitted)
        split = len(sample.training)
        groups = (("training networks", slice(0, split)), ("validation networks", slice(split, None)))
        found[task] = [
            Networks(label, scores[part], accuracies[part], sample.fitted[part])
            for label, part in groups
            if len(sample.fitted[part])
        ]
    return found


def _tested_networks(formula: Node, reader: ColumnReader) -> dict[str, list[Networks]]:
    """Return the networks that each task was tested on."""
    found: dict[str, list[Networks]] = {}
    for task in reader.configuration.tested:
        names = reader.samples[task].test
        if not names:
            continue
        table = reader.table(reader.context(task), names, formula.columns())
        scores = Evaluator(table.counts, table.values, table.blocks, table.connections)(formula)
        found[task] = [Networks("", scores, get_task(task).labels(names), names)]
    return found
