"""The pages of the site that nobody writes by hand: a Sphinx extension.

Before Sphinx looks for pages, this writes into `generated/`: the reference of the public names, the gallery of proxies,
and the READMEs of results and benchmarks. While it reads pages, links that leave the folder of the documentation are
pointed at those, or at the repository.
"""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from . import gallery, reference, repository, written


def setup(app: Sphinx) -> dict[str, Any]:
    """Register what writes pages and what changes them as they are read."""
    app.connect("builder-inited", _write)
    app.connect("env-before-read-docs", _spread)
    app.connect("source-read", repository.pointed)
    app.connect("source-read", reference.listed)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _write(app: Sphinx) -> None:
    pages = {**reference.pages(), **gallery.pages(), **repository.pages()}
    written.write(app.srcdir / written.FOLDER, pages)


def _spread(app: Sphinx, environment: BuildEnvironment, names: list[str]) -> None:
    """Put notebooks far apart among the pages to read: processes share these in runs, and a notebook takes long."""
    notebooks = [name for name in names if name.startswith("tutorials/") and name != "tutorials/index"]
    others = [name for name in names if name not in notebooks]
    apart = len(names) // max(1, len(notebooks))
    for place, name in enumerate(notebooks):
        others.insert(place * apart, name)
    names[:] = others
