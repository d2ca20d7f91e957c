"""What tests of several parts share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from zcproxy.cli.app import main

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

# Machines differ in speed, so no example has a deadline; with CI set, every run draws the same examples.
settings.register_profile("zcproxy", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("zcproxy")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def real_data() -> Iterator[Path]:
    """The folder of published measurements: ZCPROXY_DATA, else `shared/data` beside the repository, else a skip."""
    directory = Path(os.environ.get("ZCPROXY_DATA") or SHARED_DATA)
    if not directory.is_dir():
        pytest.skip(f"real data not found: set ZCPROXY_DATA to its folder ({directory} does not exist)")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZCPROXY_DATA", str(directory))
        yield directory


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
