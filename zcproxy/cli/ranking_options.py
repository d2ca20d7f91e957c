"""The options that `zcproxy score` and `zcproxy table` share: which networks are drawn, and how they are measured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zcproxy.cli.options import MOST_NETWORKS

Networks = Annotated[
    int | None,
    typer.Option(min=2, max=MOST_NETWORKS, help="Networks to draw from each task; 1,000, or all of fewer."),
]
Population = Annotated[str, typer.Option(help="Architectures to draw from: all or pruned.")]
SamplingOption = Annotated[str, typer.Option(help="uniform, or stratified by FLOPs.")]
UnseenBy = Annotated[
    list[Path] | None, typer.Option(help="Run directory whose networks, and their equivalents, are left out.")
]
