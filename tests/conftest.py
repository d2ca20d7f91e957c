"""What tests of several parts share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import no_terminal as no_terminal
import pytest
import torch
from hypothesis import settings
from made_tables import write_tables

import zcproxy.primitives  # noqa: F401  # the words of the language, whichever test runs alone
from zcproxy.cli.app import main

# Machines differ in speed, so no example has a deadline; with CI set, every run draws the same examples.
settings.register_profile("zcproxy", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("zcproxy")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of published measurements, which ZCPROXY_DATA names; without it, a skip."""
    named = os.environ.get("ZCPROXY_DATA")
    if not named or not Path(named).is_dir():
        reason = f"it names {named}, which is not a folder" if named else "it is not set"
        pytest.skip(f"compares with published files: set ZCPROXY_DATA to their folder ({reason})")
    return Path(named)


@pytest.fixture(scope="session")
def _made_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("made")
    write_tables(directory)
    return directory


@pytest.fixture
def made_data(_made_tables: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory with a table for every task, whose labels are made up; it has no images."""
    monkeypatch.setenv("ZCPROXY_DATA", str(_made_tables))
    return _made_tables


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., tuple[int, str, str]]:
    """Run a command in an empty folder with a cache of its own; returns exit code, standard output and error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("ZCPROXY_CACHE", str(tmp_path / "cache"))

    def command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["zcproxy", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        captured = capsys.readouterr()
        return int(stopped.value.code or 0), captured.out, captured.err

    return command
