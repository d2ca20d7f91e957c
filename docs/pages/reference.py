"""The reference of the public names: a page per group of `write_api.GROUPS`, from the docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from importlib import import_module

from sphinx.application import Sphinx
from sphinx.ext.napoleon import Config, GoogleDocstring
from sphinx.util.inspect import stringify_signature

from write_api import GROUPS

from . import written

_ROW = re.compile(r"^\| `(zcproxy[.\w]*)` \|", re.MULTILINE)
_OVERVIEW = "api"


def pages() -> dict[str, str]:
    """Return the pages by their path."""
    return {f"{_path(title)}.md": _page(title, module, names) for title, (module, names) in GROUPS.items()}


def listed(app: Sphinx, docname: str, source: list[str]) -> None:
    """Link the names of the overview, `api.md`, to their entries, and put the pages below it."""
    if docname == _OVERVIEW:
        linked = _ROW.sub(r"| {py:obj}`\1` |", source[0])
        contents = written.toctree(*(f"{written.FOLDER}/{_path(title)}" for title in GROUPS))
        source[0] = written.page(linked, contents)


def _path(title: str) -> str:
    return f"reference/{re.sub(r'[^a-z]+', '-', title.lower())}"


def _page(title: str, module: str, names: Sequence[str]) -> str:
    entries = (_entry(module, name) for name in names)
    return written.page(f"# {title}", *("\n".join(["```{eval-rst}", *entry, "```"]) for entry in entries))


def _entry(module: str, name: str) -> list[str]:
    """Return the directive of a name; a package that is called like a function is described as the function."""
    found = getattr(import_module(module), name)
    full = f"{module}.{name}"
    if inspect.ismodule(found):
        return _called(full, getattr(found, name))
    if inspect.isclass(found):
        return [f".. autoclass:: {full}", "   :members:", "   :member-order: bysource"]
    return [f".. autofunction:: {full}"]


def _called(full: str, function: object) -> list[str]:
    """Return the entry of a package that can be called: its name is a module, which `autofunction` refuses."""
    assert callable(function)
    signature = stringify_signature(inspect.signature(function), show_annotation=False)
    docstring = inspect.getdoc(function) or ""
    lines = GoogleDocstring(docstring, Config(napoleon_use_rtype=False)).lines()
    return [f".. py:function:: {full}{signature}", "", *(f"   {line}".rstrip() for line in lines)]
