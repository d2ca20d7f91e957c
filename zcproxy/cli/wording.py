"""Messages of the library in the words of the command line: arguments become options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_OTHERWISE = {
    "formula": "--proxy",
    "limits": "--limit",
    "maximized": "--maximize",
    "minimized": "--minimize",
    "seconds": "--budget",
}
"""Arguments of the library that options have another name for."""

_MENTION = re.compile(r"`(?P<name>[a-z_]+)`|(?<![\w.'\"/])(?P<given>[a-z_]+)=(?=\S)")


def options_of(command: Any) -> dict[str, str]:
    """Return what users write for the parameters of a command of typer, and of those below it."""
    found = dict(_OTHERWISE)
    for below in getattr(command, "commands", {}).values():
        found.update(options_of(below))
    for parameter in command.params:
        if parameter.param_type_name == "option" and parameter.name is not None:
            found.setdefault(parameter.name, parameter.opts[0])
    return found


def in_options(message: str, options: Mapping[str, str]) -> str:
    """Return a message with `networks=3` and `networks` in backquotes as the options that stand for them."""

    def written(mention: re.Match[str]) -> str:
        option = options.get(mention["name"] or mention["given"])
        if option is None:
            return mention[0]
        return option if mention["name"] else f"{option} "

    return _MENTION.sub(written, message)
