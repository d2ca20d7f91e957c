"""What parts contribute, computed once more from the columns by plain arithmetic."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from zcproxy.columns.context import Context
from zcproxy.columns.sweep import sweep
from zcproxy.columns.table import ColumnTable
from zcproxy.correlation import PairwiseTau
from zcproxy.evolve import Configuration, Limits, evolve
from zcproxy.evolve.start import draw_samples
from zcproxy.formula.tree import replaced
from zcproxy.images.minibatch import images_of
from zcproxy.names.tasks import get_task
from zcproxy.primitives import parse
from zcproxy.reporting.contributions import contributions
from zcproxy.reporting.stored_columns import ColumnReader, Labelled

TASK = "digits201"


def labelled_of(formula: str, cache: Path, **settings: object) -> tuple[Labelled, ColumnTable, np.ndarray]:
    """Return what a page reads of the columns of a formula, and the same from a sweep."""
    configuration = Configuration((TASK,), networks=24, test_networks=4, batch_size=4, **settings)  # type: ignore[arg-type]
    samples, task = draw_samples(configuration), get_task(TASK)
    images = {TASK: images_of(task)}
    columns = parse(formula).columns()
    networks = samples[TASK].fitted
    table = sweep(Context(task, 4, 0, "cpu", images[TASK].token), networks, columns, cache=cache)
    reader = ColumnReader(configuration, samples, images, cache)
    return reader.labelled(columns, list(map(str, columns))), table, task.labels(networks)


def test_a_part_is_replaced_by_its_mean(page_cache: Path) -> None:
    formula = "log_paths + sum(abs(params)) * total_macs"  # whole numbers: sums in another order are the same
    labelled, table, labels = labelled_of(formula, page_cache)
    values = {str(column): np.asarray(each, np.float64) for column, each in table.values.items()}
    sums = np.add.reduceat(values["params"], np.cumsum(table.counts) - table.counts)
    counted = table.counts * values["params"].mean()
    paths, macs = values["log_paths"], values["total_macs"]
    expected = {
        "log_paths": paths.mean() + sums * macs,
        "sum(abs(params)) * total_macs": paths + (sums * macs).mean(),
        "sum(abs(params))": paths + sums.mean() * macs,
        "abs(params)": paths + counted * macs,
        "params": paths + counted * macs,
        "total_macs": paths + sums * macs.mean(),
    }
    found = {str(item.part): item for item in contributions(parse(formula), labelled)}
    assert found.keys() == expected.keys()
    tau = PairwiseTau(labels, credit_ties=False)
    whole = tau(paths + sums * macs)
    for name, scores in expected.items():
        assert found[name].merit == pytest.approx(tau(scores)), name
        assert found[name].lost == pytest.approx(whole - tau(scores)), name
    assert len({round(item.merit, 3) for item in found.values()}) >= 4


def test_the_path_of_a_part_leads_to_it(page_cache: Path) -> None:
    formula = parse("log_paths + sum(log(params)) * total_macs * 2 - sum(log(params))")
    labelled, _, _ = labelled_of(str(formula), page_cache)
    rows = contributions(formula, labelled)
    assert [str(row.part) for row in rows].count("log(params)") == 2
    mark = parse("longest_path")
    for row in rows:
        if row.part.kind is mark.kind:
            assert str(replaced(formula, row.path, mark)).count("longest_path") == 1
    assert not any(row.part.is_constant for row in rows)


def test_what_then_orders_nothing_loses_all(page_cache: Path) -> None:
    labelled, _, _ = labelled_of("log(total_macs)", page_cache)
    (only,) = contributions(parse("log(total_macs)"), labelled)
    assert only.merit == 0.0
    assert only.lost == labelled.fitness("fitted")(parse("log(total_macs)")).merit


def test_of_a_set_of_formulas_a_member_is_left_out(page_cache: Path) -> None:
    text = "log_ranks(log_paths, total_macs, sum(log(params)))"
    labelled, _, _ = labelled_of(text, page_cache, form="ranks")
    fitness = labelled.fitness("fitted")
    found = {str(item.part): item.merit for item in contributions(parse(text), labelled)}
    assert found["log_paths"] == fitness(parse("log_ranks(total_macs, sum(log(params)))")).merit
    pair = contributions(parse("ranks(log_paths, total_macs)"), labelled)
    assert {str(item.part): item.merit for item in pair} == {
        "log_paths": fitness(parse("total_macs")).merit,
        "total_macs": fitness(parse("log_paths")).merit,
    }


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"cases": ("bands", "partial"), "resampled": 0.8},
        {"invariance": ("batch",)},
        {"validation_share": 0.0},
    ],
)
def test_the_fitness_of_a_page_is_that_of_the_run(
    page_cache: Path, tmp_path: Path, settings: dict[str, object]
) -> None:
    configuration = Configuration(
        (TASK,),
        networks=20,
        test_networks=4,
        probes=("noise",),
        batch_size=4,
        island_size=40,
        new_columns=0,
        **settings,
    )  # type: ignore[arg-type]
    result = evolve(configuration, Limits(generations=5), tmp_path / "run", cache=page_cache)
    formula = result.chosen.formula
    reader = ColumnReader(configuration, draw_samples(configuration), {TASK: images_of(get_task(TASK))}, page_cache)
    labelled = reader.labelled(formula.columns(), list(map(str, formula.columns())))
    assert labelled.fitness("training")(formula) == result.chosen.training
    assert labelled.fitness("validation")(formula) == result.chosen.validation
    assert labelled.fitness("fitted")(formula) == result.chosen.labelled
