"""Runs with the operators of DEAP: the same with any number of workers, after a kill, and in any process."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from zcproxy.errors import ConfigurationError
from zcproxy.evolve import Configuration, Limits, evolve, resume
from zcproxy.evolve.directory import RunDirectory

TASK = "digits201"
MUTATIONS = ("mutUniform", "mutNodeReplacement", "mutInsert", "mutShrink", "mutEphemeral", "ours")
PROGRAM = """
import random, sys
from pathlib import Path
from zcproxy.evolve import evolve
from zcproxy.evolve.directory import RunDirectory
if __name__ == "__main__":
    random.seed(int(sys.argv[3]))
    known = RunDirectory(Path(sys.argv[1]))
    evolve(known.configuration(), known.limits(), known.path, cache=Path(sys.argv[2]))
"""


@pytest.fixture
def of_deap(small: Configuration) -> Configuration:
    names = {"crossover": "onepoint", "selection": "epsilon-lexicase", "survivors": "nsga3"}
    return replace(small, mutation=MUTATIONS, cases=("top", "bands"), **names)  # type: ignore[arg-type]


def hall(run: Path) -> dict[int, str]:
    state = RunDirectory(run).load_state()
    assert state is not None
    return state.hall


def test_workers_kills_and_what_was_drawn_before_change_nothing(
    of_deap: Configuration, column_cache: Path, tmp_path: Path
) -> None:
    limits = Limits(generations=8)
    random.seed(1)
    evolve(of_deap, limits, tmp_path / "one", cache=column_cache)
    random.seed(2)
    evolve(of_deap, limits, tmp_path / "two", workers=2, cache=column_cache)
    killed = tmp_path / "killed"
    RunDirectory(killed).create(of_deap, limits)
    arguments = [sys.executable, "-c", PROGRAM, str(killed), str(column_cache), "3"]
    process = subprocess.Popen(arguments, env=os.environ | {"PYTHONHASHSEED": "7"})
    while not (killed / "checkpoint.json").exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    state = RunDirectory(killed).load_state()
    assert state is not None and state.generations < 8
    resume(killed, cache=column_cache)
    assert hall(tmp_path / "one") == hall(tmp_path / "two") == hall(killed)
    assert len(hall(killed)) > 5


@pytest.mark.parametrize(
    "names",
    [
        {"crossover": "leaf-biased", "selection": "double-tournament"},
        {"mutation": ("mutUniform", "mutShrink")},
        {"survivors": "spea2", "selection": "lexicase"},
    ],
    ids=str,
)
def test_variants_find_something_else(
    small: Configuration, column_cache: Path, tmp_path: Path, names: dict[str, object]
) -> None:
    limits = Limits(generations=4)
    evolve(small, limits, tmp_path / "ours", cache=column_cache)
    evolve(replace(small, **names), limits, tmp_path / "other", cache=column_cache)  # type: ignore[arg-type]
    assert len(hall(tmp_path / "other")) > 3
    assert hall(tmp_path / "other") != hall(tmp_path / "ours")


def test_a_configuration_of_before_is_read_with_the_names_of_today(small: Configuration) -> None:
    content = small.as_dict()
    for name in ("crossover", "mutation", "survivors", "toolbox"):
        del content[name]
    assert Configuration.from_dict(content | {"selection": "lexicase"}) == replace(small, selection="lexicase")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"crossover": "twopoint"},
            r"unknown crossover 'twopoint' \(did you mean onepoint\?\): write one of onepoint, leaf-biased, ours",
        ),
        ({"mutation": ("mutUniform", "mutate")}, "unknown mutation 'mutate'"),
        ({"mutation": ()}, "no mutation given: name at least one of mutUniform"),
        ({"survivors": "nsga"}, "unknown survivors 'nsga'"),
        ({"toolbox": "mine.py"}, "cannot read 'mine.py': write package.module:name"),
    ],
)
def test_names_that_there_are_not(change: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Configuration(**{"tasks": (TASK,), **change})  # type: ignore[arg-type]


def test_the_command_takes_the_names(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    words = ["--networks", "16", "--test-networks", "4", "--probes", "noise", "--batch-size", "4", "--generations", "2"]
    words += ["--crossover", "onepoint", "--mutation", "mutUniform, mutInsert", "--selection", "double-tournament"]
    code, _, error = run("evolve", TASK, *words, "--survivors", "spea2", "--workers", "1", "--out", "found")
    assert code == 0, error
    configuration = json.loads((tmp_path / "found" / "configuration.json").read_text())
    assert configuration["mutation"] == ["mutUniform", "mutInsert"]
    assert [configuration[name] for name in ("crossover", "selection", "survivors", "toolbox")] == [
        *("onepoint", "double-tournament", "spea2", "")
    ]
    code, _, error = run("evolve", TASK, *words, "--toolbox", "nowhere:at_all", "--out", "other")
    assert code == 2 and "cannot import 'nowhere' of 'nowhere:at_all'" in error
    assert not (tmp_path / "other").exists()
