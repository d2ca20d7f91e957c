"""The terminal as the project writes to it: text of a file or a name is shown as it is and commands nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from zcproxy.text.visible import visible


class PlainConsole(Console):
    r"""A console without markup and emoji codes that shows every character that has no sign of its own escaped.

    A line break in a string is escaped too: print several lines as several strings, with `sep="\n"`.

    Attributes:
        shows_progress: whether bars and lines of progress are shown, see `--quiet`.
    """

    shows_progress = True

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, markup=False, emoji=False, highlight=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a string as rich text: all strings come here, those in cells and titles of tables too."""
        return super().render_str(visible(text), **{**options, "markup": False, "emoji": False})

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield what is written, rich's own control codes apart, without any from a text."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment("\n".join(map(visible, segment.text.split("\n"))), segment.style)


console = PlainConsole(stderr=True)
"""Standard error: progress, remarks and errors."""

FILE_WIDTH = 1000
"""Characters per line of results that go to a file or pipe, where `COLUMNS` does not say otherwise."""


def results(*, is_taken: bool = False) -> PlainConsole:
    """Return where results are shown: standard output, or standard error where that has them in another form.

    Args:
        is_taken: whether standard output has them in another form.
    """
    if is_taken:
        return console
    is_narrow = sys.stdout.isatty() or os.environ.get("COLUMNS")
    return PlainConsole(width=None if is_narrow else FILE_WIDTH)
