"""Words, functions and scores of one's own on the command line."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from plugin_files import FUNCTION, MINE, no_plugins

from zcproxy.primitives.zoo import AGGREGATES, NAMES, WITH_TEACHER, published
from zcproxy.proxies import NAMES as OURS

Command = Callable[..., tuple[int, str, str]]

SMALL = ("--networks", "16", "--test-networks", "4", "--probes", "noise", "--batch-size", "4", "--workers", "1")


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delitem(sys.modules, "users_functions", raising=False)
    with no_plugins():
        yield


def refused(result: tuple[int, str, str], *parts: str) -> None:
    code, out, error = result
    assert (code, out) == (2, ""), error
    assert len(error.strip().splitlines()) == 1
    for part in parts:
        assert part in error


def rows_of(path: Path) -> dict[str, dict[str, str]]:
    with path.open() as file:
        return {row["proxy"]: row for row in csv.DictReader(file)}


def check_front(folder: Path, shown: str) -> None:
    """Compare the table of the front with the files of its proxies, and with what the screen shows."""
    with (folder / "front.csv").open() as file:
        rows = list(csv.DictReader(file))
    sizes = [int(row["size"]) for row in rows]
    assert sizes == sorted(sizes)
    files = {json.loads(path.read_text())["formula"] for path in (folder / "front").glob("*.json")}
    best = json.loads((folder / "best.json").read_text())
    assert {row["formula"] for row in rows} == {*files, best["formula"]}
    (chosen,) = (row for row in rows if row["chosen"] == "True")
    assert chosen["formula"] == best["formula"]
    (tau,) = best["provenance"]["validation_tau"].values()
    assert float(chosen["validation_tau"]) == pytest.approx(tau, abs=1e-6)
    assert "hall of fame" in shown and f"{tau:.3f}" in shown


def test_a_run_records_its_plugin_resumes_with_it_and_refuses_another_content(run: Command, tmp_path: Path) -> None:
    plugin = tmp_path / "mine.py"
    plugin.write_text(MINE)
    start = ("--start-from", "interquartile(gini(weight))", "--out", "r", "--generations", "1")
    code, out, error = run("evolve", "digits201", *SMALL, *start, "--plugin", "mine.py")
    assert code == 0, error
    check_front(tmp_path / "r", out)
    (record,) = json.loads((tmp_path / "r" / "configuration.json").read_text())["plugins"]
    file, _, digest = record.rpartition("#")
    assert file == str(plugin) and len(digest) == 32
    with no_plugins():
        pass
    code, out, _ = run("evolve", "--resume", "r", "--generations", "2", "--workers", "1", "--json")
    best = json.loads((tmp_path / "r" / "best.json").read_text())
    assert code == 0 and json.loads(out)["formula"] == best["formula"]
    with no_plugins():
        pass
    before = {path: path.read_bytes() for path in sorted((tmp_path / "r").rglob("*")) if path.is_file()}
    plugin.write_text(MINE + "# other\n")
    changed = ("the plugin", "mine.py has changed since r/configuration.json was written", "--out")
    refused(run("evolve", "--resume", "r", "--generations", "3"), *changed)
    refused(run("evolve", "--resume", "r", "--generations", "3", "--plugin", "mine.py"), *changed)
    assert {path: path.read_bytes() for path in sorted((tmp_path / "r").rglob("*")) if path.is_file()} == before


def test_a_word_of_a_plugin_is_unknown_without_it(run: Command, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    refused(run("proxy", "show", "sum(gini(weight))"), "unknown primitive 'gini'")
    code, out, error = run("proxy", "show", "sum(gini(weight))", "--plugin", "mine.py")
    assert (code, out) == (0, "sum(gini(weight))\n"), error
    (tmp_path / "twice.py").write_text(MINE.replace("1 - twice", "one minus twice"))
    refused(run("columns", "info", "--plugin", "twice.py"), "'gini' of twice.py: the name exists already")
    refused(run("proxy", "show", "synflow", "--plugin", "nothing.py"), "cannot read the plugin nothing.py")


FUNCTIONS = f"""
{FUNCTION}
def small(model, inputs, targets):
    inputs.zero_()
    if sum(parameter.numel() for parameter in model.parameters()) > 40_000:
        raise ValueError("too large")
    return float(inputs.abs().sum() + len(targets))

small.batch_size = 5

def pair(model, inputs, targets):
    return inputs
