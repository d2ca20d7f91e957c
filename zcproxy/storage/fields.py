"""Makes a dataclass of what a JSON file holds, after checking each field against its annotation."""

from __future__ import annotations

import json
import math
import types
from collections import Counter
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from zcproxy.errors import ConfigurationError, ZcproxyError, nearest_names

T = TypeVar("T")

_LONGEST = 60
"""Characters that are shown of a wrong value."""
_LONGEST_REASON = 300
_NAMES = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def read_fields(
    kind: type[T],
    content: object,
    where: str,
    error: type[ZcproxyError] = ConfigurationError,
    *,
    finite: bool = True,
    others: bool = False,
) -> T:
    """Return a dataclass with the fields that an object of JSON holds: lists become tuples where it says so.

    Args:
        kind: the dataclass; its annotations may be `str`, `int`, `float`, `bool`, `Any`, `None`, `tuple[X, ...]`,
            `list[X]`, `dict[str, X]`, `dict[int, X]`, `Counter[str]`, other dataclasses, unions of one with `None`, and
            `int | str`.
        content: what the file holds.
        where: the file, for the error.
        error: what is raised.
        finite: whether infinity and NaN are refused.
        others: whether there may be fields that the dataclass does not have.

    Raises:
        error: a field is unknown, missing or of another type, or the dataclass refuses its values.
    """
    try:
        return _Reader(finite, others).made(kind, content, "")
    except (_WrongError, ZcproxyError) as problem:
        reason = " ".join(str(problem).split())
        raise error(
            f"{where}: {reason if len(reason) <= _LONGEST_REASON else reason[:_LONGEST_REASON] + '...'}"
        ) from problem


class _WrongError(Exception):
    """Says what is wrong with a field."""


class _Reader:
    def __init__(self, finite: bool, others: bool) -> None:
        self._finite, self._others = finite, others

    def made(self, kind: type[T], content: object, place: str) -> T:
        within = f" in '{place}'" if place else ""
        if not isinstance(content, dict):
            raise _WrongError(f"{_shown(content)} where an object is expected{within}")
        hints = get_type_hints(kind)
        known = {each.name: each for each in fields(kind) if each.init}  # type: ignore[arg-type]
        unknown = next((name for name in content if name not in known), None)
        if unknown is not None and not self._others:
            raise _WrongError(f"unknown field {_shown(unknown)}{within}{nearest_names(str(unknown), known)}")
        for name, each in known.items():
            if name not in content and each.default is MISSING and each.default_factory is MISSING:
                raise _WrongError(f"'{name}' is missing{within}")
        return kind(
            **{
                name: self._value(hints[name], content[name], f"{place}.{name}" if place else name)
                for name in known
                if name in content
            }
        )

    def _value(self, hint: Any, value: object, place: str) -> Any:
        origin, inner = get_origin(hint), get_args(hint)
        if hint is Any:
            return value
        if origin in (Union, types.UnionType):
            given = [each for each in inner if each is not type(None)]
            if value is None and len(given) < len(inner):
                return None
            return self._value(given[0], value, place) if len(given) == 1 else self._one_of(given, value, place)
        if is_dataclass(hint) and isinstance(hint, type):
            return self.made(hint, value, place)
        if origin in (tuple, list):
            if not isinstance(value, list):
                raise _WrongError(f"'{place}' is {_shown(value)}, not a list")
            return origin(self._value(inner[0], item, f"{place}[{number}]") for number, item in enumerate(value))
        if origin in (dict, Counter):
            return self._mapping(origin, inner, value, place)
        return self._scalar(hint, value, place)

    def _mapping(self, origin: Any, inner: tuple[Any, ...], value: object, place: str) -> Any:
        if not isinstance(value, dict):
            raise _WrongError(f"'{place}' is {_shown(value)}, not an object")
        key, item = (str, int) if origin is Counter else inner
        wrong = next((name for name in value if key is int and not (name.isascii() and name.isdecimal())), None)
        if wrong is not None:
            raise _WrongError(f"'{place}' has the entry {_shown(wrong)}, whose name is not a whole number")
        return origin({key(name): self._value(item, each, f"{place}.{name}") for name, each in value.items()})

    def _one_of(self, kinds: list[type], value: object, place: str) -> object:
        if type(value) not in kinds:
            raise _WrongError(f"'{place}' is {_shown(value)}, not {' or '.join(_NAMES[kind] for kind in kinds)}")
        return value

    def _scalar(self, hint: Any, value: object, place: str) -> Any:
        accepted: Any = (int, float) if hint is float else hint
        if not isinstance(value, accepted) or (isinstance(value, bool) and hint is not bool):
            raise _WrongError(f"'{place}' is {_shown(value)}, not {_NAMES[hint]}")
        if hint is float:
            try:
                value = float(value)
            except OverflowError as error:
                raise _WrongError(f"'{place}' is too large") from error
            if self._finite and not math.isfinite(value):
                raise _WrongError(f"'{place}' is {value}, not a finite number")
        return value


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
