"""The border to code of users: whatever it raises becomes one line that names their file and line."""

from __future__ import annotations

import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType

from zcproxy.errors import ModelError, ZcproxyError
from zcproxy.user_code.permission import own_names

LONGEST_REASON = 200
"""Characters of a user's exception that a message repeats."""

_ROOTS: set[str] = set()
"""The top-level modules that references were resolved in."""

_LIBRARIES = tuple({path for name, path in sysconfig.get_paths().items() if name.endswith(("stdlib", "lib"))})


def note_module(name: str) -> None:
    """Remember that a module holds code of the user."""
    root = name.partition(".")[0]
    if root != "zcproxy":
        _ROOTS.add(root)


@contextmanager
def running(what: str, kind: type[ZcproxyError] = ModelError) -> Iterator[None]:
    """Report whatever code of a user raises inside.

    Args:
        what: begins the message: what failed.
        kind: class of the error.

    Raises:
        ModelError: or another `kind`, for every exception, and for leaving the program, that is not a `ZcproxyError`.
    """
    with own_names():
        try:
            yield
        except ZcproxyError:
            raise
        except (Exception, SystemExit) as error:  # code of a user raises anything, and may call sys.exit
            raise kind(f"{what}: {_reason(error)}") from error


@contextmanager
def own_failures() -> Iterator[None]:
    """Report what is raised by methods of a user's space, task or network; a failure of zcproxy itself passes.

    Raises:
        ModelError: the exception came through a module that a reference was resolved in.
    """
    try:
        yield
    except ZcproxyError:
        raise
    except (Exception, SystemExit) as error:
        if not any(_root(frame) in _ROOTS for frame, _ in _frames(error.__traceback__)):
            raise
        raise ModelError(f"your code failed: {_reason(error)}") from error


def _reason(error: BaseException) -> str:
    """Return the message of an exception, its kind where that says more, and where in the user's files it arose."""
    text = " ".join(str(error).split())
    if len(text) > LONGEST_REASON:
        text = text[:LONGEST_REASON] + "..."
    if isinstance(error, SystemExit):
        text = f"it leaves the program with sys.exit({error.code!r:.40})"
    elif not isinstance(error, RuntimeError | OSError | ImportError) or not text:
        text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    if isinstance(error, SyntaxError):
        return text  # says file and line itself
    own = [(frame, line) for frame, line in _frames(error.__traceback__) if _is_own(frame)]
    if not own:
        return text
    frame, line = own[-1]
    return f"{text} ({_shown(frame.f_code.co_filename)}, line {line})"


def _frames(trace: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while trace is not None:
        yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next


def _root(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _is_own(frame: FrameType) -> bool:
    """Whether the code of a frame is the user's: of a module named in a reference, or one that it imports."""
    installed = frame.f_code.co_filename.startswith(("<", *_LIBRARIES))
    return _root(frame) in _ROOTS or (_root(frame) != "zcproxy" and not installed)


def _shown(file: str) -> str:
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file
