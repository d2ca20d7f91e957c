"""The command line as data: every command with its options and arguments, read from the program itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True)
class Parameter:
    """An option or argument.

    Attributes:
        name: of the Python parameter.
        flags: how it is written, such as `--out`; empty for an argument.
        kind: `integer`, `number`, `text`, `path`, `truth`.
        required: whether it must be given.
        several: whether it may be given several times.
        words: words of its description: some of them are values.
    """

    name: str
    flags: tuple[str, ...]
    kind: str
    required: bool
    several: bool
    words: tuple[str, ...]


@dataclass(frozen=True)
class Command:
    """A command: its words and parameters."""

    path: tuple[str, ...]
    parameters: tuple[Parameter, ...]


@cache
def commands() -> tuple[Command, ...]:
    """Return all commands."""
    from zcproxy.cli.commands import PLACES, program

    whole = program()
    return tuple(found for name in PLACES for found in _commands((name,), whole.load(name)))


def _commands(path: tuple[str, ...], command: Any) -> Iterator[Command]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield Command(path, tuple(_parameter(each) for each in command.params if each.name != "help"))
        return
    for name, each in inner.items():
        yield from _commands((*path, name), each)


def _parameter(found: Any) -> Parameter:
    described = getattr(found, "type_descriptor", None)  # click's `type` in older versions of typer
    kind = str(getattr(described, "annotation", None) or found.type.name)
    kinds = {"bool": "truth", "int": "integer", "float": "number", "Path": "path", "path": "path"}
    short = next((kinds[word] for word in kinds if word in kind), "text")
    is_option = found.param_type_name == "option"
    words = re.findall(r"[A-Za-z0-9_@/:.-]+", f"{getattr(found, 'help', '')} {getattr(found, 'metavar', '')}")
    several = bool(found.multiple) or found.nargs == -1
    flags = (*found.opts, *found.secondary_opts) if is_option else ()
    return Parameter(str(found.name), flags, short, bool(found.required), several, tuple(words))
