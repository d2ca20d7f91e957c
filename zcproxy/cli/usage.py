"""Usage errors of the command line as the project's own error: one line, not a box."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import typer
from typer.core import TyperGroup

from zcproxy.cli.config_file import PLACE
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
        file = "" if context is None else _file_of(getattr(error, "param", None), context)
        raise ConfigurationError(f"{file}{message.rstrip('.')}; see {path} --help") from error


def _file_of(parameter: Any, context: Any) -> str:
    """Return what stands before a message on a value of a file; nothing where the value was typed."""
    source = None if parameter is None else context.get_parameter_source(parameter.name)
    return f"{context.meta[PLACE]}: " if source is not None and source.name == "DEFAULT_MAP" else ""
