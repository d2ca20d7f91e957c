"""The option `--images`, and the line that says what networks were shown."""

from __future__ import annotations

from typing import Annotated

import typer

from zcproxy.cli.display import console
from zcproxy.cli.wording import in_options
from zcproxy.images.image_sets import ImageSet

Images = Annotated[
    str,
    typer.Option(
        "--images",
        metavar="FOLDER|FILE.npz|MODULE:FUNCTION",
        help="Images for proxies that look at them; if not given, those at hand.",
    ),
]


def say_images(found: ImageSet | None) -> None:
    """Show what the networks were shown, and how to use other images; nothing where no proxy looks at images."""
    if found is not None:
        console.print(in_options(found.line, {"images": "--images"}), soft_wrap=True)