"""


def test_functions_and_files_of_scores_rank_beside_the_zoo(run: Command, tmp_path: Path) -> None:
    (tmp_path / "users_functions.py").write_text(FUNCTIONS)
    few = ("--networks", "12", "--workers", "1")
    assert run("score", "naswot", "digits201", *few, "--out", "scores.csv")[0] == 0
    listed = (tmp_path / "scores.csv").read_text().splitlines()
    (tmp_path / "part.csv").write_text("\n".join(listed[:8]))
    names = "naswot,theirs=scores.csv,part.csv,mine=users_functions:mean_weight,users_functions:pair"
    code, _, error = run("table", "digits201", *few, "--resamples", "5", "--out", "t", "--proxies", names)
    assert code == 0, error
    rows, error = rows_of(tmp_path / "t" / "table.csv"), " ".join(error.split())
    assert rows["theirs"]["tau"] == rows["naswot"]["tau"] and rows["theirs"]["seconds"] == ""
    assert math.isfinite(float(rows["mine"]["tau"])) and float(rows["mine"]["seconds"]) > 0
    assert rows["mine"]["formula"] == "users_functions:mean_weight"
    assert rows["part"]["undefined"] == "5" and rows["users_functions:pair"]["undefined"] == "12"
    assert "part.csv lacks 5 of these 12 networks, which rank last" in error
    assert "users_functions:pair has no score for 12 of 12 networks" in error
    assert "it returns a tensor of shape (16, " in error


def test_a_function_that_raises_for_some_networks_is_said_in_one_line(run: Command, tmp_path: Path) -> None:
    (tmp_path / "users_functions.py").write_text(FUNCTIONS)
    few = ("--networks", "12", "--workers", "1", "--out", "s.csv")
    code, _, error = run("score", "some=users_functions:small", "digits201", *few)
    assert code == 0, error
    with (tmp_path / "s.csv").open() as file:
        scores = [row["score"] for row in csv.DictReader(file)]
    failed = scores.count("")
    assert 0 < failed < 12 and set(scores) == {"", "5.0"}
    assert f"some has no score for {failed} of 12 networks" in error
    assert "ValueError: too large (users_functions.py, line" in error


def test_what_is_no_function_and_no_file_of_scores_is_refused(run: Command, tmp_path: Path) -> None:
    (tmp_path / "users_functions.py").write_text("number = 3\n")
    few = ("digits201", "--networks", "4", "--workers", "1", "--proxies")
    refused(run("table", *few, "users_functions:number"), "users_functions:number is a int, expected a function")
    refused(run("table", *few, "users_functions:missing"), "has no 'missing'")
    refused(run("search", "digits201", "--proxy", "users_functions:number"), "is not a formula")
    refused(run("evolve", "digits201", "--start-from", "a=scores.csv"), "cannot read the scores in scores.csv")
    for text, part in {
        "arch,points\na,1\n": "has no column 'score'",
        "arch,score\n": "has no networks below its first line",
        "arch,score\na,1\na,2\n": "line 3: 'a' is scored twice",
        "arch,score\na,many\n": "line 2: the score 'many' is not a number",
        "arch,score\na,1\n": "scores.csv scores an architecture that is not in",
    }.items():
        (tmp_path / "scores.csv").write_text(text)
        refused(run("table", *few, "scores.csv"), part)


def test_the_list_of_proxies_has_them_all(run: Command) -> None:
    code, out, _ = run("proxy", "list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == [*OURS, *NAMES, *WITH_TEACHER, *AGGREGATES]
    assert ["synflow", published("synflow").paper] in [line.split(maxsplit=1) for line in out.splitlines()]


def test_a_published_proxy_is_shown_with_its_paper_figures_and_bibtex(run: Command) -> None:
    code, out, error = run("proxy", "show", "synflow")
    assert (code, out.strip()) == (0, str(published("synflow").formula))
    shown = " ".join(error.split())
    assert "Tanaka et al., Pruning neural networks without any data" in shown
    assert "published tau 0.571 on all" in shown
    code, out, error = run("proxy", "show", "synflow", "--bibtex")
    assert (code, error) == (0, "")
    assert out.startswith("@inproceedings{tanaka2020pruning,") and "@inproceedings{abdelfattah2021zerocost," in out
    code, out, error = run("proxy", "show", "az_nas")
    assert out.startswith("log_ranks(az_") and "Lee, Junghyup and Ham, Bumsub" in error
    refused(run("proxy", "show", "params", "--bibtex"), "no BibTeX is known of 'params'")
