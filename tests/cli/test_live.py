"""What a terminal shows while a run goes on: bars, and the hall of fame with tau on the validation networks."""

from __future__ import annotations

import io
import math
import re

import pytest
from rich.console import Console

from zcproxy.cli import display
from zcproxy.cli.terminal import PlainConsole
from zcproxy.evolve.directory import State
from zcproxy.evolve.standing import Standing

HALL = [
    Standing(1, "depth", 0.3, 0.31, 0.25, 0.0),
    Standing(2, "sum(params)", 0.2, 0.21, 0.2, 0.0),
    Standing(5, "sum(log(params))", 0.5, 0.51, math.nan, 0.0),
]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    file = io.StringIO()
    shown = PlainConsole(file=file, force_terminal=True, width=100, height=30)
    monkeypatch.setattr(display, "console", shown)
    return file


def text_of(*items: object) -> str:
    file = io.StringIO()
    Console(file=file, width=100).print(*items)
    return file.getvalue()


def test_the_hall_of_fame_shows_what_no_smaller_formula_equals() -> None:
    shown = text_of(display.standings_table(HALL, "generation 5", 10))
    assert "generation 5" in shown and "validation tau" in shown
    assert re.search(r"1 +0\.310 +0\.250 +depth", shown) and re.search(r"5 +0\.510 +- +sum\(log", shown)
    assert "sum(params)" not in shown
    assert "depth" not in text_of(display.standings_table(HALL, "", 1))


def test_a_terminal_has_it_while_the_run_goes_on_and_not_at_the_end(terminal: io.StringIO) -> None:
    with display.RunDisplay() as shown:
        shown.step("measuring digits201", 0, 4)
        shown.step("measuring digits201", 4, 4)
        shown.standing(lambda: HALL)
        shown.evolving(State([], [], epoch=1, generations=5, evaluations=1234), "depth", 0.5, 61.0)
        during = terminal.getvalue()
        assert "generation 5, 1,234 formulas, 1:01 left" in during and "sum(log(params))" in during
        shown.saying("one line more")
        assert "one line more" in terminal.getvalue()[len(during) :]
    last = terminal.getvalue()[len(during) :].rpartition("one line more")[2]
    assert "measuring digits201" in last and "4/4" in last
    assert last.count("sum(log(params))") <= 1  # drawn again below the line, and then removed
    assert "sum(log(params))" not in last.rpartition("\x1b[2K")[2]


def test_nothing_moves_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.StringIO()
    monkeypatch.setattr(display, "console", PlainConsole(file=file, force_terminal=False, width=60))
    with display.RunDisplay() as shown:
        for done in range(5):
            shown.step("measuring digits201", done, 4)
        shown.standing(lambda: HALL)
        shown.evolving(State([], [], epoch=1, generations=5, evaluations=1234), "depth", 0.5, None)
    assert "\x1b" not in file.getvalue()
    first, second = file.getvalue().splitlines()
    assert first == "measuring digits201: 4 of 4, 0:00"
    assert second.startswith("generation    5      1,234 formulas  training tau 0.500") and "sum(log(params))" in second
