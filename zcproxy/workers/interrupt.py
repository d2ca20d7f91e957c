"""Ctrl-C and SIGTERM: the command stops within a second, with one line that says how to continue.

The signal raises `Stopped` in the main thread, so that open files are closed and what is half-written is deleted. Where
that does not end the command in time (a long computation outside of Python), a thread ends the process; files are
renamed into their place when they are whole, so nothing is torn.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.util
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

GRACE = 0.4
"""Seconds that a command has to close what is open."""

AGAIN = "give the same command again"
GOES_ON = "the same command continues where it stopped"


class Stopped(BaseException):
    """The user, or the system, stops the command. No `Exception`: no handler takes it for a failure."""


class _Command:
    """The command that runs in this process.

    Attributes:
        is_answering: whether signals are handled.
        signal: the one that stops it; 0 for none.
        is_held: whether a signal waits for the end of what must not be cut.
        was_said: whether its last line was written.
        advice: how to continue.
        state: the file without which nothing can be continued, None where there always is.
    """

    def __init__(self) -> None:
        self.is_answering = self.is_held = self.was_said = False
        self.signal = 0
        self.advice = AGAIN
        self.state: Path | None = None

    def say(self) -> None:
        """Write the last line, once, past whatever holds the stream."""
        if not self.was_said:
            self.was_said = True
            advice = self.advice if self.state is None or self.state.exists() else AGAIN
            shown = "".join(character if character.isprintable() else "?" for character in advice)
            cursor = "\x1b[?25h" if os.isatty(2) else ""  # a bar of progress hides it
            os.write(2, f"{cursor}zcproxy: stopped: {shown}\n".encode(errors="backslashreplace"))

    def end(self) -> NoReturn:
        """End the process without what the interpreter does at its end, which takes torch half a second."""
        for child in multiprocessing.active_children():
            child.kill()
        multiprocessing.util._run_finalizers(0)  # type: ignore[attr-defined]  # or its resource tracker warns of semaphores that are left
        self.say()
        os._exit(128 + self.signal)


_COMMAND = _Command()


def advise(advice: str, state: Path | None = None) -> None:
    """Say how to continue if the command is stopped from now on.

    Args:
        advice: in one line.
        state: a file without which nothing can be continued.
    """
    _COMMAND.advice, _COMMAND.state = advice, state


@contextmanager
def held() -> Iterator[None]:
    """Let a signal wait until the block ends."""
    _COMMAND.is_held = True
    try:
        yield
    finally:
        _COMMAND.is_held = False
    if _COMMAND.signal:
        raise Stopped


@contextmanager
def answering() -> Iterator[None]:
    """Answer signals while a command runs: the process ends, with 130 after SIGINT and 143 after SIGTERM."""
    if _COMMAND.is_answering or threading.current_thread() is not threading.main_thread():
        yield
        return
    _COMMAND.__init__()  # type: ignore[misc]
    _COMMAND.is_answering = True
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    known = {number: signal.signal(number, _stop) for number in (signal.SIGINT, signal.SIGTERM)}
    woken = signal.set_wakeup_fd(writes, warn_on_full_buffer=False)
    watch = threading.Thread(target=_watch, args=(reads,), daemon=True)
    watch.start()
    try:
        yield
    except BaseException:
        if not _COMMAND.signal:
            raise
    finally:
        _COMMAND.is_answering = False
        if not _COMMAND.signal:  # otherwise what ends the interpreter is watched too
            signal.set_wakeup_fd(woken)
            for number, handler in known.items():
                signal.signal(number, handler)
            os.close(writes)
            watch.join()
    if _COMMAND.signal:
        _COMMAND.end()


def _stop(number: int, frame: FrameType | None) -> None:
    """Stop the command: the first signal counts."""
    if not _COMMAND.signal:
        _COMMAND.signal = number
        sys.unraisablehook = lambda unraisable: None  # where Python drops `Stopped`, `_watch` ends the process
        if not _COMMAND.is_held:
            raise Stopped


def _watch(reads: int) -> None:
    """Wait for a signal, then end the process if it does not end by itself."""
    received = b""
    while not set(received).intersection((signal.SIGINT, signal.SIGTERM)):
        received = os.read(reads, 1)
        if not received:
            os.close(reads)
            return
    threading.Event().wait(GRACE)
    _COMMAND.signal = received[0]
    _COMMAND.end()
