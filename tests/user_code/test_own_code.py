"""Code of users may raise anything: each failure is one line that says where."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from zcproxy.errors import ConfigurationError
from zcproxy.text.whole_numbers import whole_number
from zcproxy.user_code.references import LARGEST_INPUT, parse_shape, random_inputs

Command = Callable[..., tuple[int, str, str]]

FACTORIES = """
import sys
from torch import nn

def net():
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 4))

def weights():
    return open("weights.pth")

def package():
    import not_installed

def raising(error):
    def factory():
        raise error
    return factory

division = raising(ZeroDivisionError("by zero"))
memory = raising(MemoryError())
stop = raising(StopIteration("end"))
plain = raising(Exception("any\\nlines"))
recursion = raising(RecursionError("deep"))
leave = raising(SystemExit(0))
leave_text = raising(SystemExit("text"))
number = 3
"""
MODULES = {
    "syntax": "def f(:",
    "tabs": "if 1:\n\tx = 1\n        y = 2\n",
    "nul": "x = '\0'",
    "dividing": "x = 1\n1 / 0",
    "leaving": "import sys\nsys.exit(0)",
    "leaving_text": "import sys\nsys.exit('a text')",
    "importing": "import not_installed",
    "circular": "from circular import f",
    "reading": "open('nowhere')",
    "stopping": "raise StopIteration",
    "bare": "raise Exception",
}


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Modules of a user in the current folder; what a test imports of them is forgotten."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for name, text in {"mine": FACTORIES, **MODULES}.items():
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def refused(result: tuple[int, str, str], *parts: str) -> None:
    code, out, error = result
    assert (code, out) == (2, ""), error
    assert len(error.strip().splitlines()) == 1
    assert len(error) < 500
    for part in parts:
        assert part in error


@pytest.mark.parametrize(
    ("model", "parts"),
    [
        ("mine:weights", ["factory 'mine:weights' failed", "No such file", "mine.py, line 9"]),
        ("mine:package", ["No module named 'not_installed'", "mine.py, line 12"]),
        ("mine:division", ["ZeroDivisionError: by zero", "mine.py, line 16"]),
        ("mine:memory", ["MemoryError (mine.py, line 16)"]),
        ("mine:stop", ["StopIteration: end"]),
        ("mine:plain", ["Exception: any lines"]),
        ("mine:recursion", ["deep"]),
        ("mine:leave", ["it leaves the program with sys.exit(0)"]),
        ("mine:leave_text", ["sys.exit('text')"]),
        ("mine:number", ["factory 'mine:number' failed", "not callable"]),
        ("syntax:f", ["cannot import 'syntax'", "SyntaxError", "(syntax.py, line 1)"]),
        ("tabs:f", ["cannot import 'tabs'", "tabs.py, line 3"]),
        ("nul:f", ["cannot import 'nul'"]),
        ("dividing:f", ["ZeroDivisionError", "dividing.py, line 2"]),
        ("leaving:f", ["sys.exit(0) (leaving.py, line 2)"]),
        ("leaving_text:f", ["sys.exit('a text')"]),
        ("importing:f", ["No module named 'not_installed' (importing.py, line 1)"]),
        ("circular:f", ["circular.py, line 1"]),
        ("reading:f", ["No such file", "reading.py, line 1"]),
        ("stopping:f", ["StopIteration (stopping.py, line 1)"]),
        ("bare:f", ["Exception (bare.py, line 1)"]),
        (".m:f", ["cannot read '.m:f': write m:f"]),
        ("./mine:net", ["cannot read './mine:net': write mine:net"]),
        ("mine.py:net", ["cannot read 'mine.py:net': write mine:net"]),
        ("./models/mine.py:net", ["write models.mine:net"]),
        ("/models/mine.py:net", ["cannot read '/models/mine.py:net': write models.mine:net"]),
        ("mine:net()", ["write mine:name"]),
        ("mine", ["write package.module:name"]),
        ("", ["write package.module:name"]),
        ("x" * 5000 + ":f", ["write package.module:name"]),
        ("mine.net:f", ["cannot import 'mine.net'"]),
    ],
)
def test_a_model_that_fails(run: Command, modules: Path, model: str, parts: list[str]) -> None:
    refused(run("score", "synflow", "--model", model, "--input", "12"), *parts)


def test_the_factory_is_seeded(run: Command, modules: Path) -> None:
    def score(*options: str) -> str:
        code, out, error = run("score", "synflow", "--model", "mine:net", "--input", "12", *options)
        assert code == 0, error
        return out

    assert score("--seed", "0", "--initialisation", "3") == score("--seed", "0", "--initialisation", "3")
    assert score() == score("--seed", "0", "--initialisation", "0")
    assert len({score(), score("--seed", "1"), score("--initialisation", "1")}) == 3


@pytest.mark.parametrize(
    "shape",
    [
        "3x32x²",
        "٣x32",
        "3x" + "9" * 5000,
        "999999999x999999999",
        "3x100000x100000",
        "0x3",
        "-3",
        "x",
        "",
        "x".join("1" * 90),
    ],
)
def test_inputs_that_are_none(run: Command, modules: Path, shape: str) -> None:
    refused(run("score", "synflow", "--model", "mine:net", "--input", shape), "input")


def test_inputs_are_bounded() -> None:
    assert parse_shape("3X32x32") == (3, 32, 32)
    with pytest.raises(ConfigurationError, match="are too large"):
        random_inputs((LARGEST_INPUT,), 2, 0)
    assert random_inputs((2, 3), 4, 0).shape == (4, 2, 3)


@pytest.mark.parametrize("text", ["", "²", "٣", "1_0", "+1", "-1", " 1", "1.0", "0x1", "1" * 10, "9" * 5000])
def test_texts_that_are_no_whole_number(text: str) -> None:
    assert whole_number(text) is None


SPACES = """
import sys
from torch import nn
from zcproxy.space import ChoiceSpace

