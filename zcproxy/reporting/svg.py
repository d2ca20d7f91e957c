"""Figures of matplotlib as SVG inside a page: in the colours of the page, with texts that show on hovering."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as Xml

from markupsafe import Markup

from zcproxy.extras import extra
from zcproxy.text.visible import shortened, visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, GRID, FIRST, SECOND, PAPER = ("#010101", "#020202", "#030303", "#040404", "#050505", "#060606")
"""What figures are drawn with; each stands for a colour of the page's style, light or dark."""

LONGEST_HINT = 600
"""Most characters of a text that shows on hovering."""

_COLOURS = {INK: "ink", MUTED: "muted", GRID: "grid", FIRST: "first", SECOND: "second", PAPER: "paper"}
_COLOUR = re.compile("|".join(_COLOURS))
_FONT = re.compile(r"font-family: [^;]*; ")
_DIGITS = re.compile(r"(\.[0-9]{2})[0-9]+")
_STYLE: Any = {
    "svg.fonttype": "none",
    "font.size": 9.0,
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.titlesize": 9.0,
    "figure.facecolor": "none",
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.unicode_minus": True,
}
_POINTS = ("use", "path")
_SVG, _LINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"


@contextmanager
def figure(width: float, height: float, left: float = 0.8) -> Iterator[tuple[Figure, Axes]]:
    """Yield a figure with one pair of axes in the page's style, to be drawn (`as_svg`) within the block.

    The margins are fixed: layouts that measure texts draw everything twice.

    Args:
        width: in inches, of 72 pixels each where the page has room for them.
        height: in inches.
        left: inches that the labels on the left have.

    Raises:
        ConfigurationError: matplotlib is not installed.
    """
    with extra("report", "the figures of a report"):
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    with rc_context(_STYLE):
        drawn = Figure(figsize=(width, height))
        below, above, right = 0.5, 0.3, 0.12
        place = (left / width, below / height, 1 - (left + right) / width, 1 - (below + above) / height)
        yield drawn, drawn.add_axes(place)


def as_svg(drawn: Figure, name: str, label: str, hints: Mapping[str, Sequence[str]] | None = None) -> Markup:
    """Return a figure as an `svg` element.

    Args:
        drawn: the figure.
        name: distinct on the page: all ids begin with it.
        label: what it shows, for readers that do not see it.
        hints: by the `gid` of a collection of points, the text of each point, in their order.
    """
    from matplotlib import rc_context

    stream = io.BytesIO()
    with rc_context({"svg.hashsalt": name}):
        drawn.savefig(stream, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    root = Xml.fromstring(stream.getvalue())
    for gid, texts in (hints or {}).items():
        _add_hints(root, gid, texts)
    _plain(root, name)
    root.attrib = {
        "viewBox": root.attrib["viewBox"],
        "role": "img",
        "aria-label": visible(label),
        "style": f"max-width:{float(root.attrib['viewBox'].split()[2]) * 1.65:.0f}px",
    }
    return Markup(Xml.tostring(root, encoding="unicode"))


def _add_hints(root: Xml.Element, gid: str, texts: Sequence[str]) -> None:
    group = next(element for element in root.iter(f"{_SVG}g") if element.get("id") == gid)
    defined = {id(inner) for element in group.iter(f"{_SVG}defs") for inner in element.iter()}
    points = [
        element for element in group.iter() if element.tag.removeprefix(_SVG) in _POINTS and id(element) not in defined
    ]
    for element, text in zip(points, texts, strict=True):
        title = Xml.Element(f"{_SVG}title")
        title.text = visible(shortened(text, LONGEST_HINT))
        element.insert(0, title)


def _plain(root: Xml.Element, name: str) -> None:
    """Take away what is not of the figure, put the page's colours in, and let all ids begin with a name."""
    for parent in list(root.iter()):
        for element in list(parent):
            if element.tag.removeprefix(_SVG) in ("metadata", "style"):  # that style is for whole documents
                parent.remove(element)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        element.attrib = {
            key.removeprefix(_LINK): _attribute(key.removeprefix(_LINK), value, name)
            for key, value in element.attrib.items()
        }


def _attribute(key: str, value: str, name: str) -> str:
    if key == "id":
        return f"{name}-{value}"
    if key == "href":
        return f"#{name}-{value.removeprefix('#')}"
    if key == "clip-path":
        return value.replace("url(#", f"url(#{name}-")
    if key == "style":
        return _FONT.sub("", _COLOUR.sub(lambda found: f"var(--{_COLOURS[found[0]]})", value))
    return _DIGITS.sub(r"\1", value)
