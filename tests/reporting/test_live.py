"""`evolve --report` and `zcproxy report`, as users meet them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from zcproxy.evolve import Limits, evolve
from zcproxy.evolve.directory import RunDirectory, State
from zcproxy.evolve.observer import Silent
from zcproxy.reporting import live
from zcproxy.reporting.live import REFRESH_SECONDS, LiveReport
from zcproxy.reporting.report import PAGE, write_report

Run = Callable[..., tuple[int, str, str]]
Check = Callable[[str], str]
REFRESH = f'<meta http-equiv="refresh" content="{REFRESH_SECONDS}">'


NETWORKS = """
from torch import nn

def build(text):
    width = int(text)
    return nn.Sequential(nn.Conv2d(1, width, 3), nn.ReLU(), nn.Conv2d(width, 4, 3), nn.ReLU(), nn.Flatten(),
                         nn.Linear(16, 4))
"""
"""The file of a user."""


class Recorder(Silent):
    """Keeps the page as it is after every epoch, and what is said."""

    def __init__(self, page: Path) -> None:
        self.page = page
        self.pages: list[str] = []
        self.said: list[str] = []

    def seen(self) -> None:
        self.pages.append(self.page.read_text(encoding="utf-8"))

    def saying(self, text: str) -> None:
        self.said.append(text)


class Following(LiveReport):
    """A report whose page is recorded as soon as it is written."""

    def __init__(self, recorder: Recorder, path: Path, cache: Path) -> None:
        super().__init__(recorder, path, cache)
        self.recorder = recorder

    def evolving(self, state: State, formula: str, merit: float, seconds_left: float | None) -> None:
        super().evolving(state, formula, merit, seconds_left)
        self.recorder.seen()


def test_the_page_is_written_after_every_epoch_and_the_result_is_the_same(
    ended: Path, tmp_path: Path, page_cache: Path, checked: Check
) -> None:
    configuration, path = RunDirectory(ended).configuration(), tmp_path / "live"
    recorder = Recorder(path / PAGE)
    evolve(
        configuration, Limits(generations=15), path, cache=page_cache, observer=Following(recorder, path, page_cache)
    )
    assert len(recorder.pages) == 3 and not recorder.said
    for number, page in enumerate(recorder.pages, 1):
        text = checked(page)
        assert REFRESH in page and f"after generation {5 * number} of 15" in text
        assert "What each part contributes" in text and "Beside the controls" not in text
    assert (path / "best.json").read_text() == (ended / "best.json").read_text()
    write_report(path, cache=page_cache)
    assert REFRESH not in (path / PAGE).read_text(encoding="utf-8")


def test_a_page_that_cannot_be_written_does_not_stop_the_run(
    ended: Path, tmp_path: Path, page_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "live"
    path.mkdir()
    recorder = Recorder(path / PAGE)
    monkeypatch.setattr(live, "PAGE", "not/" * 2 + "x" * 300)
    configuration = RunDirectory(ended).configuration()
    observer = LiveReport(recorder, path, page_cache)
    result = evolve(configuration, Limits(generations=10), path, cache=page_cache, observer=observer)
    assert result.generations == 10
    assert [text.startswith("no report: cannot write") for text in recorder.said] == [True]


def test_the_option_and_the_command_write_the_same_page(run: Run, checked: Check) -> None:
    options = ["--networks", "20", "--test-networks", "12", "--probes", "noise", "--generations", "2", "--workers", "1"]
    code, out, shown = run("evolve", "digits201", *options, "--report", "--out", "run", "--json")
    assert code == 0, shown
    assert json.loads(out)["formula"] in checked(Path("run", PAGE).read_text(encoding="utf-8"))
    assert f"report: run/{PAGE}" in shown
    code, _, shown = run("report", "run", "--out", "again.html")
    assert code == 0 and "written: again.html" in shown
    assert Path("again.html").read_bytes() == Path("run", PAGE).read_bytes()
    code, _, shown = run("evolve", "--resume", "run", "--generations", "4", "--report", "--workers", "1")
    assert code == 0, shown
    assert Path("again.html").read_bytes() != Path("run", PAGE).read_bytes()


def test_the_page_opens_in_the_browser_where_that_is_asked_for(
    run: Run, tabled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def open_once(address: str) -> bool:
        opened.append(address)
        return len(opened) == 1

    monkeypatch.setattr("webbrowser.open", open_once)
    assert run("report", str(tabled))[0] == 0 and not opened
    code, _, shown = run("report", str(tabled), "--open")
    assert (code, opened) == (0, [(tabled / PAGE).resolve().as_uri()]) and "no browser" not in shown
    code, _, shown = run("report", str(tabled), "--open")
    assert code == 0 and "no browser could be opened" in shown


@pytest.mark.parametrize("arguments", [["nowhere"], ["."], ["file"]])
def test_what_is_no_run_is_one_line_and_exit_code_two(run: Run, arguments: list[str]) -> None:
    Path("file").write_text("x")
    code, out, shown = run("report", *arguments)
    assert (code, out) == (2, "") and len(shown.splitlines()) == 1 and shown.startswith("zcproxy: ")
    assert [path.name for path in Path().iterdir()] == ["file"]


def test_few_labels_of_own_networks_have_a_page_too(
    run: Run, tmp_path: Path, checked: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_nets.py").write_text(NETWORKS)
    monkeypatch.syspath_prepend(str(tmp_path))
    Path("labels.csv").write_text("".join(["architecture,accuracy\n", *(f"{n},{50 + n}\n" for n in range(2, 26))]))
    options = ["--input", "1x6x6", "--classes", "4", "--generations", "1", "--workers", "1", "--probes", "ones"]
    code, out, shown = run(
        *("evolve", "--models", "own_nets:build", "--labels", "labels.csv"), *options, "--out", "mine", "--report"
    )
    assert code == 0, shown
    text = checked(Path("mine", PAGE).read_text(encoding="utf-8"))
    formula = json.loads(Path("mine", "discovered.json").read_text())["formula"]
    assert formula in out.splitlines() and formula in text and "The choice by 24 labels" in text and "(chosen)" in text
    assert "How to reproduce" in text and "[evolve]\n" in text and 'models = "own_nets:build"\n' in text
    assert "not at hand" not in text and "Score against accuracy" not in text
    code, _, shown = run("report", "mine")
    assert code == 0 and "without some parts" in shown and "--allow-code own_nets:build" in shown
    assert formula in checked(Path("mine", PAGE).read_text(encoding="utf-8"))
    file = json.loads(Path("mine", "discovered.json").read_text())
    for name in file["provenance"]["discovered"]["taus_on_networks_left_out"]:
        assert name in text
    file["provenance"]["discovered"]["labels"] = "many"
    Path("mine", "discovered.json").write_text(json.dumps(file))
    code, _, shown = run("report", "mine", "--allow-code", "own_nets:build")
    assert code == 2 and "'labels' is \"many\"" in shown
