"""Code runs if the user names it, on the command line or as an argument; a stored file alone runs none."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

import zcproxy.benchmarks
from zcproxy.errors import ConfigurationError, ZcproxyError
from zcproxy.evolve import resume
from zcproxy.names.proxies import load_proxy
from zcproxy.names.spaces import get_space
from zcproxy.names.tasks import built_task, get_task
from zcproxy.ranking.scoring import score_networks
from zcproxy.search import SearchConfiguration, Setting
from zcproxy.user_code.permission import one_command, permit, stored_in
from zcproxy.workers.jobs import carried

Command = Callable[..., tuple[int, str, str]]

DIGITS = Path(zcproxy.benchmarks.__file__).with_name("digits201")
MINE = '''
"""Leaves a mark where it is imported."""
from pathlib import Path
from zcproxy.benchmarks.nasbench201 import NASBench201Space
Path("imported").touch()

class Space(NASBench201Space):
    def __init__(self, channels=6, cells=1):
        super().__init__(channels, cells)
'''
CODE = ("os:system", "subprocess:call", "mine:Space", "builtins:print")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A benchmark of a user's own space `mine_*:Space`; each test has a module of its own."""
    name = f"mine_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(MINE)
    monkeypatch.setattr(sys, "path", [*sys.path])
    benchmark(tmp_path / "shared", f"{name}:Space", {})
    return tmp_path / "shared"


def benchmark(folder: Path, space: str, options: dict[str, Any]) -> None:
    shutil.copytree(DIGITS, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "space": space, "space_options": options}))


def space_of(folder: Path) -> str:
    return str(json.loads((folder / "manifest.json").read_text())["space"])


def refused(result: tuple[int, str, str], *parts: str) -> None:
    code, out, error = result
    assert (code, out) == (2, ""), error
    assert len(error.strip().splitlines()) == 1
    for part in parts:
        assert part in error


def evolved(path: Path, task: str, **changes: Any) -> None:
    """Write a directory of a run as a stranger may."""
    path.mkdir(exist_ok=True)
    (path / "configuration.json").write_text(json.dumps({"tasks": [task], "networks": 20, **changes}))
    (path / "limits.json").write_text(json.dumps({"generations": 1}))


def searched(path: Path, reference: str, **changes: Any) -> None:
    """Write a directory of a search as a stranger may."""
    path.mkdir()
    setting = Setting(reference, formula="sum(params)", **changes)
    names = ("trained_accuracy",) if changes.get("dataset") else ("proxy",)
    configuration = SearchConfiguration(setting, maximized=names, evaluations=4, population=4)
    (path / "search.json").write_text(json.dumps(configuration.as_dict()))
    (path / "front.csv").write_text("arch,proxy\nx,1\n")


@pytest.mark.parametrize("code", CODE)
@pytest.mark.parametrize("command", ["score params", "table --proxies params", "evolve", "search --proxy sum(params)"])
def test_a_manifest_runs_nothing(run: Command, tmp_path: Path, command: str, code: str) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    benchmark(tmp_path / "shared", code, {})
    word, *options = command.split()
    arguments = [word, *options[:1], "shared"] if word == "score" else [word, "shared", *options]
    refused(run(*arguments, "--workers", "1"), f"names code, {code}:", f"add --allow-code {code}")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.py", "shared"]


@pytest.mark.parametrize("task", ["run/data", "mine:Space", "os:system"])
@pytest.mark.parametrize("held_out", [False, True])
def test_a_run_runs_nothing(run: Command, tmp_path: Path, task: str, held_out: bool) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    benchmark(tmp_path / "run" / "data", "os:system", {})
    if held_out:
        evolved(tmp_path / "run", "digits201", hold_out=[task])
    else:
        evolved(tmp_path / "run", task)
    before = sorted(tmp_path.rglob("*"))
    code = "os:system" if task == "run/data" else task
    for arguments in (
        ["evolve", "--resume", "run"],
        ["score", "params", "digits201", "--unseen-by", "run", "--networks", "4"],
        ["table", "digits201", "--proxies", "params", "--unseen-by", "run", "--networks", "4"],
    ):
        refused(run(*arguments), f"names code, {code}:", f"add --allow-code {code}")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("reference", "changes", "code"),
    [
        ("found/data", {}, "os:system"),
        ("mine:Space", {}, "mine:Space"),
        ("mine:Space", {"input_shape": (3, 8, 8)}, "mine:Space"),
        ("digits201", {"dataset": "mine:Space"}, "mine:Space"),
    ],
)
def test_a_search_runs_nothing(
    run: Command, tmp_path: Path, reference: str, changes: dict[str, Any], code: str
) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    searched(tmp_path / "found", reference, **changes)
    benchmark(tmp_path / "found" / "data", "os:system", {})
    refused(run("search", "--resume", "found", "--workers", "1"), f"names code, {code}:")
    if not changes.get("dataset"):
        refused(run("network", "export", "found"), f"names code, {code}:", f"add --allow-code {code}")
    assert not (tmp_path / "PWNED").exists() and not (tmp_path / "imported").exists()


