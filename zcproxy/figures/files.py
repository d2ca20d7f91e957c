"""Files of figures: their names are checked before the work, and their bytes depend on what is drawn alone."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zcproxy.errors import ConfigurationError
from zcproxy.extras import check_extra
from zcproxy.figures.style import styled
from zcproxy.storage.files import check_target, replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METADATA: Mapping[str, Mapping[str, str | None]] = {
    ".pdf": {"CreationDate": None, "Creator": "zcproxy"},
    ".svg": {"Date": None, "Creator": "zcproxy"},
    ".png": {"Software": "zcproxy"},
}
"""What is written about a file, by its ending: no date."""

DOTS_PER_INCH = 300


def check_figures(paths: Sequence[Path]) -> None:
    """Refuse figures that cannot be written, before the work that they show.

    Raises:
        ConfigurationError: an ending is unknown, a path is named twice, or matplotlib is not installed.
        StorageError: no file can be written to a path.
    """
    for path in paths:
        if path.suffix.lower() not in METADATA:
            raise ConfigurationError(f"cannot draw {path}: give the file of a figure the ending .pdf, .svg or .png")
        if paths.count(path) > 1:
            raise ConfigurationError(f"the figure {path} is named twice: give each a file of its own")
        check_target(path)
    if paths:
        check_extra("figures", "a figure", "matplotlib")


def save(figure: Figure, path: Path) -> None:
    """Write a figure in the format that the ending of a path names. Raises `StorageError`."""
    ending = path.suffix.lower()
    with styled(), replacing(path) as temporary, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a name in a script without a font: boxes
        figure.savefig(temporary, format=ending[1:], dpi=DOTS_PER_INCH, metadata=dict(METADATA[ending]))
