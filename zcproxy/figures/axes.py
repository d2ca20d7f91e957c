"""Axes that results are drawn into."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zcproxy.extras import extra
from zcproxy.text.escaping import plain
from zcproxy.text.visible import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LONGEST = 60
"""Characters of a label."""


def axes_or_new(axes: Axes | None) -> Axes:
    """Return the axes to draw into: those given, or the ones of a new figure, which a notebook shows.

    Raises:
        ConfigurationError: matplotlib is not installed.
    """
    if axes is not None:
        return axes
    with extra("figures", "a plot"):
        from matplotlib import pyplot
    _, made = pyplot.subplots(layout="constrained")
    return made


def finish(axes: Axes, *, title: str, across: str, up: str = "") -> Axes:
    """Name axes whose texts may come from users, and return them."""
    axes.set_title(label(title, 2 * LONGEST), fontsize="medium", parse_math=False, wrap=True)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.grid(alpha=0.25)
    return axes


def label(text: str, longest: int = LONGEST) -> str:
    """Return a text of a user as a label, without what matplotlib typesets."""
    return shortened(plain(text), longest).replace("$", r"\$")
