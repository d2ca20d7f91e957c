"""Options of a search space on the command line."""

from __future__ import annotations

from typing import Annotated

import typer

SpaceOption = Annotated[list[str] | None, typer.Option(help="Option of the space, such as channels=6 or size=tiny.")]
