"""Columns that read a teacher: kept under its code and weights, and never taken for those of another one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from zcproxy.columns.context import Context
from zcproxy.columns.store import ColumnStore
from zcproxy.columns.sweep import sweep
from zcproxy.columns.table import ColumnTable
from zcproxy.errors import ConfigurationError
from zcproxy.names.tasks import get_task
from zcproxy.names.teachers import load_teacher, teacher_of_run
from zcproxy.primitives import parse
from zcproxy.probing.teacher import teacher_of
from zcproxy.user_code.chosen_teacher import chosen_teacher, teaching
from zcproxy.user_code.permission import Scope, entered
from zcproxy.workers.pool import worker_pool

MODULE = """
import torch
from torch import nn

def made(seed):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(400, 10))

def first(): return made(1)
def second(): return made(2)
def drawn(): return nn.Sequential(nn.Flatten(), nn.Linear(144, 10))
def colours(): return nn.Conv2d(3, 4, 3)
def nothing(): return None
"""
TAUGHT, OWN = parse("alignment(sample_gram(output@noise), sample_gram(output@teacher_noise))"), parse("l1_norm(weight)")
TASK = get_task("digits201")
READERS = ("teacher",)
NETWORKS = TASK.architectures("all")[:2]


@pytest.fixture(autouse=True)
def _teachers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "teachers.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "teachers", raising=False)
    yield
    load_teacher(None)
    teacher_of.cache_clear()


def measured(cache: Path, reference: str, **where: object) -> ColumnTable:
    load_teacher(reference)
    return sweep(Context(TASK, 4), NETWORKS, [TAUGHT, OWN], cache=cache, **where)  # type: ignore[arg-type]


def test_columns_of_two_teachers_are_kept_apart(tmp_path: Path) -> None:
    first, second = (measured(tmp_path, f"teachers:{name}") for name in ("first", "second"))
    assert not np.allclose(first.values[TAUGHT], second.values[TAUGHT])
    assert np.array_equal(first.values[OWN], second.values[OWN])
    again = measured(tmp_path, "teachers:first")
    assert np.array_equal(again.values[TAUGHT], first.values[TAUGHT]) and not again.seconds.any()


def test_what_reads_no_teacher_is_measured_once_for_all(tmp_path: Path) -> None:
    measured(tmp_path, "teachers:first")
    load_teacher("teachers:second")
    store = ColumnStore(tmp_path, Context(TASK, 4))
    assert store.missing(NETWORKS[0], [TAUGHT, OWN]) == (TAUGHT,)
    load_teacher(None)
    assert ColumnStore(tmp_path, Context(TASK, 4)).missing(NETWORKS[0], [OWN]) == ()


def test_workers_have_the_teacher(tmp_path: Path) -> None:
    here = measured(tmp_path / "here", "teachers:drawn")
    with worker_pool(2, None) as executor:
        there = measured(tmp_path / "there", "teachers:drawn", executor=executor)
    assert np.array_equal(here.values[TAUGHT], there.values[TAUGHT])


def test_without_a_teacher_nothing_is_measured(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"'alignment\(.*\)' needs a teacher: give `teacher`"):
        sweep(Context(TASK, 4), NETWORKS, [TAUGHT], cache=tmp_path)


def test_a_teacher_with_other_inputs_is_one_line_and_of_no_network(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        measured(tmp_path, "teachers:colours")
    assert str(raised.value).startswith(
        "the teacher 'teachers:colours' cannot be measured on the inputs of the networks"
    )
    assert len(str(raised.value).splitlines()) == 1


def test_a_task_may_have_a_teacher_which_the_users_replaces(tmp_path: Path) -> None:
    task = get_task("diswot/cifar100")
    assert Context(task).teacher == "zcproxy.benchmarks.diswot:resnet110"
    with teaching("teachers:first#0123"):
        assert Context(task).teacher == "teachers:first#0123"
    assert Context(TASK).teacher == ""


def test_a_teacher_that_has_changed_is_refused(tmp_path: Path) -> None:
    load_teacher("teachers:first")
    token = chosen_teacher()
    (tmp_path / "teachers.py").write_text(MODULE.replace("made(1)", "made(3)"))
    del sys.modules["teachers"]
    teacher_of.cache_clear()
    with pytest.raises(ConfigurationError, match="'teachers:first' is another one than before"):
        teacher_of(token)


def test_a_run_goes_on_with_its_own_teacher(tmp_path: Path) -> None:
    load_teacher("teachers:first")
    token, place = chosen_teacher(), tmp_path / "run.json"
    assert teacher_of_run("", READERS, [TASK], place) == teacher_of_run(token, READERS, [TASK], place) == token
    with pytest.raises(ConfigurationError, match=r"nothing here reads teacher=teachers:first: add data,teacher"):
        teacher_of_run("", (), [TASK], place)
    load_teacher("teachers:second")
    with pytest.raises(ConfigurationError, match=r"is of a run with the teacher teachers:first#.*, given is"):
        teacher_of_run(token, READERS, [TASK], place)
    load_teacher(None)
    teacher_of.cache_clear()
    with entered(Scope(set())), pytest.raises(ConfigurationError, match=r"names code, teachers:first: .* allow_code="):
        teacher_of_run(token, READERS, [TASK], place)
    with entered(Scope({"teachers:first"})):
        assert teacher_of_run(token, READERS, [TASK], place) == token
    with pytest.raises(ConfigurationError, match="'teacher' needs a teacher"):
        teacher_of_run("", READERS, [get_task("diswot/cifar100"), TASK], place)


@pytest.mark.parametrize("name", ["nothing", "absent"])
def test_a_reference_to_no_network(name: str) -> None:
    with pytest.raises(Exception, match=f"teachers.*{name}") as raised:
        load_teacher(f"teachers:{name}")
    assert len(str(raised.value).splitlines()) == 1 and chosen_teacher() == ""


def test_a_module_is_a_teacher_too(monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules.setdefault("teachers", __import__("teachers"))
    monkeypatch.setattr(module, "ready", nn.Linear(2, 3), raising=False)
    taught = load_teacher("teachers:ready")
    assert taught is not None and chosen_teacher() == f"teachers:ready#{taught.digest}"
    assert torch.is_grad_enabled()
