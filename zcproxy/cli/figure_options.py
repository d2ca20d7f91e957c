"""The options for figures: `--figure`, and for tables `--figure-kind`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from zcproxy.cli.terminal import console

Figure = Annotated[
    list[Path] | None,
    typer.Option(
        "--figure",
        metavar="FILE.pdf|FILE.svg|FILE.png",
        help="Figure of the result, of a column's width; may be given again.",
    ),
]
FigureKind = Annotated[
    list[str] | None,
    typer.Option(
        "--figure-kind",
        help="forest (tau with intervals), heatmap (tasks and proxies), agreement (of proxies with each other) or "
        "scatter (scores against accuracies): once for all figures or once for each; forest for one task and heatmap "
        "for several if not given.",
    ),
]


def say_figures(paths: Iterable[Path]) -> None:
    """Show which figures were written."""
    for path in paths:
        console.print(f"written: {path}", soft_wrap=True)
