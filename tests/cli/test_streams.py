"""Results on standard output, progress and remarks on standard error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., tuple[int, str, str]]
FEW = ("digits201", "--networks", "12", "--workers", "1")


def program(folder: Path, *arguments: str, stdout: int | None = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    """Run the program without a terminal and without COLUMNS."""
    code = "import sys; from zcproxy.__main__ import main; sys.argv[0] = 'zcproxy'; main()"
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env=environment | {"ZCPROXY_CACHE": str(folder / "cache")},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


def test_a_redirected_table_is_whole(tmp_path: Path) -> None:
    with (tmp_path / "table.txt").open("w") as file:
        found = program(tmp_path, "table", *FEW, "--proxies", "synflow", "--resamples", "20", stdout=file.fileno())
    assert found.returncode == 0, found.stderr
    shown = (tmp_path / "table.txt").read_text()
    assert shown.startswith("digits201: 12 of all 500, seed 0")
    # A file has room for all columns and whole lines, whatever a terminal has.
    for part in ("Kendall tau [95 %]", "nDCG", "p, best ahead", "regret", "synflow", "noise ceiling", "Holm"):
        assert part in shown
    assert "\x1b" not in shown and "measuring" not in shown
    for part in ("synflow", "regret  "):
        assert part not in found.stderr


def test_a_reader_that_stops_early_is_no_error(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        found = program(tmp_path, "score", "sum(params)", *FEW, "--quiet", stdout=writer)
    finally:
        os.close(writer)
    assert "Traceback" not in found.stderr and found.returncode in (0, 1)


@pytest.mark.parametrize("command", ["score", "table"])
def test_json_alone_is_on_standard_output(run: Command, command: str) -> None:
    words = ("score", "params", *FEW) if command == "score" else ("table", *FEW, "--proxies", "params")
    code, out, error = run(*words, "--json")
    assert code == 0 and json.loads(out)[0]["proxy"] == "params"
    assert len(out.splitlines()) == 1 and "convolutions" in error
    assert "convolutions" in run(*words)[1]


def test_scores_that_go_to_standard_output_are_not_mixed_with_the_table(tmp_path: Path) -> None:
    found = program(tmp_path, "score", "sum(params)", *FEW, "--quiet", "--out", "/dev/stdout")
    lines = found.stdout.splitlines()
    assert found.returncode == 0 and lines[0] == "arch,score,label,seconds" and len(lines) == 13
    assert "noise ceiling" in found.stderr


def test_every_command_separates_results_from_remarks(run: Command, tmp_path: Path) -> None:
    small = ("--generations", "1", "--new-columns", "0", "--probes", "noise", "--workers", "1", "--test-networks", "8")
    code, out, error = run("evolve", "digits201", "--networks", "24", *small, "--out", "run")
    formula = json.loads((tmp_path / "run" / "best.json").read_text())["formula"]
    assert code == 0 and out.splitlines()[0] == formula
    assert "hall of fame" in out and "8 unseen of all" in out and "convolutions" in out
    assert "hall of fame" not in error and "written: run/best.json" in error and "next: " in error
    few = ("--minimize", "macs", "--evaluations", "8", "--population", "4", "--workers", "1")
    code, out, error = run("search", "digits201", "--proxy", "sum(log(params))", *few, "--out", "found")
    assert code == 0 and "Pareto front" in out and "written: " not in out
    assert "Pareto front" not in error and "written: found/" in error


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("--caption", "Mine"), "--caption is for table.tex: give --out"),
        (("--measures", "tau,spearman", "--label", "a"), "--measures, --label is for table.tex"),
        (("--out", "t", "--measures", "tau,rho"), "unknown measure 'rho'"),
        (("--out", "t", "--label", "a b"), "the label 'a b' is not made of letters"),
    ],
)
def test_a_table_for_latex_is_checked_before_the_work(
    run: Command, tmp_path: Path, arguments: tuple[str, ...], part: str
) -> None:
    code, out, error = run("table", *FEW, "--proxies", "params", *arguments)
    assert (code, out, len(error.splitlines())) == (2, "", 1) and part in error
    assert list(tmp_path.iterdir()) == []


def test_a_table_for_latex_has_the_measures_that_are_asked_for(run: Command, tmp_path: Path) -> None:
    words = ("--measures", "tau,spearman,top10", "--caption", "50% of $them", "--label", "tab:mine", "--out", "t")
    code, _, error = run("table", *FEW, "--proxies", "params", "--resamples", "20", *words)
    text = (tmp_path / "t" / "table.tex").read_text()
    assert code == 0 and "significance.csv" in error
    assert r"\caption{50\% of \$them. digits201: 12 of all 500, seed 0" in text and r"\label{tab:mine}" in text
    assert r"\begin{tabular}{lccc}" in text
