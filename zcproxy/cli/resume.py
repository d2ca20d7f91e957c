"""The check that `--resume` is not combined with an option that it would ignore."""

from __future__ import annotations

from collections.abc import Collection

import typer

from zcproxy.cli.config_file import PLACE
from zcproxy.errors import ConfigurationError


def typed(context: typer.Context) -> dict[str, str]:
    """Return the parameters that were given: the name of each, and what the user calls it.

    Given is what was typed, and what `--config` names a file of that is not the default: files write defaults down too.
    """
    found = {}
    for parameter in context.command.params:
        if parameter.name is None or context.params.get(parameter.name) in (None, [], ()):
            continue
        is_of_file = (
            _source(context, parameter.name) == "DEFAULT_MAP" and context.params[parameter.name] != parameter.default
        )
        if is_typed(context, parameter.name) or is_of_file:
            is_option = parameter.param_type_name == "option"
            called = parameter.opts[0] if is_option else f"the {parameter.name}"
            found[parameter.name] = f"{called} of {context.meta[PLACE]}" if is_of_file else called
    return found


def is_typed(context: typer.Context, name: str) -> bool:
    """Return whether a parameter was typed, not read from a file."""
    return _source(context, name) == "COMMANDLINE"


def _source(context: typer.Context, name: str) -> str:
    return getattr(context.get_parameter_source(name), "name", "")


def check_resuming(context: typer.Context, allowed: Collection[str], extending: str) -> None:
    """Raise `ConfigurationError` if an option was given that --resume would ignore.

    Args:
        context: context of the command.
        allowed: names of parameters that it can.
        extending: the options that make a run longer.
    """
    given = typed(context)
    unwanted = [text for name, text in given.items() if name not in allowed]
    if unwanted:
        without = ", ".join(unwanted)
        raise ConfigurationError(
            f"--resume continues the run as it was: leave {without} out; {extending} may be given, to extend it"
        )
