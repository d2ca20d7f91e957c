"""The option `--config`: options of a command from a TOML file. What is typed wins over the file."""

from __future__ import annotations

import tomllib
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import typer

from zcproxy.errors import ConfigurationError, unknown
from zcproxy.storage.files import cannot_read, open_regular
from zcproxy.text.visible import shortened
from zcproxy.user_code.permission import stored_from_here

PLACE, TYPED = "zcproxy.config", "zcproxy.typed"
"""Where the context of a command keeps the file that its options come from, and the arguments that were typed."""

CODE = ("plugin", "allow-code")
"""Options that are not taken from files: they permit code."""
_OTHERS = ("help", "version", "config")

LARGEST = 10**6
"""Bytes of a file of options."""
LONGEST = 40
"""Characters that messages show of a value."""

_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", Path: "a text"}


def read_config(context: typer.Context, place: Path | None) -> Path | None:
    """Take the options of a file as defaults of the command, and code that it names as code of a stored file.

    Raises:
        ConfigurationError: the file cannot be read, has an option that the command does not take, or a value of
            another type.
        StorageError: it may not be read.
    """
    if place is None or context.resilient_parsing:
        return place
    context.default_map = {**(context.default_map or {}), **_options_in(_read(place), place, context)}
    context.meta[PLACE] = str(place)
    stored_from_here(place, context.meta.get(TYPED, ()))
    return place


Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE.toml",
        callback=read_config,
        is_eager=True,
        expose_value=False,
        help="File of options by name, such as run.toml in the directory of a run; what is typed wins.",
    ),
]


def keys_of(command: Any) -> dict[str, Any]:
    """Return the parameters of a command by each name that a file may have for them, in the form of `key_of`."""
    found = {}
    for parameter in command.params:
        is_option = parameter.param_type_name == "option"
        for text in (*parameter.opts, *parameter.secondary_opts) if is_option else [parameter.name]:
            found[key_of(text.lstrip("-"))] = parameter
    return {key: parameter for key, parameter in found.items() if key not in (*CODE, *_OTHERS)}


def key_of(written: str) -> str:
    """Return a name as options have it: with hyphens."""
    return written.replace("_", "-")


def names_of(context: typer.Context) -> list[str]:
    """Return the names of a command and of the groups around it, without the program's: `benchmark`, `build`."""
    found: list[str] = []
    level: Any = context
    while level.parent is not None:
        found.insert(0, str(level.info_name))
        level = level.parent
    return found


def _read(place: Path) -> dict[str, Any]:
    try:
        with open_regular(place) as stream:
            content = stream.read(LARGEST + 1)
    except FileNotFoundError as error:
        raise ConfigurationError(f"--config {place} does not exist") from error
    except OSError as error:
        raise cannot_read(place, error) from error
    if len(content) > LARGEST:
        raise ConfigurationError(f"{place} is not a file of options: it has more than {LARGEST:,} bytes")
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # of UTF-8, of TOML, of numbers of thousands of digits
        raise ConfigurationError(f"{place} is not TOML: {shortened(str(error), 100)}") from error


def _options_in(content: Mapping[str, Any], place: Path, context: typer.Context) -> dict[str, Any]:
    """Return what a file has for a command, by parameter: the table of the command goes before what all share."""
    names = names_of(context)
    commands = context.find_root().command
    for name in (key for key, value in content.items() if isinstance(value, dict)):
        if name not in commands.commands:  # type: ignore[attr-defined]
            raise ConfigurationError(f"{place}: {unknown('command', name, commands.commands)}")  # type: ignore[attr-defined]
    sections = list(_sections(content, names))
    if content and not any(sections):
        others = ", ".join(f"[{name}]" for name in content)
        raise ConfigurationError(f"{place} has no options of zcproxy {' '.join(names)}: it has {others}")
    found: dict[str, Any] = {}
    for section in sections:
        found |= _checked(section, place, context.command, names)
    return found


def _sections(content: Mapping[str, Any], names: list[str]) -> Iterator[dict[str, Any]]:
    """Yield the values outside of all tables, then those of the tables around and of the command."""
    level: Any = content
    for name in (*names, None):
        yield {key: value for key, value in level.items() if not isinstance(value, dict)}
        level = None if name is None else level.get(name)
        if not isinstance(level, dict):
            return


def _checked(section: Mapping[str, Any], place: Path, command: Any, names: list[str]) -> dict[str, Any]:
    """Return the values of a table by parameter. Raises `ConfigurationError`."""
    hints, known = get_type_hints(command.callback), keys_of(command)
    found: dict[str, Any] = {}
    for written, value in section.items():
        key = key_of(written)
        if key in CODE:
            raise ConfigurationError(f"{place}: {written} is not read from a file, which permits no code: type --{key}")
        if key not in known:
            advice = f"see zcproxy {' '.join(names)} --help"
            raise ConfigurationError(f"{place}: {unknown('option', written, known, advice)}")
        name = known[key].name
        if name in found:
            raise ConfigurationError(f"{place}: {written} is an option that is given twice, by another name too")
        _check_type(hints.get(name, bool), value, f"{place}: {written}")
        found[name] = value
    return found


def _check_type(hint: Any, value: Any, what: str) -> None:
    """Raise `ConfigurationError` for a value that the option cannot have; ranges are checked as if it were typed."""
    (kind,) = (each for each in _alternatives(hint) if each is not types.NoneType)
    if get_origin(kind) is list:
        (each,) = get_args(kind)
        fits, wanted = (
            isinstance(value, list) and all(_is(each, item) for item in value),
            f"a list, each {_KINDS[each]}",
        )
    else:
        fits, wanted = _is(kind, value), _KINDS[kind]
    if not fits:
        shown = str(value).lower() if isinstance(value, bool) else repr(value)
        raise ConfigurationError(f"{what} = {shortened(shown, LONGEST)} is not what the option takes: write {wanted}")


def _alternatives(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _is(kind: Any, value: Any) -> bool:
    if isinstance(value, bool) or kind is bool:
        return kind is bool and isinstance(value, bool)
    if kind is float:
        return isinstance(value, int | float)
    return isinstance(value, str if kind is Path else kind)