class Plain(ChoiceSpace):
    name = "plain"
    choices = {"width": (2, 3, 4, 5)}
    def build(self, architecture, input_shape, classes):
        width = self.decode(architecture)["width"]
        return nn.Sequential(nn.Flatten(), nn.Linear(144, width), nn.Linear(width, classes))

class Building(Plain):
    def build(self, architecture, input_shape, classes):
        raise OSError("no weights")

class Enumerating(Plain):
    def enumerate(self):
        return {}["none"]

class Pruning(Plain):
    def prune(self, architecture):
        sys.exit(0)

class Making(Plain):
    def __init__(self):
        raise StopIteration("nothing to make")

def digits():
    raise KeyError("no digits")

class Items(list):
    def __getitem__(self, index):
        raise OSError("a lost image")

def items():
    return Items([1, 2]), Items([1, 2])
"""


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize(
    ("space", "dataset", "parts"),
    [
        ("Building", "digits", ["no weights", "own.py, line 15"]),
        ("Enumerating", "digits", ["KeyError: 'none'", "own.py, line 19"]),
        ("Pruning", "digits", ["sys.exit(0)", "own.py, line 23"]),
        ("Making", "digits", ["StopIteration: nothing to make", "own.py, line 27"]),
        ("Plain", "own:digits", ["KeyError: 'no digits'", "own.py, line 30"]),
        ("Plain", "own:items", ["a lost image", "own.py, line 34"]),
    ],
)
def test_a_space_or_dataset_that_fails(
    run: Command,
    modules: Path,
    monkeypatch: pytest.MonkeyPatch,
    space: str,
    dataset: str,
    parts: list[str],
    workers: str,
) -> None:
    (modules / "own.py").write_text(SPACES)
    monkeypatch.delitem(sys.modules, "own", raising=False)
    words = ("--networks", "3", "--seeds", "1", "--epochs", "1", "--workers", workers, "--out", "b")
    refused(run("benchmark", "build", "--space", f"own:{space}", "--dataset", dataset, *words), *parts)
    assert not (modules / "b").exists()


TASKS = """
from zcproxy import get_task

class Own:
    name = "own_task:Own"
    failing = ""
    def __init__(self):
        self.digits = get_task("digits201")
    def __getattr__(self, name):
        if name == self.failing:
            raise OSError("it is lost")
        return getattr(self.digits, name)

class Batch(Own):
    name, failing = "own_task:Batch", "batch"
class Labels(Own):
    name, failing = "own_task:Labels", "labels"
class Building(Own):
    name = "own_task:Building"
    def build(self, architecture):
        raise OSError("it is lost")
class Making(Own):
    name = "own_task:Making"
    def __init__(self):
        raise MemoryError
"""


@pytest.mark.parametrize("name", ["Batch", "Labels", "Making", "Building"])
def test_a_task_that_fails(run: Command, modules: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (modules / "own_task.py").write_text(TASKS)
    monkeypatch.delitem(sys.modules, "own_task", raising=False)
    for workers in ("1", "2") if name == "Building" else ("1",):
        code, out, error = run("score", "sum(std(weight))", f"own_task:{name}", "--networks", "5", "--workers", workers)
        assert (code, out) == (2, "")
        last = error.strip().splitlines()[-1]
        assert "own_task.py, line" in last
        assert "Traceback" not in error
