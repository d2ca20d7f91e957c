"""Progress callbacks: one count for a single job, with its name before it where there are several."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with the number of units done and the number to do."""

Step = Callable[[str, int, int], None]
"""Called with what is being done, then as `Progress`."""


def silent(done: int, total: int) -> None:
    """Show nothing: the progress that is not watched."""
