"""Options of a search space on the command line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from zcproxy.contracts.choice_space import Option
from zcproxy.errors import ConfigurationError
from zcproxy.text.whole_numbers import whole_number

SpaceOption = Annotated[list[str] | None, typer.Option(help="Option of the space, such as channels=6 or size=tiny.")]


def parse_options(texts: Iterable[str]) -> dict[str, Option]:
    """Return the options written `name=number` or `name=word`. Raises `ConfigurationError`."""
    found: dict[str, Option] = {}
    for text in texts:
        name, _, written = text.partition("=")
        number = whole_number(written)
        if not name.isidentifier() or (number is None and not written.isidentifier()):
            raise ConfigurationError(
                f"cannot read the space option '{text:.80}': write for example channels=6 or size=tiny"
            )
        if name in found:
            raise ConfigurationError(f"the space option '{name:.80}' is given twice")
        found[name] = written if number is None else number
    return found
