"""A bar in a notebook: how much of some work is done, and a line below; it needs no widgets."""

from __future__ import annotations

import html
import sys
import time
from typing import Any

from zcproxy.text.visible import shortened, visible

LEAST_SECONDS = 0.2
"""Seconds between two updates: a notebook redraws the cell for each."""

LONGEST = 160
"""Characters of a line."""

WIDTH = 30
"""Signs of a bar as text."""


def in_notebook() -> bool:
    """Whether a kernel of Jupyter runs this, which shows HTML and replaces what it has shown."""
    module = sys.modules.get("IPython")
    shell = None if module is None else module.get_ipython()
    return shell is not None and hasattr(shell, "kernel")


class Bar:
    """One output of a cell, which is replaced as the work goes on.

    Shown as HTML, and as text where a notebook is converted; what remains at the end is the last line.
    """

    def __init__(self) -> None:
        self._handle: Any = None
        self._work = ("", 0, 0)
        self._line = ""
        self._shown = 0.0

    def step(self, what: str, done: int, total: int) -> None:
        """Show how much of some work is done."""
        if total:
            self._work = (what, done, total)
            self._show(is_due=done in (0, total))

    def note(self, line: str) -> None:
        """Show a line below the bar, in the place of the one before."""
        self._line = line
        self._show(is_due=True)

    def close(self) -> None:
        """Leave the last line alone."""
        if self._handle is not None:
            self._work = ("", 0, 0)
            self._show(is_due=True)

    def _repr_html_(self) -> str:
        what, done, total = self._work
        bar = ""
        if total:
            bar = (
                f'<div>{_escaped(what)} <progress value="{done}" max="{total}"></progress> {done:,} of {total:,}</div>'
            )
        return f"{bar}<div>{_escaped(self._line)}</div>"

    def __repr__(self) -> str:
        what, done, total = self._work
        full = WIDTH * done // total if total else 0
        bar = [f"{visible(what)} [{'#' * full}{'.' * (WIDTH - full)}] {done:,} of {total:,}"] if total else []
        return "\n".join([*bar, visible(shortened(self._line, LONGEST))])

    def _show(self, *, is_due: bool) -> None:
        now = time.monotonic()
        if not is_due and now - self._shown < LEAST_SECONDS:
            return
        self._shown = now
        if self._handle is None:
            from IPython.display import display  # type: ignore[import-not-found,unused-ignore]

            self._handle = display(self, display_id=True)  # type: ignore[no-untyped-call,unused-ignore]
        else:
            self._handle.update(self)


def _escaped(text: str) -> str:
    return html.escape(visible(shortened(text, LONGEST)))
