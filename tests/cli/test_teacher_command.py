"""The option --teacher of the commands that measure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from zcproxy.names.teachers import load_teacher
from zcproxy.probing.teacher import teacher_of

Command = Callable[..., tuple[int, str, str]]

TEACHERS = """
from torch import nn

def digits():
    return nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10))

def other(): return nn.Sequential(nn.Flatten(), nn.Linear(144, 10))

def lazy(): return nn.Sequential(nn.Flatten(), nn.LazyLinear(10))

def meta(): return nn.Linear(3, 10, device="meta")
"""
ALIGNED = "mean(alignment(sample_gram(output@noise), sample_gram(output@teacher_noise)))"
SMALL = ("--networks", "16", "--workers", "1")


@pytest.fixture(autouse=True)
def _teachers(run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "taught.py").write_text(TEACHERS)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    load_teacher(None)
    teacher_of.cache_clear()


def test_score_and_table_read_a_teacher(run: Command, tmp_path: Path) -> None:
    code, out, err = run("score", ALIGNED, "digits201", *SMALL, "--teacher", "taught:digits")
    assert code == 0, err
    assert ALIGNED[:20] in out and " nan " not in out and "Teacher: taught:digits." in err
    named = f"aligned={ALIGNED},params"
    options = ("--proxies", named, "--teacher", "taught:other", "--out", "made", "--resamples", "20")
    code, out, err = run("table", "digits201", *SMALL, *options)
    assert code == 0 and "aligned" in out, err
    assert 'teacher = "taught:other#' in (tmp_path / "made" / "run.toml").read_text()


def test_without_a_teacher_it_is_one_line(run: Command) -> None:
    code, _, err = run("score", "diswot", "digits201", *SMALL)
    assert code == 2 and "'diswot' needs a teacher: give --teacher, for example --teacher package.module:factory" in err
    assert len(err.strip().splitlines()) == 1
    code, _, err = run("table", "digits201", *SMALL, "--proxies", "diswot")
    assert code == 2 and "'diswot' needs a teacher" in err and len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(("factory", "reason"), [("lazy", "has no shape yet"), ("meta", "is on the meta device")])
def test_a_teacher_without_weights_is_one_line(run: Command, factory: str, reason: str) -> None:
    code, _, err = run("score", ALIGNED, "digits201", *SMALL, "--teacher", f"taught:{factory}")
    assert code == 2 and f"the teacher 'taught:{factory}' cannot be measured: parameter " in err and reason in err
    assert len(err.strip().splitlines()) == 1


def test_a_run_has_one_teacher(run: Command, tmp_path: Path) -> None:
    small = ("--generations", "1", "--test-networks", "8", "--out", "run")
    code, _, err = run("evolve", "digits201", *SMALL, *small, "--teacher", "taught:digits")
    assert code == 2 and "nothing here reads --teacher taught:digits: add data,teacher to --probes" in err
    begun = ("evolve", "digits201", *SMALL, *small, "--probes", "noise,teacher_noise")
    code, _, err = run(*begun, "--teacher", "taught:digits")
    assert code == 0, err
    without = run(*begun, "--out", "alone")
    assert without[0] == 2 and "'teacher' needs a teacher" in without[2]
    kept = json.loads((tmp_path / "run" / "configuration.json").read_text())["teacher"]
    assert kept.startswith("taught:digits#")
    goes_on = ("evolve", "--resume", "run", "--generations", "2", "--workers", "1")
    code, _, err = run(*goes_on, "--teacher", "taught:other")
    assert code == 2 and "is of a run with the teacher taught:digits#" in err
    teacher_of.cache_clear()
    code, _, err = run(*goes_on)
    assert code == 2 and "names code, taught:digits" in err
    code, _, err = run(*goes_on, "--teacher", "taught:digits")
    assert code == 0, err


def test_search_by_a_proxy_that_reads_a_teacher(run: Command) -> None:
    options = ("--proxy", ALIGNED, "--minimize", "macs", "--evaluations", "8", "--population", "4", "--workers", "1")
    code, _, err = run("search", "digits201", *options)
    assert code == 2 and "needs a teacher: give --teacher" in err and len(err.strip().splitlines()) == 1
    code, out, err = run("search", "digits201", *options, "--teacher", "taught:digits")
    assert code == 0 and "proxy" in out, err


def test_a_model_is_scored_beside_a_teacher(run: Command) -> None:
    model = ("score", "diswot", "--model", "taught:digits", "--input", "1x12x12")
    code, _, err = run(*model, "--teacher", "taught:digits")
    assert code == 0, err
    code, _, err = run(*model)
    assert code == 2 and "'diswot' needs a teacher" in err
