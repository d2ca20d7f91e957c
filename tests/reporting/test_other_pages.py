"""Pages of tables and searches."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from corruptions import ALL

from zcproxy.errors import RunError, ZcproxyError
from zcproxy.reporting import report
from zcproxy.reporting.page import LARGEST_PAGE, render
from zcproxy.reporting.report import PAGE, write_report
from zcproxy.search.directory import CONFIGURATION, SearchDirectory
from zcproxy.storage.records import read_record_file, write_record_file

TASK = "digits201"
Check = Callable[[str], str]
HOSTILE = "</style><script>alert(1)</script><svg onload=x>"


def text_of(path: Path, checked: Check) -> str:
    return checked(write_report(path).read_text(encoding="utf-8"))


def test_the_page_of_a_table_has_every_row_with_its_interval(tabled: Path, checked: Check) -> None:
    text = text_of(tabled, checked)
    for row in pd.read_csv(tabled / "table.csv").itertuples():
        assert row.proxy in text and f"{row.tau:.3f}" in text
        if row.tau_low == row.tau_low:
            assert f"{row.tau:.3f} [{row.tau_low:.2f}, {row.tau_high:.2f}]" in text
    assert "20 of all 500, seed 0" in text and "sum(log(params))" in text and "noise ceiling" in text


def test_the_page_of_a_table_has_the_scores_of_the_best(tabled: Path, checked: Check) -> None:
    place = tabled / f"{TASK}-scores.csv"
    table = pd.read_csv(tabled / "table.csv").query("proxy != 'noise ceiling'")
    best = table.loc[table["tau"].idxmax(), "proxy"]
    text = text_of(tabled, checked)
    for row in pd.read_csv(place).to_dict("records"):
        assert f"{row['arch']}: score {row[best]:.5g}, accuracy {row['label']:.2f}" in text
    scores = pd.read_csv(place)
    scores.rename(columns={best: "renamed"}).to_csv(place, index=False)
    assert "the best: " not in text_of(tabled, checked)
    scores.assign(label="high").to_csv(place, index=False)
    with pytest.raises(RunError, match=f"{place.name}, line 2: 'high' under 'label' is not a number"):
        write_report(tabled)
    place.unlink()
    assert "the best: " not in text_of(tabled, checked)


def test_the_page_of_a_table_says_what_a_proxy_has_seen(tabled: Path, checked: Check) -> None:
    assert "was fitted to" not in text_of(tabled, checked)
    table = pd.read_csv(tabled / "table.csv")
    table["seen"] = table["seen"].where(table["proxy"] != "synflow", 7)
    table.to_csv(tabled / "table.csv", index=False)
    assert "synflow was fitted to 7 of these 20 networks or their equivalents: " in text_of(tabled, checked)


def test_the_page_of_a_table_has_the_options_that_make_it_again(tabled: Path, checked: Check) -> None:
    assert "How to reproduce" not in text_of(tabled, checked)
    (tabled / "run.toml").write_text(f'# zcproxy table --config run.toml\n[table]\nproxies = "{HOSTILE}"\n')
    text = text_of(tabled, checked)
    assert "How to reproduce" in text and f'zcproxy table --config run.toml\n[table]\nproxies = "{HOSTILE}"' in text


def test_the_page_of_a_search_has_its_front(searched: Path, checked: Check) -> None:
    text = text_of(searched, checked)
    front = pd.read_csv(searched / "front.csv")
    for row in front.itertuples():
        assert row.arch in text and f"{row.proxy:.5g}" in text and f"{row.macs:.5g}" in text
    assert "not finished" not in text and "sum(log(params))" in text
    assert "zcproxy search digits201 --proxy 'sum(log(params))'" in text


def test_a_search_that_was_stopped_shows_what_is_measured(searched: Path, checked: Check) -> None:
    known = pd.read_parquet(searched / "evaluations.parquet")
    for name in ("evaluations.parquet", "front.csv", "results.json", "search.png"):
        (searched / name).unlink()
    text = text_of(searched, checked)
    assert f"This search is not finished: {len(known)} of 16 are evaluated" in text
    assert known.loc[known["proxy"].idxmax(), "arch"] in text
    (searched / "journal.jsonl").unlink()
    assert "0 of 16 are evaluated" in text_of(searched, checked)


def test_a_search_that_was_extended_says_how_far_its_results_go(searched: Path, checked: Check) -> None:
    configuration = SearchDirectory(searched).configuration()
    SearchDirectory(searched).create(configuration.with_evaluations(20))
    assert "16 of 20 are evaluated" in text_of(searched, checked)


@pytest.mark.parametrize("kind", ["tabled", "searched"])
def test_the_same_folder_gives_the_same_bytes(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    path = request.getfixturevalue(kind)
    first, second = (write_report(path, tmp_path / name).read_bytes() for name in ("a.html", "b.html"))
    assert first == second and not (path / PAGE).exists()


def test_names_in_a_table_are_shown_and_not_executed(tabled: Path, checked: Check) -> None:
    table = pd.read_csv(tabled / "table.csv").replace({"synflow": HOSTILE, "digits201": "$t$ <b>\u202e"})
    table["formula"] = table["formula"].where(table["proxy"] != "size", HOSTILE)
    table.to_csv(tabled / "table.csv", index=False)
    text = text_of(tabled, checked)
    assert text.count(HOSTILE) >= 2 and r"$t$ <b>\u202e" in text


def test_names_in_a_search_are_shown_and_not_executed(searched: Path, checked: Check) -> None:
    content = read_record_file(searched / CONFIGURATION)
    content["setting"]["reference"] = HOSTILE
    write_record_file(searched / CONFIGURATION, content)
    table = pd.read_parquet(searched / "evaluations.parquet")
    table.assign(arch=[f"{HOSTILE}{number}" for number in range(len(table))]).to_parquet(
        searched / "evaluations.parquet", index=False
    )
    assert text_of(searched, checked).count(HOSTILE) > 2


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(("kind", "name"), [("tabled", "table.csv"), ("searched", "evaluations.parquet")])
def test_damage_is_survived_or_named(kind: str, name: str, seed: int, request: pytest.FixtureRequest) -> None:
    path, rng = request.getfixturevalue(kind), random.Random(seed)
    place = path / name
    place.write_bytes(rng.choice(ALL)(place.read_bytes(), rng))
    refused = ""
    try:
        write_report(path)
    except ZcproxyError as error:
        refused = str(error)
    assert (path / PAGE).exists() is not bool(refused) and "\n" not in refused
    assert not refused or name in refused or "page" in refused


def test_a_search_of_other_columns_is_named(searched: Path) -> None:
    pd.DataFrame({"arch": ["a"], "proxy": [1.0]}).to_parquet(searched / "evaluations.parquet")
    with pytest.raises(RunError, match=r"evaluations\.parquet has no column 'macs'.*--resume"):
        write_report(searched)
    pd.DataFrame({"arch": ["a"], "proxy": ["x"], "macs": [1.0], "seconds": [1.0]}).to_parquet(
        searched / "evaluations.parquet"
    )
    with pytest.raises(RunError, match=r"cannot read .*evaluations\.parquet"):
        write_report(searched)


@pytest.mark.parametrize(("name", "message"), [("nowhere", "is not a folder"), ("", "holds no run of evolve")])
def test_a_folder_of_something_else_is_refused(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(RunError, match=message):
        write_report(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_page_that_cannot_be_written_leaves_nothing(tabled: Path, tmp_path: Path) -> None:
    with pytest.raises(ZcproxyError, match="it is a folder"):
        write_report(tabled, tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ZcproxyError, match="cannot write"):
        write_report(tabled, tmp_path / "file" / "page.html")
    assert not (tabled / PAGE).exists()


def test_a_page_that_would_be_too_large_is_refused() -> None:
    with pytest.raises(ZcproxyError, match=r"the page has 3\.0 MB, more than 3"):
        render("table.html", title="large", refresh_seconds=None, tables=[], options="", legend="x" * LARGEST_PAGE)


def test_the_names_of_the_files_are_those_of_their_rooms() -> None:
    assert report.SEARCH == CONFIGURATION
