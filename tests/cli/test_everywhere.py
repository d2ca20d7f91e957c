"""The options that every command has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from zcproxy.cli.commands import PLACES, program
from zcproxy.names.tasks import get_task

Command = Callable[..., tuple[int, str, str]]


def leaves(command: Any) -> Iterator[Any]:
    """Yield a command, or the commands of a group."""
    below = getattr(command, "commands", None)
    if below is None:
        yield command
    else:
        for each in below.values():
            yield from leaves(each)


@pytest.mark.parametrize("name", PLACES)
def test_every_command_has_them_once(name: str) -> None:
    for command in leaves(program().load(name)):
        options = [text for parameter in command.params for text in parameter.opts]
        assert options.count("--quiet") == options.count("--version") == 1, command.name


@pytest.mark.parametrize("arguments", [(), ("table",), ("proxy", "show"), ("evolve", "no-task")])
def test_the_version_is_that_of_the_package(arguments: tuple[str, ...], run: Command) -> None:
    assert run(*arguments, "--version") == (0, f"zcproxy {version('zcproxy')}\n", "")


def test_a_quiet_command_shows_results_and_no_progress(run: Command) -> None:
    few = ("score", "naswot", "digits201", "--networks", "6", "--workers", "1")
    code, out, error = run(*few, "--quiet")
    assert code == 0
    assert "measuring" not in out + error and "naswot" in out
    assert "measuring" in run(*few, "--initialisation", "1")[2]
    code, _, error = run("score", "naswot", "nowhere", "--quiet")
    assert code == 2 and "nowhere" in error


def test_results_are_printed_as_json(run: Command) -> None:
    few = ("digits201", "--networks", "6", "--workers", "1", "--json")
    code, out, _ = run("score", "naswot", *few)
    scored = {row["proxy"]: row for row in json.loads(out)}
    assert code == 0 and list(scored) == ["naswot", "params", "flops", "convolutions"]
    assert scored["naswot"]["tau_top_decile"] is None and -1 <= scored["naswot"]["tau"] <= 1
    code, out, _ = run("table", *few, "--proxies", "naswot", "--resamples", "2")
    listed = {row["proxy"]: row for row in json.loads(out)}
    assert code == 0 and listed["naswot"]["tau"] == pytest.approx(scored["naswot"]["tau"])
    assert listed["params"]["seconds"] is None


@pytest.mark.parametrize(("typed", "found"), [("zcproxy ev", "evolve"), ("zcproxy table --prox", "--proxies")])
def test_a_shell_completes_commands_and_options(typed: str, found: str) -> None:
    asked = {"_ZCPROXY_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    code = "import sys; sys.argv = ['zcproxy']; from zcproxy.__main__ import main; main()"
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, env=os.environ | asked, check=False)
    assert (result.returncode, result.stdout) == (0, f"{found}\n"), result.stderr


def test_every_command_with_results_prints_them_as_json(run: Command, tmp_path: Path) -> None:
    def printed(*words: str) -> Any:
        code, out, error = run(*words, "--json")
        assert code == 0 and len(out.splitlines()) == 1, error
        return json.loads(out)

    names = [row["proxy"] for row in printed("proxy", "list")]
    assert {"zc-general", "synflow", "az_nas"} <= set(names)
    shown = printed("proxy", "show", "synflow")
    assert shown["formula"].startswith("sum(") and shown["published"] and shown["bibtex"]
    assert printed("proxy", "show", "az_nas")["members"]
    (benchmark,) = printed("benchmark", "list", "nasbench201")
    assert {row["task"] for row in benchmark["tasks"]} >= {"nasbench201/cifar10"} and benchmark["licence"]
    (tmp_path / "one_model.py").write_text("from torch import nn\ndef net(): return nn.Linear(3, 2)")
    scored = printed("score", "sum(params)", "--model", "one_model:net", "--input", "3")
    assert scored == {"proxy": "sum(params)", "score": 8.0}
    task = get_task("digits201")
    networks = task.architectures("all")[:12]
    rows = [f"{name},{label}" for name, label in zip(networks, task.labels(networks), strict=True)]
    (tmp_path / "labels.csv").write_text("\n".join(["architecture,accuracy", *rows]))
    words = ("adapt", "digits201", "--labels", "labels.csv", "--from", "sum(params),sum(log(params))", "--workers", "1")
    adapted = printed(*words)
    assert len(adapted["candidates"]) == 2 and adapted["expected"]["low"] <= adapted["expected"]["tau"]
    (columns,) = (row for row in printed("columns", "info") if row["networks"] == 12)
    assert columns["settings"]["task"] == "digits201" and columns["columns"] >= 1 and columns["bytes"] > 0


def test_several_models_are_scored_each_by_name(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "two_models.py").write_text(
        "from torch import nn\ndef small(): return nn.Linear(3, 4)\ndef large(): return nn.Linear(3, 9)"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    command = ("score", "sum(params)", "--model", "two_models:small", "--model", "two_models:large", "--input", "3")
    code, out, error = run(*command)
    assert (code, out.splitlines()) == (0, ["two_models:large 36.0", "two_models:small 16.0"]), error
    code, out, _ = run(*command, "--json")
    found = {each["model"]: each["score"] for each in json.loads(out)}
    assert code == 0 and found == {"two_models:small": 16.0, "two_models:large": 36.0}
