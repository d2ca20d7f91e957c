"""The teacher that was chosen: the second network that formulas may read, by its reference and the digest of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_CHOSEN = ContextVar("teacher", default="")


def chosen_teacher() -> str:
    """Return `package.module:factory#digest`; empty where no teacher was chosen."""
    return _CHOSEN.get()


def choose_teacher(token: str) -> None:
    """Let formulas read this teacher from now on, in this process or for the rest of a command; empty for none."""
    _CHOSEN.set(token)


@contextmanager
def teaching(token: str) -> Iterator[None]:
    """Let formulas read this teacher inside."""
    before = _CHOSEN.set(token)
    try:
        yield
    finally:
        _CHOSEN.reset(before)
