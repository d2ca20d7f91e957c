"""The kinds of figures of tables, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zcproxy.errors import ConfigurationError, check_known
from zcproxy.figures import check_figures, save
from zcproxy.ranking.figures.agreement import agreement
from zcproxy.ranking.figures.forest import forest
from zcproxy.ranking.figures.heatmap import heatmap
from zcproxy.ranking.figures.scatter import scatter
from zcproxy.ranking.table import TaskTable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS: Mapping[str, Callable[[Sequence[TaskTable]], Figure]] = {
    "forest": forest,
    "heatmap": heatmap,
    "agreement": agreement,
    "scatter": scatter,
}
"""What draws each kind."""


def figures_asked(paths: Sequence[Path], kinds: Sequence[str], tasks: int) -> dict[Path, str]:
    """Return the kind of each figure, before the work that they show.

    Args:
        paths: files, see `check_figures`.
        kinds: one for all, or one for each in turn; none for a forest plot of one task and a heat map of several.
        tasks: how many tasks the tables have.

    Raises:
        ConfigurationError: a kind is unknown, kinds and figures do not pair, or as `check_figures`.
        StorageError: no file can be written to a path.
    """
    for kind in kinds:
        check_known("kind of figure", kind, KINDS)
    if (len(kinds) > 1 and len(kinds) != len(paths)) or (kinds and not paths):
        raise ConfigurationError(
            f"{len(kinds)} kinds for {len(paths)} figures: give `figure_kind` once for all figures, or once for each"
        )
    check_figures(paths)
    each = list(kinds) or ["forest" if tasks == 1 else "heatmap"]
    return dict(zip(paths, each * len(paths) if len(each) == 1 else each, strict=True))


def draw(asked: Mapping[Path, str], tables: Sequence[TaskTable]) -> None:
    """Write the figures of some tables. Raises `StorageError`."""
    for path, kind in asked.items():
        save(KINDS[kind](tables), path)
