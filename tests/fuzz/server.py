"""A process that has imported zcproxy and forks for every command, so that each starts in milliseconds.

It reads a request a line, `Request` as JSON, and answers with `Finished` as JSON. A child has a folder, an environment,
limits and a process group of its own. The server is single-threaded and computes nothing itself; orphans of a child
come to it (it is their subreaper), so that it knows when the last one has ended.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import io
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from importlib.metadata import entry_points
from typing import Any, TextIO

PATIENCE = 20.0
"""Seconds that a process has to end once it was asked to."""

SHOWN = 1_000_000
"""Bytes of an output that are looked at."""

_SCRIPT = os.path.join(os.path.dirname(sys.executable), "zcproxy")

_PR_SET_CHILD_SUBREAPER = 36
_GIB = 1 << 30


@dataclass(frozen=True)
class Request:
    """A command to run.

    Attributes:
        arguments: of the command line `zcproxy`, or of the function.
        folder: where it runs.
        stdout: file for its standard output.
        stderr: file for its standard error.
        environment: variables to set.
        function: `module:name` of a function that is called in place of the command line.
        seconds: after so many it is sent SIGTERM; if that does not help, SIGKILL.
        memory: bytes of address space beyond those of the server; 0 for no limit.
        signals: (seconds after the start, number, whether the whole group gets it), in order.
    """

    arguments: list[str]
    folder: str
    stdout: str
    stderr: str
    environment: dict[str, str] = field(default_factory=dict)
    function: str = ""
    seconds: float = 60.0
    memory: int = 6 * _GIB
    signals: list[tuple[float, int, bool]] = field(default_factory=list)


@dataclass(frozen=True)
class Finished:
    """How a command ended.

    Attributes:
        code: the exit status, or minus the number of the signal that ended it.
        seconds: wall time from the start to the end of the process itself.
        timed_out: whether it was stopped for being late.
        obeyed: whether SIGTERM was enough for that.
        after_signal: seconds from the last signal that met it alive to its end; -1 without one.
        signalled: how many signals met it alive.
        left_behind: whether processes of the group were still there, `PATIENCE` seconds after the end.
        out: standard output.
        err: standard error.
    """

    code: int
    seconds: float
    timed_out: bool
    obeyed: bool
    after_signal: float
    signalled: int
    left_behind: bool
    out: str = ""
    err: str = ""


def serve(requests: TextIO, answers: TextIO) -> None:
    """Answer requests until there are no more."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    main = _command_line()
    _warm(main)
    gc.collect()
    gc.freeze()
    answers.write("ready\n")
    answers.flush()
    for line in requests:
        request = Request(**json.loads(line))
        answers.write(json.dumps(asdict(_run(request, main))) + "\n")
        answers.flush()


def _command_line() -> Callable[[], Any]:
    """Return what the installed command `zcproxy` calls."""
    (script,) = entry_points(group="console_scripts", name="zcproxy")
    return script.load()


def _warm(main: Callable[[], Any]) -> None:
    """Run a command that computes nothing, so that what it imports late is imported once."""
    sys.argv = ["zcproxy", "score", "unknown-proxy", "digits201"]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        _exit_code(main)


def _run(request: Request, main: Callable[[], Any]) -> Finished:
    child = os.fork()
    if child == 0:
        code = 70
        try:
            code = _in_child(request, main)
        finally:
            os._exit(code)
    return _watched(child, request)


def _in_child(request: Request, main: Callable[[], Any]) -> int:
    os.setsid()
    os.chdir(request.folder)
    null = os.open(os.devnull, os.O_RDONLY)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    for target, source in ((0, null), (1, os.open(request.stdout, flags)), (2, os.open(request.stderr, flags))):
        os.dup2(source, target)
    sys.stdin = io.TextIOWrapper(io.FileIO(0), encoding="utf-8")
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w")), encoding="utf-8", errors="strict")
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(io.FileIO(2, "w")), encoding="utf-8", errors="backslashreplace", line_buffering=True
    )
    os.environ.update(request.environment)
    if request.memory:
        with open("/proc/self/statm", encoding="ascii") as statm:
            used = int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (used + request.memory, resource.RLIM_INFINITY))
    sys.argv = ["zcproxy", *request.arguments]
    # Workers import `__main__` when they start: that is the installed script, as in a command line of its own.
    sys.modules["__main__"].__dict__.update(__spec__=None, __file__=_SCRIPT)
    code = _exit_code(main if not request.function else lambda: _call(request))
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    return code


def _call(request: Request) -> None:
    """Call a function of the suite; errors of zcproxy end as they do on the command line."""
    from zcproxy.errors import ZcproxyError

    module, _, name = request.function.partition(":")
    try:
        getattr(importlib.import_module(module), name)(*request.arguments)
    except ZcproxyError as error:
        sys.stderr.write(f"zcproxy: {error}\n")
        sys.exit(error.exit_code)


def _exit_code(action: Callable[[], Any]) -> int:
    """Return the exit status that Python has after an action, with the traceback it prints."""
    try:
        sys.exit(action())
    except SystemExit as error:
        if error.code is None or isinstance(error.code, int):
            return (error.code or 0) & 0xFF
        sys.stderr.write(f"{error.code}\n")
        return 1
    except KeyboardInterrupt:
        traceback.print_exc()
        return 130
    except BaseException:  # noqa: BLE001  (what the interpreter itself does at the end)
        traceback.print_exc()
        return 1


def _watched(child: int, request: Request) -> Finished:
    started = time.monotonic()
    due = [(float(moment), int(number), bool(group)) for moment, number, group in request.signals]
    due += [(request.seconds, signal.SIGTERM, True), (request.seconds + PATIENCE, signal.SIGKILL, True)]
    sent: list[float] = []
    descriptor = os.pidfd_open(child)
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    for moment, number, whole_group in due:
        if poll.poll(max(0.0, 1000 * (started + moment - time.monotonic()))):
            break
        with suppress(ProcessLookupError):
            (os.killpg if whole_group else os.kill)(child, number)
        sent.append(time.monotonic())
    else:
        poll.poll(1000 * PATIENCE)
    ended = time.monotonic()
    os.close(descriptor)
    _, status = os.waitpid(child, 0)
    late = len(sent) - len(request.signals)
    return Finished(
        code=os.waitstatus_to_exitcode(status),
        seconds=ended - started,
        timed_out=late > 0,
        obeyed=late == 1,
        after_signal=ended - sent[-1] if sent else -1.0,
        signalled=len(sent),
        left_behind=not _reap_group(child),
        out=_read(request.stdout),
        err=_read(request.stderr),
    )


def _reap_group(group: int) -> bool:
    """Wait for all processes of a group; return whether they ended by themselves in time."""
    by_themselves = True
    last = time.monotonic() + PATIENCE
    while True:
        try:
            found, _ = os.waitpid(-group, os.WNOHANG)
        except ChildProcessError:
            return by_themselves
        if found == 0:
            time.sleep(0.02)
        if time.monotonic() > last and by_themselves:
            by_themselves = False
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)


def _read(path: str) -> str:
    with open(path, "rb") as stream:
        return stream.read(SHOWN).decode("utf-8", "backslashreplace")


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what an import prints must not mix with the answers
    serve(sys.stdin, answers)
