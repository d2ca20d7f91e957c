"""Toolboxes of users: the examples of the documentation, worker processes, and one line for each mistake."""

from __future__ import annotations

import importlib
import random
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from zcproxy.errors import ConfigurationError
from zcproxy.evolve import Configuration, Limits, evolve, resume
from zcproxy.evolve.directory import RunDirectory
from zcproxy.user_code.permission import one_command

LIMITS = Limits(generations=4)
GUIDE = Path(__file__).parents[2] / "docs" / "evolve.md"

MINE = """
import random
from deap import base, gp, tools
from zcproxy.evolve import limits
from zcproxy.formula import Kind
from zcproxy.evolve.deap.primitives import TYPES

bare = base.Toolbox()

def lacking(toolbox, primitives):
    toolbox.unregister("mate")

def nothing(toolbox, primitives):
    return 3

def failing(toolbox, primitives):
    raise KeyError("mine")

def replaced(name, function):
    def change(toolbox, primitives):
        toolbox.register(name, function, primitives)
    return change

def of_layers(primitives, individual):
    individual[0:] = primitives.tree(primitives.choices.generate(Kind.LAYER, random, 3))
    return individual,

def large(primitives, individual):
    sum_ = next(node for node in primitives.primitives[TYPES[Kind.NETWORK]] if node.name == "add"
                and all(each is TYPES[Kind.NETWORK] for each in node.args))
    tree = list(individual)
    for _ in range(6):
        tree = [sum_, *tree, *primitives.tree(primitives.choices.generate(Kind.NETWORK, random, 5))]
        tree = [sum_, *tree, *tree]
    individual[0:] = tree
    return individual,

def raising(primitives, *arguments, **named):
    return 1 // 0

def leaving(primitives, individual):
    raise SystemExit(0)

kind = replaced("mutate", of_layers)
size = replaced("mutate", large)
error = replaced("mutate", raising)
error_mate = replaced("mate", raising)
error_select = replaced("select", raising)
error_expr = replaced("expr", raising)
exit = replaced("mutate", leaving)
alone = replaced("mutate", lambda primitives, individual: individual)
one = replaced("mate", lambda primitives, first, second: (first,))
text = replaced("mutate", lambda primitives, individual: (str(individual),))
none = replaced("mutate", lambda primitives, individual: None)
broken = replaced("mutate", lambda primitives, individual: (individual.clear() or individual,))
foreign = replaced("mutate", lambda primitives, individual: (gp.PrimitiveTree([gp.Terminal("x", True, object)]),))
strangers = replaced("select", lambda primitives, individuals, k: [each.copied() for each in individuals])
fewer = replaced("survive", lambda primitives, individuals, k: individuals[:1])
short = replaced("evaluate", lambda primitives, individual: (1.0, 2.0))
words = replaced("evaluate", lambda primitives, individual: ("a", 1.0, 2.0, 3.0))
full = replaced("expr", lambda primitives, **named: gp.genFull(primitives, 2, 2, TYPES[Kind.CHANNEL_MATRIX]))

def grows(toolbox, primitives):
    toolbox.register("mutate", gp.mutUniform, expr=toolbox.expr_mut, pset=primitives)
    toolbox.decorate("mutate", *limits(primitives))
    toolbox.register("select", tools.selTournament, tournsize=3)
    toolbox.register("survive", tools.selSPEA2)

def undefined(toolbox, primitives):
    ours = toolbox.evaluate
    toolbox.register("evaluate", lambda individual: (float("nan"), *ours(individual)[1:]))

def short_formulas(toolbox, primitives):
    ours = toolbox.evaluate
    def evaluate(individual):
        worst, mean, size, cost = ours(individual)
        return -float(individual.score.size), mean, size, cost
    toolbox.register("evaluate", evaluate)

whole = None
def remember(toolbox, primitives):
    global whole
    whole = toolbox
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The user's module, in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.delitem(sys.modules, "operators_of_mine", raising=False)
    (tmp_path / "operators_of_mine.py").write_text(MINE)
    return importlib.import_module("operators_of_mine")


@pytest.fixture
def guide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The module of the documentation, in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    (tmp_path / "mine.py").write_text(next(block for block in blocks if block.startswith("# mine.py")))
    return tmp_path


def hall(run: Path) -> dict[int, str]:
    state = RunDirectory(run).load_state()
    assert state is not None
    return state.hall


def run_of(configuration: Configuration, run: Path, cache: Path, **named: object) -> dict[int, str]:
    evolve(configuration, LIMITS, run, cache=cache, **named)  # type: ignore[arg-type]
    return hall(run)


def test_the_mutation_of_the_documentation_runs(small: Configuration, column_cache: Path, guide: Path) -> None:
    importlib.import_module("mine")
    module = sys.modules["mine"]
    ours = run_of(small, guide / "ours", column_cache)
    one = run_of(small, guide / "one", column_cache, toolbox=module.toolbox)
    random.seed(99)
    two = run_of(small, guide / "two", column_cache, toolbox="mine:toolbox", workers=2)
    assert one == two != ours
    assert RunDirectory(guide / "one").configuration() == replace(small, toolbox="mine:toolbox")


def test_the_other_examples_of_the_documentation_run(guide: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    rest = [block for block in blocks if "tree_of(" in block]
    assert len(rest) == 1
    subprocess.run([sys.executable, "-c", rest[0]], check=True, cwd=guide)


def test_a_run_names_code_that_is_executed_only_if_allowed(
    small: Configuration, column_cache: Path, guide: Path
) -> None:
    with one_command():
        evolve(replace(small, toolbox="mine:toolbox"), LIMITS, guide / "run", cache=column_cache)
    found = hall(guide / "run")
    with one_command(), pytest.raises(ConfigurationError, match="names code, mine:toolbox: nothing of a file is"):
        resume(guide / "run", generations=6, cache=column_cache)
    with one_command():
        resume(guide / "run", generations=6, cache=column_cache, allow_code=["mine:toolbox"])
    assert hall(guide / "run") != found


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("bare", "toolbox operators_of_mine:bare lacks the entry 'expr': register it"),
        ("lacking", "toolbox operators_of_mine:lacking lacks the entry 'mate': register it"),
        ("nothing", "returned a int, not a deap.base.Toolbox"),
        ("failing", r"toolbox operators_of_mine:failing failed: KeyError: 'mine' \(operators_of_mine.py, line "),
        ("random", "toolbox operators_of_mine:random is a module, not a function"),
        ("absent", "'operators_of_mine' has no 'absent'"),
        ("kind", "'mutate' of toolbox operators_of_mine:kind returned a tree of kind Layer, not Network"),
        (
            "size",
            r"'mutate' of .*:size returned a formula of \d+ nodes, more than maximum_size=30: decorate it",
        ),
        ("error", r"'mutate' of toolbox operators_of_mine:error failed: ZeroDivisionError.*operators_of_mine.py, line"),
        ("error_mate", "'mate' of toolbox operators_of_mine:error_mate failed: ZeroDivisionError"),
        ("error_select", "'select' of toolbox operators_of_mine:error_select failed: ZeroDivisionError"),
        ("error_expr", "'expr' of toolbox operators_of_mine:error_expr failed: ZeroDivisionError"),
        ("exit", "'mutate' of toolbox operators_of_mine:exit failed: it leaves the program"),
        ("alone", "'mutate' of .* returned a Individual, not a list or tuple"),
        ("one", "'mate' of .* returned 1 where 2 are expected"),
        ("text", "'mutate' of .* returned a str, not a tree"),
        ("none", "'mutate' of .* returned a NoneType, not a list or tuple"),
        ("broken", "'mutate' of .* returned a tree that consists of 0 parts"),
        ("foreign", "'mutate' of .* returned .*'x' is no part of the language"),
        ("strangers", "'select' of .* returned something that is none of the individuals"),
        ("fewer", r"'survive' of .* returned 1 where 20 are expected"),
        ("short", "'evaluate' of .* returned 2 where 4 are expected"),
        ("words", "'evaluate' of .* returned objectives that are not numbers"),
        ("full", "'expr' of .* failed: IndexError: The gp.generate function tried to add"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_operator(
    small: Configuration, column_cache: Path, mine: ModuleType, tmp_path: Path, name: str, message: str
) -> None:
    before = random.getstate()
    with pytest.raises(ConfigurationError, match=message) as caught:
        evolve(small, LIMITS, tmp_path / "run", cache=column_cache, toolbox=f"operators_of_mine:{name}")
    assert len(str(caught.value)) < 500 and "\n" not in str(caught.value)
    assert random.getstate() == before


def test_a_mistake_in_a_worker_process_names_the_operator(
    small: Configuration, column_cache: Path, mine: ModuleType, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match="'mutate' of toolbox operators_of_mine:error failed"):
        evolve(small, LIMITS, tmp_path / "run", cache=column_cache, workers=2, toolbox="operators_of_mine:error")


@pytest.mark.parametrize("name", ["grows", "undefined", "short_formulas"])
def test_operators_of_deap_run(
    small: Configuration, column_cache: Path, mine: ModuleType, tmp_path: Path, name: str
) -> None:
    found = run_of(small, tmp_path / "run", column_cache, toolbox=getattr(mine, name))
    assert len(found) > 2 and found == run_of(small, tmp_path / "again", column_cache, toolbox=getattr(mine, name))


def test_objectives_of_one_s_own_decide_what_survives(
    small: Configuration, column_cache: Path, mine: ModuleType, tmp_path: Path
) -> None:
    sizes = []
    for name in (None, mine.short_formulas):
        run_of(small, tmp_path / str(name)[:9], column_cache, toolbox=name)
        journal = RunDirectory(tmp_path / str(name)[:9]).journal()
        sizes.append(sum(logbook[-1]["size"]["mean"] for logbook in journal[-1]["logbooks"]))
    assert sizes[1] < sizes[0]


def test_a_whole_toolbox_may_be_given(
    small: Configuration, column_cache: Path, mine: ModuleType, tmp_path: Path
) -> None:
    run_of(small, tmp_path / "first", column_cache, toolbox=mine.remember)
    assert mine.whole is not None
    evolve(small, LIMITS, tmp_path / "run", cache=column_cache, toolbox=mine.whole)
    assert RunDirectory(tmp_path / "run").configuration().toolbox == "operators_of_mine:whole"


@pytest.mark.parametrize("make", [lambda: lambda toolbox, primitives: None, object, dict])
def test_what_no_module_has_under_a_name_is_refused(
    small: Configuration, tmp_path: Path, make: Callable[[], object]
) -> None:
    with pytest.raises(ConfigurationError, match="is not found by name: worker processes import it"):
        evolve(small, LIMITS, tmp_path, toolbox=make())  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "mine", "mine.py:f", "mine:f(1)", ":", "a b:c"])
def test_a_reference_of_another_form_is_refused(small: Configuration, tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"write .*:"):
        evolve(small, LIMITS, tmp_path, toolbox=text)
