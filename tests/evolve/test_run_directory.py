"""A run directory that was damaged, edited, left half-begun, shared or extended."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections import Counter
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from corruptions import ALL, OF_LINES

from zcproxy.errors import ConfigurationError, RunError, ZcproxyError
from zcproxy.evolve import Configuration, Limits, evolve, resume
from zcproxy.evolve.directory import (
    CHECKPOINT,
    CONFIGURATION,
    ENVIRONMENT,
    JOURNAL,
    LIMITS,
    PREVIOUS,
    RunDirectory,
    State,
)
from zcproxy.storage.claims import claimed

Run = Callable[..., tuple[int, str, str]]
TINY = Configuration(("digits201",), networks=20, test_networks=4, islands=2, island_size=10)


def state(epoch: int) -> State:
    return State([["depth"], []], ["params"], epoch, 5 * epoch, 100, 1.5, {1: "depth"}, Counter(ok=3))


def filled(path: Path, epochs: int = 3) -> RunDirectory:
    """Return a directory as a run of some epochs leaves it."""
    directory = RunDirectory(path)
    directory.create(TINY, Limits(generations=40))
    for epoch in range(1, epochs + 1):
        directory.save_state(state(epoch), {"generations": 5 * epoch})
    return directory


def test_a_state_reads_back_and_the_journal_follows_it(tmp_path: Path) -> None:
    directory = filled(tmp_path / "run")
    assert directory.load_state() == state(3)
    directory._journal.append([{"epoch": 4}])  # killed before the checkpoint
    assert directory.load_state() == state(3)
    assert [line["epoch"] for line in directory.journal()] == [1, 2, 3]
    assert (directory.configuration(), directory.limits()) == (TINY, Limits(generations=40))


@pytest.mark.parametrize("seed", range(60))
def test_damage_is_survived_or_named(tmp_path: Path, seed: int, caplog: pytest.LogCaptureFixture) -> None:
    directory = filled(tmp_path / "run")
    rng = random.Random(seed)
    path = directory.path / rng.choice([CHECKPOINT, CHECKPOINT, PREVIOUS, JOURNAL, JOURNAL, CONFIGURATION, LIMITS])
    damages = OF_LINES if path.name == JOURNAL else ALL
    path.write_bytes(rng.choice(damages)(path.read_bytes(), rng))
    refused = ""
    try:
        assert directory.configuration() == TINY
        assert directory.limits() == Limits(generations=40)
    except ZcproxyError as error:
        refused = str(error)
    if refused:
        assert path.name in refused and len(refused) < 500 and "\n" not in refused
        return
    found = directory.load_state()
    assert found in (state(3), state(2))
    assert found == state(3) or caplog.records, "an epoch is lost without a word"
    epochs = [line["epoch"] for line in directory.journal()]
    assert epochs == sorted(set(epochs)) and len(epochs) <= 3
    assert len(epochs) == found.epoch or caplog.records, "history is lost without a word"
    assert directory.load_state() == found


def test_no_checkpoint_that_can_be_read_is_named_with_what_to_do(tmp_path: Path) -> None:
    directory = filled(tmp_path / "run")
    for name in (CHECKPOINT, PREVIOUS):
        (directory.path / name).write_text("{}x")
    with pytest.raises(RunError, match=r"cannot read .*checkpoint.previous.json"):
        directory.load_state()
    (directory.path / PREVIOUS).unlink()
    with pytest.raises(RunError, match=r"checkpoint.json: .*or delete it: the run then starts again"):
        directory.load_state()
    (directory.path / CHECKPOINT).unlink()
    assert directory.load_state() is None and not (directory.path / JOURNAL).exists()


def test_a_run_killed_between_two_checkpoints_goes_on(tmp_path: Path) -> None:
    directory = filled(tmp_path / "run")
    os.replace(directory.path / CHECKPOINT, directory.path / PREVIOUS)
    assert directory.load_state() == state(3)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (CONFIGURATION, {"tasks": [5]}, r"configuration.json: 'tasks\[0\]' is 5, not text"),
        (CONFIGURATION, {"tasks": "digits201"}, "'tasks' is \"digits201\", not a list"),
        (CONFIGURATION, {"islands": 0}, "islands=0 is out of range: give 1 to 1000"),
        (CONFIGURATION, {"island_size": 10**400}, "island_size=10{39} is out of range"),
        (CONFIGURATION, {"epoch_generations": 0}, "epoch_generations=0 is out of range"),
        (CONFIGURATION, {"batch_size": True}, "'batch_size' is true, not a whole number"),
        (CONFIGURATION, {"seed": None}, "'seed' is null, not a whole number"),
        (CONFIGURATION, {"colour": "red"}, 'unknown field "colour"'),
        (CONFIGURATION, {"probes": ["light"]}, "unknown probe 'light'"),
        (CONFIGURATION, {"start_from": ["sum("]}, "configuration.json: "),
        (LIMITS, {"generations": "4"}, "limits.json: 'generations' is \"4\", not a whole number"),
        (CONFIGURATION, {"probes": ["l" * 5000]}, "unknown probe 'l{38} [.]{3} l{37}'"),
        (LIMITS, {"gens": 4}, 'unknown field "gens"'),
        (LIMITS, {"generations": -1}, "limits.json: .*must be positive"),
        (LIMITS, {"generations": None}, "limits.json: nothing stops the run"),
        (LIMITS, {"seconds": float("inf")}, "limits.json: 'seconds' is inf, not a finite number"),
        (CHECKPOINT, {"hall": {"x": "depth"}}, "checkpoint.json: 'hall' has the entry \"x\""),
        (CHECKPOINT, {"islands": [5]}, r"checkpoint.json: 'islands\[0\]' is 5, not a list"),
        (CHECKPOINT, {"outcomes": []}, r"checkpoint.json: 'outcomes' is \[\], not an object"),
    ],
)
def test_stored_files_of_any_shape_are_named_with_the_field(
    run: Run, tmp_path: Path, name: str, change: dict[str, Any], message: str
) -> None:
    directory = filled(tmp_path / "run", epochs=1)
    path = directory.path / name
    content = json.loads(path.read_text())
    del content["sum"]
    path.write_text(json.dumps({**content, **change}))
    with pytest.raises(ZcproxyError, match=message):
        directory.configuration(), directory.limits(), directory.load_state()
    if name != CHECKPOINT:
        code, _, shown = run("evolve", "--resume", "run", "--workers", "1")
        assert code == 2 and len(shown.splitlines()) == 1 and name in shown


def test_an_edited_file_says_how_to_keep_the_edit(tmp_path: Path) -> None:
    directory = filled(tmp_path / "run")
    path = directory.path / LIMITS
    path.write_text(path.read_text().replace("40", "80"))
    with pytest.raises(RunError, match=r'checksum does not match .* edited on purpose, delete its entry "sum"'):
        directory.limits()
    path.write_text(json.dumps({"generations": 80}))
    assert directory.limits() == Limits(generations=80)


def test_what_a_killed_first_write_left_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "run"
    path.mkdir()
    (path / ".configuration.json.1.partial").write_text("{")
    with pytest.raises(
        RunError, match=r"is not a run directory: it has no configuration\.json; out=.* begins a run there"
    ):
        resume(path)
    directory = RunDirectory(path)
    with directory.claim(TINY, Limits(generations=1)):
        assert not list(path.glob(".*"))
    (path / LIMITS).unlink()
    with pytest.raises(RunError, match=r"was stopped before it began, it has no limits\.json: run the command"):
        resume(path)
    (path / CONFIGURATION).unlink()
    directory.create(TINY, Limits(generations=1))
    assert directory.limits() == Limits(generations=1)


def test_two_processes_do_not_share_a_directory(run: Run, tmp_path: Path) -> None:
    filled(tmp_path / "run")
    with claimed(tmp_path / "run"):
        code, _, shown = run("evolve", "--resume", "run", "--workers", "1")
        assert code == 2 and "another zcproxy process works in run" in shown
        code, _, shown = run("table", "digits201", "--networks", "20", "--proxies", "params", "--out", "run")
        assert code == 2 and "another zcproxy process works in run" in shown


# Extending


def hall_of(path: Path) -> object:
    content = json.loads((path / CHECKPOINT).read_text())
    return [content[name] for name in ("hall", "islands", "epoch", "generations", "evaluations", "columns")]


@pytest.mark.parametrize("first", [1, 3, 4])
def test_an_extended_run_ends_like_one_that_had_the_larger_limit(
    small: Configuration, column_cache: Path, tmp_path: Path, first: int
) -> None:
    evolve(small, Limits(generations=5), tmp_path / "whole", cache=column_cache)
    evolve(small, Limits(generations=first), tmp_path / "run", cache=column_cache)
    resume(tmp_path / "run", generations=5, cache=column_cache)
    assert hall_of(tmp_path / "run") == hall_of(tmp_path / "whole")
    assert (tmp_path / "run" / "best.json").read_text() == (tmp_path / "whole" / "best.json").read_text()
    assert [line["epoch"] for line in RunDirectory(tmp_path / "run").journal()] == [1, 2, 3]
    assert RunDirectory(tmp_path / "run").limits() == Limits(generations=5)


def test_a_run_goes_on_from_the_checkpoint_before_a_damaged_one(
    small: Configuration, column_cache: Path, tmp_path: Path
) -> None:
    evolve(small, Limits(generations=6), tmp_path / "whole", cache=column_cache)
    shutil.copytree(tmp_path / "whole", tmp_path / "run")
    content = (tmp_path / "run" / CHECKPOINT).read_bytes()
    (tmp_path / "run" / CHECKPOINT).write_bytes(content.replace(b"1", b"2", 1))
    resume(tmp_path / "run", cache=column_cache)
    assert hall_of(tmp_path / "run") == hall_of(tmp_path / "whole")


def test_limits_only_grow() -> None:
    limits = Limits(seconds=60.0, generations=8)
    assert limits.extended() == limits
    assert limits.extended(generations=9, seconds=60.0) == Limits(60.0, 9)
    for change in ({"generations": 7}, {"seconds": 1.0}, {"evaluations": 10}):
        with pytest.raises(ConfigurationError, match="does not extend the run, whose limits are seconds=60"):
            limits.extended(**change)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--generations", "4"], "--generations 4 does not extend the run"),
        (["--evaluations", "400"], "--evaluations 400 does not extend the run"),
        (["--seed", "0"], "leave --seed out; --budget, --generations and --evaluations may be given"),
        (["--max-size", "9", "--device", "cpu"], "leave --device, --maximum-size out"),
        (["--out", "elsewhere"], "leave --out out"),
        (["--hold-out", "nds"], "leave --hold-out out"),
        (["digits201"], "leave the tasks out"),
        (["--start-from", ""], "leave --start-from out"),
    ],
)
def test_resuming_refuses_what_it_does_not_heed(run: Run, tmp_path: Path, options: list[str], message: str) -> None:
    filled(tmp_path / "run")
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    code, _, shown = run("evolve", "--resume", "run", *options)
    assert code == 2 and message in shown and len(shown.splitlines()) == 1
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before


def test_versions_are_those_of_the_installed_packages(tmp_path: Path, small: Configuration, column_cache: Path) -> None:
    evolve(small, Limits(generations=1), tmp_path / "run", cache=column_cache)
    written = json.loads((tmp_path / "run" / ENVIRONMENT).read_text())
    for name in ("zcproxy", "torch", "numpy", "deap"):
        assert written[name] == version(name)