def test_what_the_user_names_may_run(run: Command, folder: Path, tmp_path: Path) -> None:
    space = space_of(folder)
    words = ("--networks", "20", "--workers", "1")
    refused(run("score", "params", "shared", *words), f"add --allow-code {space}")
    refused(run("score", "params", "shared", *words, "--allow-code", "other:Space"), f"add --allow-code {space}")
    assert not (tmp_path / "imported").exists()
    assert run("score", "params", "shared", *words, "--allow-code", space)[0] == 0
    assert (tmp_path / "imported").exists()
    refused(run("score", "params", "shared", *words), f"add --allow-code {space}")  # each command anew


def test_permission_reaches_worker_processes(run: Command, folder: Path) -> None:
    words = ("--networks", "6", "--workers", "2", "--allow-code", space_of(folder))
    code, _, error = run("score", "sum(std(weight))", "shared", *words)
    assert code == 0, error


def test_permission_reaches_any_executor(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with one_command():
        task = built_task(folder, allow_code=[space_of(folder)])
        names = task.architectures("all")[:5]
        with ProcessPoolExecutor(1, get_context("spawn")) as executor:
            found = score_networks(
                [load_proxy("zc-forward")], str(folder), names, population="five", executor=executor, cache=tmp_path
            )
    assert len(found.scores["zc-forward"]) == 5
    with one_command(), pytest.raises(ConfigurationError, match="names code"):
        built_task(folder)


def test_a_job_carries_what_is_permitted(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with one_command():
        forbidden = carried(get_task)
        permit([space_of(folder)])
        allowed = carried(get_task)
        assert allowed(str(folder)).space.name == "nasbench201"
    with one_command(), pytest.raises(ConfigurationError, match="names code"):
        forbidden(str(folder))


def test_python_resumes_with_what_it_allows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    evolved(tmp_path / "run", "mine_missing:task")
    with one_command():
        with pytest.raises(ConfigurationError, match=r"configuration\.json names code, mine_missing:task"):
            resume(tmp_path / "run")
        with pytest.raises(ConfigurationError, match="cannot import 'mine_missing'"):
            resume(tmp_path / "run", allow_code=["mine_missing:task"])


def test_a_name_once_given_may_be_stored(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with one_command():
        get_space(space_of(folder))
        assert get_task(str(folder)).space.name == "nasbench201"


def test_a_folder_whose_name_looks_like_code_permits_nothing(run: Command, tmp_path: Path) -> None:
    benchmark(tmp_path / "os:system", "os:system", {})
    for arguments in (["score", "params", "os:system"], ["search", "os:system", "--proxy", "sum(params)"]):
        refused(run(*arguments, "--workers", "1"), "names code, os:system")
    assert not (tmp_path / "PWNED").exists()


@pytest.mark.parametrize(
    "reference", ["os", "os:", ":system", "os:system; touch PWNED", "os.:f", "o s:f", "x" * 999 + ":f"]
)
def test_only_references_can_be_allowed(run: Command, tmp_path: Path, reference: str) -> None:
    refused(run("score", "params", "digits201", "--allow-code", reference), "cannot read", ": write ")


def test_entry_points_in_the_current_folder_are_not_installed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil-1.0.dist-info").mkdir()
    (tmp_path / "evil-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n")
    (tmp_path / "evil-1.0.dist-info" / "entry_points.txt").write_text("[zcproxy.spaces]\nplain = os:system\n")
    benchmark(tmp_path / "other", "plain", {"command": 1})
    with one_command():
        get_space(space_of(folder))  # the current folder is searched for modules from here on
        with pytest.raises(ConfigurationError, match="unknown space 'plain'"):
            get_task("other")


@pytest.mark.parametrize(
    "options",
    [{"channels": 0}, {"channels": -1}, {"channels": 10**9}, {"channels": True}, {"cells": 2.0}, {"cells": "2"}],
)
def test_options_of_spaces_are_whole_numbers(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="give a whole number from 1 to 4096"):
        get_space("nasbench201", options)
    benchmark(tmp_path / "b", "nasbench201", options)
    with pytest.raises(ZcproxyError, match="a whole number"):
        get_task(str(tmp_path / "b"))


def test_options_that_a_space_does_not_have(tmp_path: Path) -> None:
    for space in ("nasbench201", "nats_sss", "nds_darts", "transnas101_micro", "ofa_resnet50", "hat_translation"):
        with pytest.raises(ConfigurationError, match="has no option 'family'"):
            get_space(space, {"family": 1})


def test_scopes_end(tmp_path: Path) -> None:
    with one_command():
        with stored_in(tmp_path / "file"), pytest.raises(ConfigurationError, match="file names code, absent:x"):
            get_space("absent:x")
        with pytest.raises(ConfigurationError, match="cannot import 'absent'"):
            get_space("absent:x")
