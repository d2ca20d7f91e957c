"""Ctrl-C and SIGTERM: answered at once, with one line, no traceback, no process and no half of a file left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from zcproxy.workers.interrupt import answering
from zcproxy.workers.pool import worker_pool

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals to a group of processes")

COMMAND = [sys.executable, "-m", "zcproxy"]
SLOW = 20.0
"""Seconds that an answer may take on a machine that does much else; it takes a few tenths on an idle one."""


def alive(group: int) -> list[str]:
    """Return the processes of a group that are not zombies."""
    found = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, group_of, *_ = place.read_text().rpartition(") ")[2].split()
        except OSError:  # it has ended
            continue
        if int(group_of) == group and state not in "ZX":
            found.append(place.parent.name)
    return found


def stopped(
    folder: Path, command: list[str], number: signal.Signals, when: Callable[[], bool], seconds: float = 120.0
) -> tuple[int, str]:
    """Send a signal to the group of a command as soon as something is so; return its exit code and last words."""
    environment = {**os.environ, "ZCPROXY_CACHE": str(folder / "cache"), "COLUMNS": "200"}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        limit = time.monotonic() + seconds
        while not when() and process.poll() is None and time.monotonic() < limit:
            time.sleep(0.02)
        os.killpg(process.pid, number)
        error = process.communicate(timeout=SLOW)[1]
        assert process.returncode is not None
        if sys.platform == "linux":
            limit = time.monotonic() + SLOW
            while alive(process.pid) and time.monotonic() < limit:
                time.sleep(0.05)
            assert alive(process.pid) == []
    assert list(folder.rglob("*.partial")) == []
    assert "Traceback" not in error and "Exception" not in error, error
    return process.returncode, error


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_while_the_command_line_is_imported(tmp_path: Path, number: signal.Signals, code: int) -> None:
    started = time.monotonic()
    found, error = stopped(tmp_path, [*COMMAND, "evolve"], number, lambda: time.monotonic() > started + 0.5)
    assert (found, error) == (code, "zcproxy: stopped: give the same command again\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_run_says_how_it_goes_on(tmp_path: Path, workers: str) -> None:
    words = ["evolve", "--networks", "300", "--generations", "1000", "--out", "my run", "--workers", workers]
    measured = tmp_path / "cache" / "columns"
    code, error = stopped(tmp_path, [*COMMAND, *words], signal.SIGINT, lambda: any(measured.glob("*/*.arrow")))
    assert code == 130
    assert error.splitlines()[-1] == "zcproxy: stopped: zcproxy evolve --resume 'my run' continues it"


def test_a_table_goes_on_with_the_same_command(tmp_path: Path) -> None:
    words = ["table", "digits201", "--networks", "400", "--workers", "2"]
    measured = tmp_path / "cache" / "columns"
    code, error = stopped(tmp_path, [*COMMAND, *words], signal.SIGTERM, lambda: any(measured.glob("*/*.arrow")))
    assert code == 143
    assert error.splitlines()[-1] == "zcproxy: stopped: the same command continues where it stopped"


DEAF = """
import sys, time
from zcproxy.workers.interrupt import advise, answering
with answering():
    advise("the next line")
    print("ready", file=open("ready", "w"))
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass
"""


def test_what_does_not_listen_is_ended(tmp_path: Path) -> None:
    found = stopped(tmp_path, [sys.executable, "-c", DEAF], signal.SIGINT, (tmp_path / "ready").exists)
    assert found == (130, "zcproxy: stopped: the next line\n")


def test_handlers_are_put_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with answering():
        assert signal.getsignal(signal.SIGINT) is not before[0]
        with answering():
            pass
        assert signal.getsignal(signal.SIGTERM) is not before[1]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_an_exception_ends_running_workers_at_once() -> None:
    def fail() -> None:
        with worker_pool(2) as executor:
            assert executor is not None
            executor.submit(os.getpid).result()
            executor.submit(time.sleep, 600)
            raise KeyError("failed")

    started = time.monotonic()
    with pytest.raises(KeyError):
        fail()
    assert time.monotonic() - started < 120
