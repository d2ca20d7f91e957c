"""What the suite calls a broken promise: a judge that finds nothing wrong would make every other test pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzz.client import MARKER, Room
from fuzz.interface import commands
from fuzz.judging import judge
from fuzz.outcome import PromiseError, Verdict, try_random
from fuzz.server import Finished
from fuzz.trees import check_equal_trees


def finished(code: int = 0, err: str = "", out: str = "", **changes: object) -> Finished:
    known = {"seconds": 1.0, "timed_out": False, "obeyed": False, "after_signal": -1.0, "signalled": 0}
    return Finished(code=code, out=out, err=err, **{**known, "left_behind": False, **changes})  # type: ignore[arg-type]


TABLE = "| | tau | s | |\n|---|---|---|---|\n| x | {} | {} | 0 |"
TRACEBACK = 'Traceback (most recent call last):\n  File "/x/zcproxy/files.py", line 5, in read\nValueError: no\n'


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (finished(1, TRACEBACK), "traceback ValueError in zcproxy/files.py:read"),
        (finished(0, TRACEBACK), "traceback"),
        (finished(-11), "died of SIGSEGV"),
        (finished(-6), "died of SIGABRT"),
        (finished(139), "exit code 139"),
        (finished(2), "refused without a message"),
        (finished(2, "zcproxy: " + "x" * 500), "message of more than 500"),
        (finished(2, "zcproxy: one\ntwo\n"), "message of several lines"),
        (finished(2, "zcproxy: \x1b[2J\n"), "control character"),
        (finished(0, out="\x9b31m"), "control character"),
        (finished(0, out="\u202e"), "control character"),
        (finished(0, "/x.py:5: UserWarning: careful\n"), "a warning is shown"),
        (finished(0, left_behind=True), "processes left behind"),
        (finished(-15, timed_out=True, obeyed=True), "time-out"),
    ],
)
def test_a_broken_promise_is_seen(answer: Finished, kind: str) -> None:
    outcome = judge(answer)
    assert outcome.verdict is Verdict.FAILED and outcome.kind.startswith(kind)


def test_what_keeps_the_promises_is_told_apart() -> None:
    assert judge(finished(0, "measuring 4/4\n", "0.5\n")).verdict is Verdict.FINE
    assert judge(finished(2, "zcproxy: cannot read x: write y\n")).verdict is Verdict.REFUSED
    assert judge(finished(-15, timed_out=True, obeyed=True), may_be_long=True).verdict is Verdict.LONG
    assert judge(finished(-9, timed_out=True), may_be_long=True).kind == "time-out, SIGTERM ignored"


def test_code_that_ran_and_files_outside_are_seen(tmp_path: Path) -> None:
    room = Room(tmp_path / "room").make()
    room.check()
    (room.work / "deep").mkdir()
    (room.work / "deep" / MARKER).touch()
    with pytest.raises(PromiseError, match="code was executed"):
        room.check()
    room.make()
    (room.root / "escape").touch()
    with pytest.raises(PromiseError, match="outside of the folder"):
        room.check()


@pytest.mark.parametrize(
    ("name", "one", "other", "equal"),
    [
        ("a.csv", "x,seconds\n1,5\n", "x,seconds\n1,6\n", True),
        ("a.csv", "x,seconds\n1,5\n", "x,seconds\n2,5\n", False),
        ("a.json", '{"a": 1, "seconds": 5}', '{"seconds": 6, "a": 1}', True),
        ("a.json", '{"a": 1, "seconds": 5, "sum": "12ab"}', '{"a": 1, "seconds": 6, "sum": "34cd"}', True),
        ("a.json", '{"a": 1.0000000001}', '{"a": 1.0000000002}', False),
        ("a.jsonl", '{"a": 1}\n{"a": 2}\n', '{"a": 2}\n{"a": 1}\n', True),
        ("a.jsonl", '{"a": 1}\n', '{"a": 1}\n{"a": 2}\n', False),
        ("a.json", '{"a": NaN}', '{"a": NaN}', True),
        ("a.jsonl", '{"a": 1, "seconds": 5}\n', '{"a": 1, "seconds": 6}\n{"a": 1, "seconds": 5}\n', True),
        ("a.md", TABLE.format(1, 5.5), TABLE.format(1, 5.6), True),
        ("a.md", TABLE.format(1, 5.5), TABLE.format(2, 5.5), False),
        ("a.md", "| | s | |\n| x | 5.5 | 0 |\n\n| x | 5.5 |", "| | s | |\n| x | 5.6 | 0 |\n\n| x | 5.6 |", False),
    ],
)
def test_results_are_equal_but_for_clocks(tmp_path: Path, name: str, one: str, other: str, equal: bool) -> None:
    for folder, content in (("one", one), ("other", other)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(content)
    (tmp_path / "other" / f".{name}.7.partial").touch()
    if equal:
        check_equal_trees(tmp_path / "one", tmp_path / "other")
        return
    with pytest.raises(PromiseError, match="result differs"):
        check_equal_trees(tmp_path / "one", tmp_path / "other")


def test_tries_depend_on_seed_subject_and_index_alone() -> None:
    assert try_random(1, "a", 2).random() == try_random(1, "a", 2).random()
    others = {try_random(*key).random() for key in ((1, "a", 2), (2, "a", 2), (1, "b", 2), (1, "a", 3))}
    assert len(others) == 4


def test_every_command_and_option_is_known() -> None:
    known = {command.path: command for command in commands()}
    assert {("score",), ("evolve",), ("benchmark", "build"), ("columns", "clear")} <= set(known)
    kinds = {parameter.name: parameter.kind for parameter in known["benchmark", "build"].parameters}
    assert (kinds["networks"], kinds["learning_rate"], kinds["out"], kinds["space"]) == (
        "integer",
        "number",
        "path",
        "text",
    )
    assert {parameter.name for parameter in known["benchmark", "build"].parameters if parameter.required} == {
        "out",
        "space",
        "dataset",
    }
