"""Progress without a terminal: plain lines, and a bar in a notebook."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest

import zcproxy
from zcproxy.callbacks import Progress
from zcproxy.callbacks.lines import Lines, clock


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """What the clock shows."""
    now = {"seconds": 100.0}
    monkeypatch.setattr("time.monotonic", lambda: now["seconds"])
    return now


def test_a_line_is_said_now_and_then_and_at_the_end(time: dict[str, float]) -> None:
    said: list[str] = []
    lines = Lines(said.append, every=15)
    for done in range(0, 1001, 100):
        lines.step("measuring", done, 1000)
        time["seconds"] += 5
    assert said == [
        "measuring: 300 of 1,000, 0:35 left",
        "measuring: 600 of 1,000, 0:20 left",
        "measuring: 900 of 1,000, 0:05 left",
        "measuring: 1,000 of 1,000, 0:50",
    ]
    lines.step("nothing", 0, 0)
    lines.step("other", 0, 2)
    assert len(said) == 4


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (3599, "59:59"), (7322, "2:02:02")])
def test_times_are_written_as_clocks_show_them(seconds: float, text: str) -> None:
    assert clock(seconds) == text


class Kernel:
    """A kernel of Jupyter, as far as a bar can tell: it keeps what its one output showed."""

    def __init__(self) -> None:
        self.kernel = self
        self.shown: list[str] = []

    def display(self, item: Any, display_id: bool) -> Kernel:
        assert display_id
        self.update(item)
        return self

    def update(self, item: Any) -> None:
        self.shown.append(item._repr_html_())
        assert repr(item)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    found = Kernel()
    module, display = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    module.get_ipython = lambda: found  # type: ignore[attr-defined]
    display.display = found.display  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", module)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return found


def test_a_notebook_gets_one_output_that_changes(
    kernel: Kernel, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, cache = zcproxy.Plan(networks=12, resamples=20), tmp_path / "cache"
    zcproxy.table("digits201", ["sum(params)"], plan, cache=cache, observer=Progress())
    assert 'value="0" max="12"' in kernel.shown[0] and 'value="12" max="12"' in kernel.shown[-1]
    assert capsys.readouterr().err == ""
    progress = Progress()
    progress.step("<script>", 1, 1)
    progress.saying("a & b\x1b[2J")
    assert "&lt;script&gt;" in kernel.shown[-1] and "a &amp; b\\x1b[2J" in kernel.shown[-1]


def test_without_a_notebook_it_is_a_line_on_standard_error(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    small: dict[str, Any] = {"networks": 24, "test_networks": 10, "probes": ("noise",), "islands": 1, "island_size": 20}
    configuration = zcproxy.Configuration(("digits201",), **small)
    zcproxy.evolve(
        configuration, zcproxy.Limits(generations=5), tmp_path / "r", cache=tmp_path / "c", observer=Progress()
    )
    captured = capsys.readouterr()
    assert captured.out == "" and "zcproxy: measuring digits201: 24 of 24" in captured.err
    (line,) = (each for each in captured.err.splitlines() if "generation" in each)
    assert "generation    5" in line and "training tau" in line and "  validation " in line
