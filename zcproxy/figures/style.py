"""The style of every figure: sizes for a column of a paper, colours that everybody can tell apart."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from zcproxy.extras import extra
from zcproxy.text.escaping import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMN_WIDTH, TEXT_WIDTH = 3.3, 7.0
"""Widths of a column and of both, in inches."""

BLUE, ORANGE, GREEN, GREY, BLACK = "#0072B2", "#D55E00", "#009E73", "#8A8A8A", "#000000"
"""Colours that people with any colour vision can tell apart (Okabe and Ito 2008), and grey for what stands behind."""

DIVERGING = "RdBu"
"""Colours of a correlation: blue above 0, red below, white between (ColorBrewer, safe for colour-blind readers)."""

SMALL = 6.0
"""Size in points of numbers in cells and of secondary text."""

STYLE: Mapping[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same file everywhere
    "font.size": 7.0,
    "axes.titlesize": 7.0,
    "axes.labelsize": 7.0,
    "figure.titlesize": 7.0,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "legend.fontsize": 6.0,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "grid.linewidth": 0.4,
    "grid.alpha": 0.35,
    "lines.linewidth": 1.0,
    "axes.formatter.use_mathtext": True,
    "legend.frameon": False,
    "svg.hashsalt": "zcproxy",
    "pdf.fonttype": 42,  # fonts that journals accept
}


@contextmanager
def drawing(width: float, height: float) -> Iterator[Figure]:
    """Yield an empty figure, to be drawn inside the block in the project's style.

    Args:
        width: in inches.
        height: in inches.

    Raises:
        ConfigurationError: matplotlib is not installed.
    """
    with extra("figures", "a figure"):
        from matplotlib.figure import Figure
    with styled():
        yield Figure(figsize=(width, height), layout="constrained")


@contextmanager
def styled() -> Iterator[None]:
    """Apply the style inside the block: a figure is drawn and written in it."""
    import matplotlib as mpl

    settings: Any = dict(STYLE)  # its keys are a type of matplotlib's own, of hundreds of literals
    with mpl.rc_context(settings):
        yield


def wrapped(text: str, width: float) -> str:
    """Return a text in one line or more, of which each fits so many inches of the title's size; numbers stay whole."""
    held = re.sub(r"(?<=\bseed) (?=\d)|(?<=\d) (?=[a-z])", "\u00a0", plain(text))
    lines = textwrap.wrap(held, max(10, int(width / 0.054)), break_long_words=True)
    return "\n".join(lines).replace("\u00a0", " ")
