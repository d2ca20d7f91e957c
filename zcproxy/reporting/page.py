"""A page from its template: every text is escaped, and what has no sign of its own shows as in Python."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from zcproxy.errors import StorageError
from zcproxy.text.visible import visible

if TYPE_CHECKING:
    from jinja2 import Environment

LARGEST_PAGE = 3_000_000
"""Bytes of a page."""


def render(template: str, **content: Any) -> str:
    """Return a page.

    Args:
        template: name of the file beside this one.
        content: what the template names; texts in it are escaped, `Markup` is not.

    Raises:
        StorageError: the page is larger than `LARGEST_PAGE`.
    """
    page = _environment().get_template(template).render(content)
    size = len(page.encode())
    if size > LARGEST_PAGE:
        raise StorageError(f"the page has {size / 1e6:.1f} MB, more than {LARGEST_PAGE / 1e6:g}: the run is too large")
    return page


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    found = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters["block"] = _block
    return found


def _block(text: str) -> Markup:
    """Return a text of several lines, escaped."""
    return Markup("\n").join(Markup.escape(visible(line)) for line in text.splitlines())


def _shown(value: Any) -> Any:
    """Return a value as it may be shown."""
    if value is None:
        return ""
    return value if isinstance(value, Markup) else visible(str(value))
