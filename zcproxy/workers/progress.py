"""The one progress protocol: how much of a job is done."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with the number of units done and the number to do."""


def silent(done: int, total: int) -> None:
    """Show nothing: the progress that nobody watches."""
