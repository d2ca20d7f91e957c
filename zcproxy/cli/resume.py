"""The check that `--resume` is not combined with an option that it would ignore."""

from __future__ import annotations

from collections.abc import Collection

import typer

from zcproxy.errors import ConfigurationError


def typed(context: typer.Context) -> dict[str, str]:
    """Return the parameters that were given on the command line: the name of each, and what the user calls it."""
    found = {}
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        given = context.params.get(parameter.name or "") not in (None, [], ())
        if parameter.name is not None and given and source is not None and source.name == "COMMANDLINE":
            is_option = parameter.param_type_name == "option"
            found[parameter.name] = parameter.opts[0] if is_option else f"the {parameter.name}"
    return found


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
