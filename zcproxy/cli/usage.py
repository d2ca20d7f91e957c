"""Usage errors of the command line as the project's own error: one line, not a box."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import typer
from typer.core import TyperGroup

from zcproxy.errors import ConfigurationError

_UsageError = cast("type[Exception]", typer.BadParameter.__mro__[1])
"""The exception of click for arguments that it cannot take; typer has no public name for it."""


class OneLineGroup(TyperGroup):
    """The commands of the program; raises `ConfigurationError` for arguments that they do not take."""

    def make_context(self, *args: Any, **options: Any) -> Any:
        with _usage_reported():
            return super().make_context(*args, **options)

    def invoke(self, ctx: Any) -> Any:
        with _usage_reported():
            return super().invoke(ctx)


@contextmanager
def _usage_reported() -> Iterator[None]:
    try:
        yield
    except _UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            raise
        context: Any = getattr(error, "ctx", None)
        path = "zcproxy" if context is None else context.command_path
        message = getattr(error, "format_message", error.__str__)()
        raise ConfigurationError(f"{message.rstrip('.')}; see {path} --help") from error
