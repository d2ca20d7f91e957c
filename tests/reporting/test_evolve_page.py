"""Pages of runs of evolution: what they say is what the run has found, and they need nothing else."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from corruptions import ALL

from zcproxy.errors import RunError, ZcproxyError
from zcproxy.evolve import Limits, evolve
from zcproxy.evolve.directory import CHECKPOINT, CONFIGURATION, ENVIRONMENT, LIMITS, PREVIOUS, RunDirectory
from zcproxy.names.proxies import load_proxy
from zcproxy.reporting.evolve_page import evolve_page
from zcproxy.reporting.page import LARGEST_PAGE
from zcproxy.reporting.report import PAGE, write_report
from zcproxy.storage.records import read_record_file, write_record_file

Check = Callable[[str], str]
HOSTILE = "<script>alert('x')</script>\"><img src=http://host/x onerror=y>{{ 7 * 7 }}"


def test_the_page_of_a_run_has_what_the_run_has_found(ended: Path, page_cache: Path, checked: Check) -> None:
    place = write_report(ended, cache=page_cache)
    assert place == ended / PAGE
    page = place.read_text(encoding="utf-8")
    text = checked(page)
    best = load_proxy(ended / "best.json")
    assert str(best.formula) in text and "not finished" not in text and "not at hand" not in text
    assert f"{best.correlations[0]['tau']:.3f}" in text
    for row in pd.read_csv(ended / "front.csv").itertuples():
        assert row.formula in text and f"{row.training_tau:.3f}" in text and f"{row.validation_tau:.3f}" in text
    for row in pd.read_csv(ended / "correlations.csv").itertuples():
        assert row.proxy in text and f"{row.tau:.3f} [{row.tau_low:.2f}, {row.tau_high:.2f}]" in text
    for heading in ("What each part contributes", "Score against accuracy", "Evolution over time", "How to reproduce"):
        assert heading in text
    assert "<math" in page and len(page) < 300_000


def test_every_network_of_the_test_is_a_point_with_its_name(ended: Path, page_cache: Path) -> None:
    page = evolve_page(ended, page_cache)
    assert len(re.findall(r"<title>[^<]*: score [^<]*, accuracy [0-9.]+</title>", page)) == 12


def test_the_same_run_gives_the_same_bytes_wherever_the_page_is(ended: Path, page_cache: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.html", tmp_path / "second.html"
    before = sorted(path.name for path in ended.iterdir())
    assert (
        write_report(ended, first, cache=page_cache).read_bytes()
        == write_report(ended, second, cache=page_cache).read_bytes()
    )
    assert sorted(path.name for path in ended.iterdir()) == before


def test_ids_on_a_page_are_distinct_and_references_find_them(ended: Path, page_cache: Path) -> None:
    page = evolve_page(ended, page_cache)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', page)[0]) - {""} <= set(ids)


def test_a_run_without_a_result_is_shown_as_it_would_end_now(
    stopped: Path, whole_front: pd.DataFrame, page_cache: Path, checked: Check
) -> None:
    text = checked(evolve_page(stopped, page_cache))
    assert "This run is not finished" in text and f"--resume {stopped}" in text
    for row in whole_front.itertuples():
        assert row.formula in text and f"{row.training_tau:.3f}" in text and f"{row.validation_tau:.3f}" in text
    assert "validation networks" in text and "Beside the controls" not in text


def test_a_run_before_its_first_epoch_says_so(stopped: Path, page_cache: Path, checked: Check) -> None:
    for name in (CHECKPOINT, PREVIOUS, "journal.jsonl"):
        (stopped / name).unlink()
    assert "no generation yet" in checked(evolve_page(stopped, page_cache))


def test_a_run_that_went_on_after_its_result_is_not_finished(ended: Path, page_cache: Path, checked: Check) -> None:
    state = RunDirectory(ended).last_state()
    assert state is not None
    RunDirectory(ended).save_state(replace(state, generations=20, evaluations=10**6), {})
    content = (ended / "journal.jsonl").read_text().splitlines()
    (ended / "journal.jsonl").write_text("\n".join(content[:-1]) + "\n")
    assert "This run is not finished" in checked(evolve_page(ended, page_cache))


def test_reading_a_run_between_two_checkpoints_takes_the_one_before(ended: Path, page_cache: Path) -> None:
    (ended / CHECKPOINT).unlink()
    assert "This run is not finished" in evolve_page(ended, page_cache)


def test_columns_that_are_not_here_are_said_to_be_missing(ended: Path, tmp_path: Path, checked: Check) -> None:
    text = checked(evolve_page(ended, tmp_path / "empty"))
    assert "columns of 20 of 20 networks of digits201 are not in" in text
    assert str(load_proxy(ended / "best.json").formula) in text and "Beside the controls" in text
    assert "What each part contributes" not in text and not (tmp_path / "empty").exists()


def test_damaged_columns_are_said_to_be_missing(ended: Path, page_cache: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(page_cache, tmp_path / "damaged")
    for path in copy.rglob("*.arrow"):
        path.write_bytes(path.read_bytes()[:-40])
    assert "are not in" in evolve_page(ended, copy)


def test_names_and_descriptions_are_shown_and_not_executed(stopped: Path, page_cache: Path, checked: Check) -> None:
    environment = read_record_file(stopped / ENVIRONMENT)
    write_record_file(stopped / ENVIRONMENT, {**environment, "torch": HOSTILE, HOSTILE: "\u202e\x1b[31m"})
    shown = {"token": "task", "description": HOSTILE}
    write_record_file(stopped / "images.json", {"shown": {"digits201": shown, HOSTILE: shown}})
    named = stopped.rename(stopped.with_name("<b onclick=x>&amp;"))
    page = evolve_page(named, page_cache)
    text = checked(page)
    assert HOSTILE in text and "49" not in re.findall(r"onerror=y>([^<]*)", text)
    assert "<b onclick=x>&amp;: a proxy" in text
    assert "\u202e" not in page and "\x1b" not in page and r"\u202e\x1b[31m" in text


def test_a_task_of_a_hostile_name_is_unknown_and_shown(stopped: Path, page_cache: Path, checked: Check) -> None:
    content = read_record_file(stopped / CONFIGURATION)
    write_record_file(stopped / CONFIGURATION, {**content, "tasks": [HOSTILE], "goals": []})
    text = checked(evolve_page(stopped, page_cache))
    assert f"a proxy for {HOSTILE}" in text and "nothing of a file is executed" in text


def test_names_in_a_comparison_are_shown_and_not_executed(ended: Path, page_cache: Path, checked: Check) -> None:
    table = pd.read_csv(ended / "correlations.csv").replace({"synflow": HOSTILE, "params": "$x_1$ & \\alpha"})
    table.to_csv(ended / "correlations.csv", index=False)
    text = checked(evolve_page(ended, page_cache))
    assert HOSTILE in text and "$x_1$ & \\alpha" in text


@pytest.mark.parametrize("name", [CONFIGURATION, LIMITS, CHECKPOINT, "front.csv", "correlations.csv", "best.json"])
@pytest.mark.parametrize("seed", range(6))
def test_a_damaged_run_is_shown_or_refused_in_one_line(ended: Path, page_cache: Path, name: str, seed: int) -> None:
    rng = random.Random(seed)
    path = ended / name
    path.write_bytes(rng.choice(ALL)(path.read_bytes(), rng))
    refused = ""
    try:
        write_report(ended, cache=page_cache)
    except ZcproxyError as error:
        refused = str(error)
    assert (ended / PAGE).exists() is not bool(refused) and "\n" not in refused
    assert not [each for each in ended.iterdir() if each.name.endswith(".partial")]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("front.csv", "size,formula\n1,depth\n", "no column 'training_tau'"),
        ("front.csv", "size,training_tau,validation_tau,cost,chosen,formula\nx,0,0,0,True,depth\n", "'x' under 'size'"),
        ("front.csv", "size,training_tau,validation_tau,cost,chosen,formula\n1,0\n", "fewer cells"),
        ("front.csv", "size,training_tau,validation_tau,cost,chosen,formula\ninf,0,0,0,True,a\n", "number of nodes"),
        ("correlations.csv", "proxy,tau\nbest,0.5\n", "no column 'task'"),
        ("best.json", "{}", "not a proxy file"),
        ("checkpoint.json", "{}", "'islands' is missing"),
        ("environment.json", "[]", "not a JSON object"),
        ("journal.jsonl", '{"epoch": 1, "best": 5}\n', "'generations' is missing"),
    ],
)
def test_a_file_of_other_content_is_named(ended: Path, page_cache: Path, name: str, content: str, message: str) -> None:
    (ended / name).write_text(content)
    with pytest.raises(RunError if name != "best.json" else ZcproxyError, match=re.escape(message)) as raised:
        write_report(ended, cache=page_cache)
    assert name in str(raised.value) and not (ended / PAGE).exists()


def test_a_result_without_its_table_says_how_to_write_it_again(ended: Path, page_cache: Path) -> None:
    (ended / "front.csv").unlink()
    with pytest.raises(RunError, match=r"no front\.csv.*--resume"):
        write_report(ended, cache=page_cache)


def test_correlations_of_an_earlier_result_are_left_out(ended: Path, page_cache: Path, checked: Check) -> None:
    table = pd.read_csv(ended / "correlations.csv")
    table.loc[table["proxy"] == "best formula", "tau"] -= 0.2
    table.to_csv(ended / "correlations.csv", index=False)
    text = checked(evolve_page(ended, page_cache))
    assert "synflow" not in text and f"{load_proxy(ended / 'best.json').correlations[0]['tau']:.3f}" in text


def test_a_page_of_a_long_front_stays_small(ended: Path, page_cache: Path) -> None:
    formula = " + ".join(["sum(log(params))"] * 300)
    rows = [(size, 0.5 + size / 1e5, 0.5, 2, size == 3, formula) for size in range(1, 5000)]
    columns = ["size", "training_tau", "validation_tau", "cost", "chosen", "formula"]
    pd.DataFrame(rows, columns=columns).to_csv(ended / "front.csv", index=False)
    assert len(evolve_page(ended, page_cache).encode()) < LARGEST_PAGE


def test_a_run_of_sets_of_formulas_has_a_page(ended: Path, tmp_path: Path, page_cache: Path, checked: Check) -> None:
    configuration = replace(RunDirectory(ended).configuration(), form="ranks")
    evolve(configuration, Limits(generations=5), tmp_path / "sets", cache=page_cache)
    text = checked(evolve_page(tmp_path / "sets", page_cache))
    assert "What each part contributes" in text and "not at hand" not in text
