"""Tables on the embedded benchmark."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from zcproxy import load_proxy
from zcproxy.correlation import correlate, kendall_tau, partial_spearman
from zcproxy.evolve import Configuration, Limits, evolve
from zcproxy.evolve.start import draw_samples
from zcproxy.names.scorers import resolve_scorers
from zcproxy.names.tasks import get_task
from zcproxy.proxy.aggregate import text_of
from zcproxy.ranking.files import frame, markdown, write_table
from zcproxy.ranking.latex import latex
from zcproxy.ranking.layout import LEGEND, WIDE, legend, notes, shown_columns
from zcproxy.ranking.measures import MEASURES, Estimate, judge
from zcproxy.ranking.scoring import draw_networks, score_networks
from zcproxy.ranking.seen import seen_in_fitting
from zcproxy.ranking.table import Plan, TaskTable, build_table

Command = Callable[..., tuple[int, str, str]]
TASK = "digits201"
PROXIES = "size=sum(log(params)),synflow,mine=log_ranks(synflow, sum(log(macs))),flat=total_params * 0"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def table(cache: Path) -> TaskTable:
    plan = Plan(networks=24, initialisations=2, resamples=50)
    return build_table(TASK, resolve_scorers(PROXIES), plan, cache=cache)


def row_of(table: TaskTable, name: str) -> dict[str, Estimate]:
    return next(row.estimates for row in table.rows if row.name == name)


def test_baselines_are_in_every_table(table: TaskTable) -> None:
    assert [row.name for row in table.rows] == ["size", "synflow", "mine", "flat", "params", "flops", "convolutions"]
    assert table.ceiling == get_task(TASK).noise_ceiling()


def test_values_are_means_over_initialisations_of_the_plain_measures(table: TaskTable, cache: Path) -> None:
    task = get_task(TASK)
    networks = draw_networks(task, 24)
    assert table.architectures == networks
    labels, params = task.labels(networks), task.baselines(networks)["params"]
    scores = [
        score_networks(
            resolve_scorers("synflow"), TASK, networks, population="", initialisation=index, cache=cache
        ).scores["synflow"]
        for index in range(2)
    ]
    found = row_of(table, "synflow")
    taus = [kendall_tau(each, labels) for each in scores]
    assert found["tau"].value == pytest.approx(np.mean(taus))
    assert found["tau"].spread == pytest.approx(np.std(taus, ddof=1))
    assert found["tau"].low < found["tau"].value < found["tau"].high
    partial = np.mean([partial_spearman(each, labels, params) for each in scores])
    assert found["partial_spearman"].value == pytest.approx(partial)
    assert row_of(table, "params")["tau"].value == kendall_tau(params, labels)


def test_a_proxy_that_tells_nothing_apart_has_a_row_and_a_note(table: TaskTable) -> None:
    assert all(math.isnan(estimate.value) for estimate in row_of(table, "flat").values())
    assert notes(table) == ["One score for all networks in at least one initialisation: flat."]
    assert table.ranked()[-1].name == "flat"


def test_undefined_scores_are_counted_and_stop_nothing(cache: Path) -> None:
    plan = Plan(networks=24, resamples=20)
    table = build_table(TASK, resolve_scorers("one=sum(log(0 - params)),size=depth"), plan, cache=cache)
    assert [row.undefined for row in table.rows[:2]] == [24, 0]
    assert notes(table) == ["Undefined, and so ranked last, for all 24 networks: one."]


def test_a_minibatch_without_two_images_of_a_class_is_said(cache: Path) -> None:
    proxies = resolve_scorers("epe_nas,ranks(epe_nas, params)")
    found = build_table("digits201", proxies, Plan(networks=3, batch_size=2, resamples=1), cache=cache)
    said = [note for note in notes(found) if note.startswith("epe_nas is undefined: no two of the 2 images")]
    assert found.rows[0].undefined == 3 and len(said) == 1
    alike = build_table("digits201", proxies, Plan(networks=3, batch_size=24, resamples=1), cache=cache)
    assert alike.rows[0].undefined == 0 and not alike.reasons


def test_too_few_networks_for_an_interval_say_so(cache: Path) -> None:
    table = build_table(TASK, resolve_scorers("size=sum(log(params))"), Plan(networks=6), cache=cache)
    assert math.isnan(row_of(table, "size")["tau"].low)
    assert notes(table) == ["6 networks are too few for an interval: 10 or more have one."]
    assert "[" not in markdown([table]).partition("Kendall's tau-b")[0].partition("---")[2]


def test_does_not_depend_on_where_it_is_computed(table: TaskTable, cache: Path) -> None:
    with ThreadPoolExecutor(2) as executor:
        again = build_table(TASK, resolve_scorers(PROXIES), table.plan, executor=executor, cache=cache)
    for row, other in zip(table.rows, again.rows, strict=True):
        assert repr(row.estimates) == repr(other.estimates)


def test_the_interval_is_over_networks_and_initialisations() -> None:
    labels = np.arange(40.0)
    judged = judge(np.array([labels, -labels]), labels, labels % 7, seed_names=("x",), resamples=40)
    found = judged.estimates["tau"]
    assert (found.value, found.low, found.high) == (0, -1, 1)
    assert found.spread == pytest.approx(math.sqrt(2))


def test_files_hold_every_measure(table: TaskTable, tmp_path: Path) -> None:
    paths = write_table(tmp_path, [table])
    assert sorted(path.name for path in paths) == sorted(path.name for path in tmp_path.iterdir())
    rows = list(csv.DictReader((tmp_path / "table.csv").read_text().splitlines()))
    assert [row["proxy"] for row in rows] == [*(row.name for row in table.rows), "noise ceiling"]
    for name in MEASURES:
        assert {name, f"{name}_low", f"{name}_high", f"{name}_spread"} <= set(rows[0])
    assert rows[1]["formula"] == text_of(resolve_scorers("synflow")[0])
    scores = list(csv.DictReader((tmp_path / "digits201-scores.csv").read_text().splitlines()))
    assert list(scores[0])[:4] == ["arch", "label", "size", "synflow"]
    assert len(scores) == 24
    assert (tmp_path / "digits201-scores.png").read_bytes().startswith(b"\x89PNG")


def test_what_papers_report_stands_beside_what_was_measured(made_data: Path, cache: Path) -> None:
    plan, scorers = Plan(networks=12, resamples=20), resolve_scorers("synflow,az_nas=total_params,naswot=depth")
    table = build_table("nasbench201/cifar10", scorers, plan, cache=cache)
    found = {row.name: row.reported for row in table.rows}
    assert found["synflow"] == (0.571, 0.571) and found["params"] == (0.578, 0.578)
    assert found["az_nas"] is found["naswot"] is None  # only the names are those of published proxies


def test_population_and_seed_are_part_of_every_file(table: TaskTable) -> None:
    assert set(frame([table])["population"]) == {"24 of all 500, seed 0"}
    for text in (markdown([table]), latex([table])):
        assert "digits201: 24 of all 500, seed 0" in text and "2 initialisations" in text


def test_the_legend_is_of_the_columns_that_are_shown(table: TaskTable) -> None:
    narrow, wide = (legend(shown_columns(table, width)) for width in (WIDE - 1, WIDE))
    assert "Spearman's rho" in narrow and "nDCG" not in narrow and "what the best one has more" not in narrow
    assert "nDCG" in wide and "what the best one has more" in wide and len(wide) < len(LEGEND)


def test_latex_has_a_cell_for_every_heading_and_escapes_names(table: TaskTable) -> None:
    lines = latex([table, table]).splitlines()
    cells = [line.count(" & ") for line in lines if line.endswith(r"\\")]
    assert set(cells) == {2}
    assert r"\toprule" in lines and r"\bottomrule" in lines
    assert "nan" not in latex([table]).lower()


def test_command_writes_and_shows(run: Command, tmp_path: Path) -> None:
    words = ("--proxies", "synflow,naswot", "--networks", "12", "--resamples", "20", "--workers", "1", "--out", "out")
    code, out, _ = run("table", TASK, *words)
    assert code == 0
    assert all(name in out for name in ("synflow", "naswot", "params", "convolutions", "noise ceiling"))
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {"table.csv", "table.md", "table.tex"}


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--proxies", "synflwo"], "did you mean synflow"),
        (["--proxies", "synflow,synflow"], "named twice"),
        (["--proxies", "params=depth"], "'params' is the name of a baseline"),
        (["--proxies", "convolutions=depth"], "'convolutions' is the name of a baseline"),
        (["--networks", "501"], "501 networks asked for"),
        (["--population", "small"], "unknown population of digits201 'small'"),
        (["--sampling", "odd"], "unknown sampling 'odd'"),
    ],
)
def test_bad_arguments_are_one_line(run: Command, arguments: list[str], part: str) -> None:
    code, out, err = run("table", TASK, *arguments)
    assert (code, out, len(err.strip().splitlines())) == (2, "", 1)
    assert part in err


def test_a_proxy_is_said_to_be_judged_by_what_it_was_fitted_to(cache: Path, tmp_path: Path) -> None:
    limits = Limits(generations=1)
    configuration = Configuration((TASK,), networks=24, test_networks=8, new_columns=0, probes=("noise",))
    evolve(configuration, limits, tmp_path / "run", cache=cache)
    best = replace(load_proxy(tmp_path / "run/best.json"), name="mine")
    task = get_task(TASK)
    fitted = draw_samples(configuration)[TASK].fitted
    seen = {task.space.equivalence_class(network) for network in fitted}
    drawn = draw_networks(task, 200)
    expected = sum(task.space.equivalence_class(network) in seen for network in drawn)
    assert 0 < expected == seen_in_fitting([best], task, drawn)["mine"]
    assert seen_in_fitting(resolve_scorers("synflow"), task, drawn) == {}
    unseen = draw_networks(task, 100, unseen_by=[tmp_path / "run"])
    assert seen_in_fitting([best], task, unseen) == {}
    table = build_table(TASK, [best], Plan(networks=200, resamples=20), cache=cache)
    assert f"mine was fitted to {expected} of these 200 networks" in " ".join(notes(table))


def test_the_file_of_a_proxy_runs_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "task_of_a_proxy_file.py").write_text("from pathlib import Path\nPath('imported').touch()\n")
    monkeypatch.chdir(tmp_path)
    configuration = Configuration(("task_of_a_proxy_file:task",)).as_dict()
    proxy = replace(resolve_scorers("synflow")[0], provenance={"configuration": configuration})
    task = get_task("digits201")
    assert seen_in_fitting([proxy], task, draw_networks(task, 4)) == {}
    assert not (tmp_path / "imported").exists()


def test_the_top_tenth_is_judged_where_it_has_ten_networks() -> None:
    rng = np.random.default_rng(0)
    for networks, shown in ((90, False), (91, True)):
        labels = rng.normal(size=networks)
        judged = judge((labels + rng.normal(size=networks))[None], labels, labels, seed_names=("top",), resamples=50)
        found = judged.estimates["tau_top_decile"]
        assert math.isnan(found.value) != shown and math.isnan(found.low) != shown
        correlation = correlate(labels + rng.normal(size=networks), labels, task="t", population="p")
        assert math.isnan(correlation.tau_top_decile) != shown
        assert (
            not shown or correlation.tau_top_decile_low < correlation.tau_top_decile < correlation.tau_top_decile_high
        )
