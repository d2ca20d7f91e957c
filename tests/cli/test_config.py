"""Options from a file: `--config`, and the file that every run leaves."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from zcproxy.cli.display import RunDisplay
from zcproxy.cli.run_file import RUN_FILE

Command = Callable[..., tuple[int, str, str]]

EVOLVE = ("evolve", "digits201", "--networks", "24", "--test-networks", "8", "--probes", "noise", "--workers", "1")
NETS = """
from functools import partial
from torch import nn

def build(width):
    return nn.Sequential(nn.Conv2d(1, width, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16 * width, 10))

models = {f"width {width}": partial(build, width) for width in range(2, 20)}
"""


def options_in(path: Path) -> dict[str, Any]:
    content = tomllib.loads((path / RUN_FILE).read_text())
    (found,) = content.values()
    return dict(found)


def test_the_file_of_a_run_makes_the_same_run_again(run: Command, tmp_path: Path) -> None:
    code, *_ = run(*EVOLVE, "--generations", "2", "--seed", "7", "--max-size", "12", "--out", "first")
    assert code == 0
    written = options_in(tmp_path / "first")
    assert written | {"seed": 7, "networks": 24, "maximum-size": 12, "tasks": ["digits201"]} == written
    assert not {"out", "json", "report", "workers", "plugin", "budget"} & set(written)
    code, _, error = run("evolve", "--config", f"first/{RUN_FILE}", "--out", "second", "--workers", "1")
    assert code == 0, error
    for name in ("front.csv", "best.json", "configuration.json", RUN_FILE):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes(), name
    typed = ("--seed", "8", "--generations", "1", "--out", "third", "--workers", "1")
    assert run("evolve", *typed, "--config", f"first/{RUN_FILE}")[0] == 0
    assert options_in(tmp_path / "third") == {**written, "seed": 8, "generations": 1}
    assert json.loads((tmp_path / "third" / "configuration.json").read_text())["seed"] == 8


def test_limits_that_grow_are_in_the_file_of_a_resumed_run(run: Command, tmp_path: Path) -> None:
    assert run(*EVOLVE, "--generations", "1", "--out", "run")[0] == 0
    assert run("evolve", "--resume", "run", "--generations", "2", "--workers", "1")[0] == 0
    assert options_in(tmp_path / "run")["generations"] == 2
    assert run("evolve", "--config", f"run/{RUN_FILE}", "--out", "straight", "--workers", "1")[0] == 0
    assert (tmp_path / "run" / "front.csv").read_bytes() == (tmp_path / "straight" / "front.csv").read_bytes()
    (tmp_path / "run" / RUN_FILE).write_text("damaged")
    assert run("evolve", "--resume", "run", "--generations", "3", "--workers", "1")[0] == 0


def test_options_of_a_file_that_a_resumed_run_would_ignore_are_refused(run: Command, tmp_path: Path) -> None:
    assert run(*EVOLVE, "--generations", "1", "--out", "run")[0] == 0
    (tmp_path / "a.toml").write_text("networks = 30\nmaximum-size = 30\n")
    code, _, error = run("evolve", "--resume", "run", "--config", "a.toml")
    assert code == 2 and "leave --networks of a.toml out" in error


@pytest.mark.parametrize(
    "command",
    [
        (*EVOLVE, "--generations", "1"),
        ("search", "digits201", "--proxy", "params", "--evaluations", "8", "--population", "4", "--workers", "1"),
    ],
    ids=lambda command: command[0],
)
def test_a_run_that_was_stopped_early_has_the_file_too(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    def stop(display: RunDisplay, what: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(RunDisplay, "step", stop)
        assert run(*command, "--out", "stopped")[0] == 130
    assert run(*command, "--out", "whole")[0] == 0
    assert run(command[0], "--resume", "stopped", "--workers", "1")[0] == 0
    assert (tmp_path / "stopped" / RUN_FILE).read_bytes() == (tmp_path / "whole" / RUN_FILE).read_bytes()


def test_without_a_limit_the_default_time_is_in_the_file(run: Command, tmp_path: Path) -> None:
    from zcproxy.cli.run_file import RunOptions

    (tmp_path / "run").mkdir()
    RunOptions(("evolve",), {"seed": 1}).also(budget="15m", generations=None).write(tmp_path / "run")
    assert options_in(tmp_path / "run") == {"seed": 1, "budget": "15m"}


def test_searches_and_tables_leave_one_too(run: Command, tmp_path: Path) -> None:
    search = ("search", "digits201", "--proxy", "sum(log(params))", "--minimize", "macs", "--evaluations", "8")
    assert run(*search, "--population", "4", "--workers", "1", "--out", "a")[0] == 0
    assert run("search", "--config", f"a/{RUN_FILE}", "--workers", "1", "--out", "b")[0] == 0
    first, second = (pd.read_csv(tmp_path / name / "front.csv").drop(columns="seconds") for name in "ab")
    assert first.equals(second) and len(first) > 1
    assert options_in(tmp_path / "a")["minimize"] == ["macs"] and options_in(tmp_path / "a")["subject"] == "digits201"
    table = ("table", "digits201", "--networks", "12", "--proxies", "params", "--resamples", "20", "--caption", "Mine")
    assert run(*table, "--workers", "1", "--out", "t")[0] == 0
    assert run("table", "--config", f"t/{RUN_FILE}", "--workers", "1", "--out", "u")[0] == 0
    for name in ("table.csv", "table.tex", RUN_FILE):
        assert (tmp_path / "t" / name).read_bytes() == (tmp_path / "u" / name).read_bytes(), name
    code, _, error = run("search", "--config", f"t/{RUN_FILE}")
    assert code == 2 and f"t/{RUN_FILE} has no options of zcproxy search: it has [table]" in error


def test_a_run_on_few_labels_is_made_again_if_its_code_is_allowed(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "config_nets.py").write_text(NETS)
    names = list(import_module("config_nets").models)
    shares = [50 + place + 7 * place % 5 for place in range(len(names))]
    pd.DataFrame({"architecture": names, "accuracy": shares}).to_csv(tmp_path / "labels.csv", index=False)
    own = ("--models", "config_nets:models", "--labels", "labels.csv", "--input", "1x6x6", "--probes", "noise")
    code, out, error = run("evolve", *own, "--generations", "1", "--out", "a", "--workers", "1", "--json")
    assert code == 0, error
    found = json.loads(out)
    assert found["labels"] == 18 and [row["chosen"] for row in found["contenders"]].count(True) == 1
    assert found["expected"]["low"] <= found["expected"]["tau"] <= found["expected"]["high"]
    again = ("evolve", "--config", f"a/{RUN_FILE}", "--out", "b", "--workers", "1")
    code, _, error = run(*again)
    assert code == 2 and "names code, config_nets:models" in error and "--allow-code config_nets:models" in error
    code, _, error = run(*again, "--allow-code", "config_nets:models")
    assert code == 0, error
    assert (tmp_path / "a" / "front.csv").read_bytes() == (tmp_path / "b" / "front.csv").read_bytes()
    assert json.loads((tmp_path / "b" / "discovered.json").read_text())["formula"] == found["formula"]


def test_a_file_serves_several_commands(run: Command, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(
        "networks = 6\nquiet = true\n[score]\nproxy = 'params'\ntask = 'digits201'\n[table]\ntasks = ['digits201']\n"
        "proxies = 'params'\nnetworks = 8\nresamples = 20\n[benchmark.build]\nspace = 'nasbench201'\n"
    )
    code, out, error = run("score", "--config", "a.toml", "--workers", "1")
    assert code == 0 and "6 of all 500" in out and "measuring" not in error
    code, out, error = run("table", "--config", "a.toml", "--workers", "1", "--json")
    assert code == 0 and {row["networks"] for row in json.loads(out)} == {8}
    code, _, error = run("benchmark", "build", "--config", "a.toml", "--out", "b")
    assert code == 2 and "Missing option '--dataset'" in error


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("netwroks = 3", "unknown option 'netwroks' (did you mean networks"),
        ("networks = 'many'", "networks = 'many' is not what the option takes: write a whole number"),
        ("networks = 12.0", "networks = 12.0 is not what the option takes: write a whole number"),
        ("networks = true", "networks = true is not what the option takes: write a whole number"),
        ("proxies = ['params']", "proxies = ['params'] is not what the option takes: write a text"),
        ("tasks = 'digits201'", "tasks = 'digits201' is not what the option takes: write a list, each a text"),
        ("out = 1979-05-27", "is not what the option takes: write a text"),
        ("batch-size = 0", "a.toml: Invalid value for '--batch-size'"),
        ("batch-size = 4\nbatch_size = 5", "batch_size is an option that is given twice"),
        ("networks = ", "is not TOML: Invalid value (at end of document)"),
        ("networks = " + "9" * 5000, "is not TOML: "),
        ("a = " + "[" * 5000, "is not TOML: "),
        ("[tabel]\nseed = 1", "unknown command 'tabel' (did you mean table"),
        ("plugin = ['mine.py']", "plugin is not read from a file, which permits no code: type --plugin"),
        ("allow_code = ['a:b']", "allow_code is not read from a file, which permits no code: type --allow-code"),
        ("proxies = 'mine=os:getcwd'", "a.toml names code, os:getcwd"),
    ],
)
def test_what_cannot_be_taken_is_one_line_that_names_the_file(
    run: Command, tmp_path: Path, content: str, part: str
) -> None:
    (tmp_path / "a.toml").write_text(content)
    code, out, error = run("table", "digits201", "--networks", "12", "--config", "a.toml")
    assert (code, out, len(error.splitlines())) == (2, "", 1), error
    assert part in error and "a.toml" in error
    assert [path.name for path in tmp_path.iterdir()] == ["a.toml"]


def test_files_that_cannot_be_read(run: Command, tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    (tmp_path / "large.toml").write_text("# " + "x" * 2_000_000)
    for name, part in {
        "missing.toml": "does not exist",
        ".": "cannot read .",
        "binary.toml": "binary.toml is not TOML",
        "large.toml": "more than 1,000,000 bytes",
    }.items():
        code, out, error = run("table", "digits201", "--config", name)
        assert (code, out, len(error.splitlines())) == (2, "", 1) and part in error, error


def test_what_is_typed_beside_a_file_is_the_user_s(run: Command, tmp_path: Path) -> None:
    (tmp_path / "own_scores.py").write_text("def ones(model, inputs, targets):\n    return 1.0\n")
    (tmp_path / "a.toml").write_text("networks = 4")
    words = ("table", "digits201", "--workers", "1", "--resamples", "2", "--config", "a.toml")
    code, out, error = run(*words, "--proxies", "mine=own_scores:ones,params")
    assert code == 0 and "mine" in out, error
