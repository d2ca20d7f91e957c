"""The report of a run, of a table or of a search: which one a folder holds, and the file that is written."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from zcproxy.errors import RunError
from zcproxy.evolve import directory as evolve_directory
from zcproxy.extras import extra
from zcproxy.storage.cache_directory import default_cache
from zcproxy.storage.files import check_target, write_text

PAGE = "report.html"
"""The page of a run, in its directory."""
SEARCH = "search.json"
TABLE = "table.csv"


def check_installed(what: str) -> None:
    """Raise `ConfigurationError` before any work if a package that pages need is not installed."""
    with extra("report", what):
        import jinja2 as jinja2
        import matplotlib as matplotlib


def write_report(
    path: Path, out: Path | None = None, *, cache: Path | None = None, say: Callable[[str], object] | None = None
) -> Path:
    """Write the page of a run, and return where it is. Nothing else in the folder is changed.

    Args:
        path: the folder of a run of evolution, of a search, or of a table (`table --out`).
        out: the file to write; `report.html` in the folder if None.
        cache: the cache directory, which has the columns of a run of evolution; the default one if None.
        say: called with what the page lacks, and why; None for nobody.

    Raises:
        ConfigurationError: a package is missing, or a plugin of the run is not loaded.
        RunError: the folder holds nothing to report, or a file in it is missing or damaged.
        StorageError: the page cannot be written, or would have more than 3 MB.
    """
    check_installed("a report")
    place = path / PAGE if out is None else out
    page_of = _page_of(path, cache or default_cache(), say)
    check_target(place)
    write_text(place, page_of(path))
    return place


def _page_of(path: Path, cache: Path, say: Callable[[str], object] | None) -> Callable[[Path], str]:
    """Return what makes the page of a folder. Raises `RunError` for one that holds nothing to report."""
    from zcproxy.reporting.evolve_page import evolve_page
    from zcproxy.reporting.table_page import table_page

    if os.path.lexists(path / evolve_directory.CONFIGURATION):
        return partial(evolve_page, cache=cache, say=say)
    if os.path.lexists(path / SEARCH):
        from zcproxy.reporting.search_page import search_page

        return search_page
    if os.path.lexists(path / TABLE):
        return table_page
    what = "is not a folder" if not path.is_dir() else "holds no run of evolve, no search and no table"
    raise RunError(
        f"{path} {what} (no {evolve_directory.CONFIGURATION}, {SEARCH} or {TABLE}): name a folder that one of these "
        "commands has written"
    )
