"""Differences between the proxies of a table: on made-up scores whose order is known."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from simulated_tables import NOISE, RESAMPLES, SEED_NAMES, simulated_table

from zcproxy.correlation import bootstrap_draws, kendall_tau
from zcproxy.ranking.files import frame, markdown, write_table
from zcproxy.ranking.layout import shown_columns
from zcproxy.ranking.significance import behind_best, comparisons, significance_frame, significance_line
from zcproxy.ranking.table import TaskTable


@pytest.fixture(scope="module")
def table() -> TaskTable:
    return simulated_table()


def test_every_pair_is_compared_once_the_higher_tau_first(table: TaskTable) -> None:
    found = comparisons(table)
    assert len(found) == 6 and all(each.difference >= 0 for each in found)
    taus = {row.name: kendall_tau(row.scores, table.labels) for row in table.rows}
    for each in found:
        assert each.difference == pytest.approx(taus[each.proxy] - taus[each.other])
        assert each.low <= each.difference <= each.high
        assert each.p <= each.p_corrected <= min(1.0, 6 * each.p) + 1e-15


def test_the_resamples_of_both_proxies_are_the_same(table: TaskTable) -> None:
    (pair,) = (each for each in comparisons(table) if (each.proxy, each.other) == ("middle", "far"))
    draws = {
        row.name: bootstrap_draws([row.scores], table.labels, ["tau"], SEED_NAMES, resamples=RESAMPLES)["tau"]
        for row in table.rows
    }
    low, high = np.quantile(draws["middle"] - draws["far"], [0.025, 0.975])
    assert [pair.low, pair.high] == pytest.approx([low, high])


def test_what_is_far_behind_is_significant_and_what_is_near_is_not(table: TaskTable) -> None:
    found = {name: each.is_significant for name, each in behind_best(table).items()}
    best = table.ranked()[0].name
    assert best in ("best", "near")
    assert found == {name: name in ("middle", "far") for name in NOISE if name != best}
    line = significance_line(table)
    assert line is not None
    (near,) = {"best", "near"} - {best}
    assert (
        line.startswith(f"{best} is not significantly ahead of {near} (p < 0.05; paired bootstrap") and "Holm" in line
    )


def test_a_proxy_that_is_ahead_of_all_is_said_to_be() -> None:
    alone = simulated_table()
    kept = tuple(row for row in alone.rows if row.name != "near")
    alone = TaskTable(alone.task, alone.population, alone.architectures, alone.labels, kept, None, alone.plan)
    assert (significance_line(alone) or "").startswith("best is significantly ahead of all others (p < 0.05")


def test_what_tells_nothing_apart_is_not_compared() -> None:
    found = simulated_table(more={"flat": np.ones(120)})
    assert {name for each in comparisons(found) for name in (each.proxy, each.other)} == set(NOISE)


def test_initialisations_are_paired_too() -> None:
    found = simulated_table(initialisations=3)
    first, second = found.ranked()[:2]
    assert behind_best(found)[second.name].difference == pytest.approx(
        first.estimates["tau"].value - second.estimates["tau"].value
    )
    assert len(first.draws) == len(second.draws) == RESAMPLES


def test_too_few_networks_are_not_compared() -> None:
    few = simulated_table(networks=9)
    assert comparisons(few) == [] and behind_best(few) == {} and significance_line(few) is None
    assert "behind" not in shown_columns(few, 200) and "behind" in shown_columns(simulated_table(networks=12), 200)
    assert "Holm" not in markdown([few])


def test_files_have_every_comparison_and_who_is_behind_the_best(table: TaskTable, tmp_path: Path) -> None:
    write_table(tmp_path, [table])
    rows = list(csv.DictReader((tmp_path / "significance.csv").read_text().splitlines()))
    assert list(rows[0]) == ["task", "proxy", "other", "difference", "low", "high", "p", "p_corrected"]
    assert len(rows) == 6 and {row["task"] for row in rows} == {"made"}
    of_best = {row["other"]: row for row in rows if row["proxy"] == table.ranked()[0].name}
    for row in csv.DictReader((tmp_path / "table.csv").read_text().splitlines()):
        expected = of_best.get(row["proxy"], {"difference": "", "p_corrected": ""})
        assert (row["behind_best"], row["behind_best_p"]) == (expected["difference"], expected["p_corrected"])
    text = markdown([table])
    assert "| p, best ahead |" in text and "<0.001" in text and "corrected by Holm" in text


def test_tables_without_comparisons_have_the_same_columns(table: TaskTable) -> None:
    few = simulated_table(networks=9)
    assert list(significance_frame([few])) == list(significance_frame([table]))
    assert list(frame([few])) == list(frame([table]))
