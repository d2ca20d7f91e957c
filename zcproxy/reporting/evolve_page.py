"""The page of a run of evolution."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from markupsafe import Markup

from zcproxy.correlation import Correlation
from zcproxy.discovery.few import few_labels_line
from zcproxy.evolve.configuration import Configuration
from zcproxy.evolve.directory import State
from zcproxy.evolve.sample import Sample
from zcproxy.ranking.layout import number
from zcproxy.reporting.analysis import Analysis, analyse
from zcproxy.reporting.evolve_run import BEST_NAME, Epoch, EvolveRun, FewLabels, Found, read_evolve_run
from zcproxy.reporting.figures import (
    Interval,
    Line,
    Networks,
    Point,
    forest_figure,
    front_figure,
    history_figure,
    scores_figure,
)
from zcproxy.reporting.formula_tree import formula_tree
from zcproxy.reporting.mathematics import mathematics
from zcproxy.reporting.page import render
from zcproxy.reporting.reproduction import reproduction
from zcproxy.reporting.svg import MUTED
from zcproxy.reporting.values import duration, shown_value, spread
from zcproxy.storage.run_options import options_text
from zcproxy.text.visible import shortened

MOST_ROWS = 200
"""Formulas of the front that the page has; the front has as many as there are sizes, which may be ten thousand."""
MOST_TASKS = 30
"""Tasks whose networks are drawn."""
MOST_NETWORKS = 3000
"""Networks that are drawn on the whole page."""
MOST_EPOCHS = 500
"""Epochs that a figure shows; evenly spread where there are more."""
LONGEST_FORMULA, LONGEST_PART = 3000, 1000
"""Letters of the formula, and of others in tables."""


def evolve_page(
    path: Path,
    cache: Path,
    *,
    refresh_seconds: int | None = None,
    samples: Mapping[str, Sample] | None = None,
    say: Callable[[str], object] | None = None,
) -> str:
    """Return the page of a run directory.

    Args:
        path: the directory.
        cache: the cache directory, which has the columns.
        refresh_seconds: seconds after which browsers read the page again; None for never.
        samples: the networks of the run by task, where they are known; drawn anew if None.
        say: called with what the page lacks, and why; None for nobody.

    Raises:
        ZcproxyError: see `zcproxy.reporting.evolve_run.read_evolve_run`.
    """
    run = read_evolve_run(path)
    found = analyse(run, cache, samples)
    if found.lacking and say is not None:
        say(found.lacking)
    return render(
        "evolve.html",
        title=run.name,
        refresh_seconds=refresh_seconds,
        run=run,
        state=run.state,
        lacking=found.lacking,
        merit=found.merit,
        **_formula(found),
        front_figure=_front_figure(found.front),
        front=[_front_row(each) for each in _most(found.front, MOST_ROWS)],
        front_size=len(found.front),
        history=_history(run.epochs),
        tests=list(_tests(run, found)),
        networks=list(_networks(run, found)),
        cost=_cost(run.state, found),
        settings=_settings(run.configuration),
        environment=run.environment,
        few=_few(run.few),
        warning="" if run.few is not None or not found.labels else few_labels_line(found.labels),
        images={task: shown.description for task, shown in run.images.items()},
        options="" if run.few is None else options_text(path),
        again=reproduction(run.configuration, run.limits, f"{run.name}-again"),
    )


def _formula(found: Analysis) -> dict[str, Any]:
    formula = found.formula
    if formula is None:
        return {"formula": ""}
    lost = sorted(found.parts, key=lambda item: -item.lost)
    return {
        "formula": shortened(str(formula), LONGEST_FORMULA),
        "size": formula.size,
        "mathematics": mathematics(formula),
        "tree": formula_tree(formula, found.parts),
        "parts": [
            {
                "text": shortened(str(item.part), LONGEST_PART),
                "per": item.part.kind.value.lower(),
                "merit": number(item.merit),
                "lost": f"{-item.lost:+.3f}",
            }
            for item in lost
        ],
    }


def _most(front: Sequence[Found], most: int) -> list[Found]:
    """Return the formulas that there is room for, the chosen one among them."""
    chosen = [each for each in front if each.is_chosen]
    return sorted(dict.fromkeys([*spread(front, most), *chosen]), key=lambda each: each.size)


def _front_row(found: Found) -> dict[str, Any]:
    return {
        "size": found.size,
        "training_tau": number(found.training_tau),
        "validation_tau": number(found.validation_tau),
        "cost": "-" if math.isnan(found.cost) else f"{found.cost:g}",
        "is_chosen": found.is_chosen,
        "formula": shortened(found.formula, LONGEST_PART),
    }


def _front_figure(front: Sequence[Found]) -> Markup | None:
    known = [each for each in _most(front, MOST_ROWS) if math.isfinite(each.training_tau)]
    if not known:
        return None
    training, validation = (
        [Point(each.size, getattr(each, name), _hint(each), each.is_chosen and name[0] == "t") for each in known]
        for name in ("training_tau", "validation_tau")
    )
    beside = [] if training == validation else [each for each in validation if math.isfinite(each.up)]
    labels = ("training networks", "", "validation networks")
    return front_figure("front", training, (), across="nodes", up="Kendall's tau", beside=beside, labels=labels)


def _hint(found: Found) -> str:
    taus = f"training {number(found.training_tau)}, validation {number(found.validation_tau)}"
    return f"{found.size} nodes, {taus}: {found.formula}"


def _history(epochs: Sequence[Epoch]) -> list[Markup]:
    """Return how tau and the size of formulas went over the generations."""
    if not epochs:
        return []
    shown = spread(epochs, MOST_EPOCHS)
    generations = [epoch.generations for epoch in shown]
    taus = [sum(epoch.best.training_tau) / max(1, len(epoch.best.training_tau)) for epoch in shown]
    merits = [_mean_of_last(epoch, "merit") for epoch in shown]
    sizes = [_mean_of_last(epoch, "size") for epoch in shown]
    best = Line("best formula", generations, taus)
    population = Line("population, mean merit", generations, merits, MUTED, 1.0)
    lines = [best] if all(map(math.isnan, merits)) else [best, population]
    nodes = [Line("best formula", generations, [epoch.best.size for epoch in shown])]
    if not all(map(math.isnan, sizes)):
        nodes.append(Line("population, mean", generations, sizes, MUTED, 1.0))
    return [
        history_figure("history", lines, across="generations", up="tau on training networks"),
        history_figure("sizes", nodes, across="generations", up="nodes"),
    ]


def _mean_of_last(epoch: Epoch, name: str) -> float:
    """Return the mean over the islands after the last generation of an epoch; NaN where that is not known."""
    means = [getattr(logbook[-1], name).mean for logbook in epoch.logbooks if logbook]
    return sum(means) / len(means) if means else math.nan


def _tests(run: EvolveRun, found: Analysis) -> Iterator[dict[str, Any]]:
    """Yield for each task the formula beside all that it was compared with, the highest tau first."""
    for place, (task, rows) in enumerate(run.tests.items()):
        order = sorted(rows.items(), key=lambda item: math.inf if math.isnan(item[1].tau) else -item[1].tau)
        intervals = [Interval(name, each.tau, each.tau_low, each.tau_high, name == BEST_NAME) for name, each in order]
        ceiling = found.ceilings.get(task)
        yield {
            "task": task,
            "population": next(iter(rows.values())).population,
            "figure": forest_figure(f"tests{place}", intervals, across="Kendall's tau", ceiling=ceiling),
            "rows": [_correlation_row(name, each) for name, each in order],
            "ceiling": None if ceiling is None else number(ceiling),
            "has_top": not all(math.isnan(each.tau_top_decile) for each in rows.values()),
            "has_undefined": any(each.undefined for each in rows.values()),
        }


def _correlation_row(name: str, found: Correlation) -> dict[str, Any]:
    return {
        "name": name,
        "is_own": name == BEST_NAME,
        "tau": _with_interval(found.tau, found.tau_low, found.tau_high),
        "spearman": _with_interval(found.spearman, found.spearman_low, found.spearman_high),
        "top": _with_interval(found.tau_top_decile, found.tau_top_decile_low, found.tau_top_decile_high),
        "undefined": found.undefined or "",
    }


def _with_interval(value: float, low: float, high: float) -> str:
    return number(value) if math.isnan(low) else f"{number(value)} [{low:.2f}, {high:.2f}]"


def _networks(run: EvolveRun, found: Analysis) -> Iterator[Markup]:
    """Yield for each task the figure of scores and accuracies."""
    shown = list(found.networks.items())[:MOST_TASKS]
    most = MOST_NETWORKS // max(1, sum(len(groups) for _, groups in shown))
    for place, (task, groups) in enumerate(shown):
        yield scores_figure(f"scores{place}", groups, _scores_title(run, task, groups), most)


def _scores_title(run: EvolveRun, task: str, groups: Sequence[Networks]) -> str:
    shown = shortened(task, 40)
    test = run.tests.get(task, {}).get(BEST_NAME)
    if test is None:
        return f"{shown}: {sum(len(group.scores) for group in groups)} labelled networks"
    return f"{shown}: tau {_with_interval(test.tau, test.tau_low, test.tau_high)}"


def _cost(state: State | None, found: Analysis) -> dict[str, str]:
    if state is None:
        return {}
    rows = {
        "wall-clock time": duration(state.seconds),
        "generations of every island": f"{state.generations:,}",
        "formulas evaluated": f"{state.evaluations:,}",
        "columns in play": f"{len(state.columns):,}",
    }
    for name, count in sorted(state.outcomes.items()):
        rows[f"formulas with the outcome {name}"] = f"{count:,}"
    chosen = next((each for each in found.front if each.is_chosen), None)
    if chosen is not None and not math.isnan(chosen.cost):
        rows["passes over a minibatch that the formula needs"] = f"{chosen.cost:g}"
    return rows


def _few(few: FewLabels | None) -> dict[str, Any] | None:
    """Return what few labels chose among, the highest tau first."""
    if few is None:
        return None
    taus = {name: math.nan if tau is None else tau for name, tau in few.taus_on_networks_left_out.items()}
    order = sorted(taus.items(), key=lambda item: math.inf if math.isnan(item[1]) else -item[1])
    rows = [{"name": name, "tau": number(tau), "is_own": name == few.chosen} for name, tau in order]
    return {"labels": few.labels, "rows": rows}


def _settings(configuration: Configuration) -> list[dict[str, Any]]:
    """Return every field of the configuration, and whether it is as it is where nothing is given."""
    default = Configuration(configuration.tasks)
    return [
        {
            "name": each.name,
            "value": shown_value(getattr(configuration, each.name)),
            "is_default": getattr(configuration, each.name) == getattr(default, each.name) and each.name != "tasks",
        }
        for each in fields(configuration)
    ]
