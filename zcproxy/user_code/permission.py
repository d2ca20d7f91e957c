"""Permission to run code: what the user names now may run, what only a stored file names may not.

`package.module:name` is resolved by importing the module, which runs it. A reference that a user types (a command's
argument, an argument of a Python function) is resolved and remembered. While a stored file is followed (`stored_in`),
only references that are remembered, or permitted by name (`--allow-code`, `allow_code=`), are resolved. Entry points of
installed packages are software that the user installed: files may name them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from zcproxy.errors import ConfigurationError


@dataclass(frozen=True)
class Scope:
    """The permissions for the names that are resolved now.

    Attributes:
        permitted: references that the user named; grows.
        place: the stored file that names come from; empty where the user gave them.
    """

    permitted: set[str]
    place: str = ""


_OF_THE_PROCESS = Scope(set())
_SCOPE = ContextVar("scope", default=_OF_THE_PROCESS)


def permit(references: Iterable[str]) -> None:
    """Let stored files name these references from now on: in this process, or for the rest of a command."""
    _SCOPE.get().permitted.update(references)


def check_permitted(reference: str) -> None:
    """Remember a reference that the user gave. Raises `ConfigurationError` for one that only a stored file names."""
    scope = _SCOPE.get()
    if not scope.place:
        scope.permitted.add(reference)
    elif reference not in scope.permitted:
        raise ConfigurationError(
            f"{scope.place} names code, {reference}: nothing of a file is executed; if it is yours, add "
            f"allow_code={reference}"
        )


@contextmanager
def stored_in(place: Path) -> Iterator[None]:
    """Take the names that are resolved inside as those of a stored file."""
    with entered(Scope(_SCOPE.get().permitted, str(place))):
        yield


def stored_from_here(place: Path, typed: Iterable[str]) -> None:
    """Take the names that are resolved for the rest of a command as those of a stored file.

    Args:
        place: the file.
        typed: what the user typed beside it: references in these texts are permitted.
    """
    permit(reference for text in typed for reference in _REFERENCES.findall(text))
    _SCOPE.set(Scope(_SCOPE.get().permitted, str(place)))


_REFERENCES = re.compile(r"[^\W\d][\w.]*:[^\W\d]\w*")
"""What has the form `package.module:name` in a text: `a:b` in `mine=a:b`."""


@contextmanager
def own_names() -> Iterator[None]:
    """Take the names that are resolved inside as the user's: permitted code resolves its own."""
    with entered(Scope(_SCOPE.get().permitted)):
        yield


@contextmanager
def one_command() -> Iterator[None]:
    """Forget afterwards what is permitted inside."""
    with entered(Scope(set())):
        yield


def current_scope() -> Scope:
    """Return a copy of what holds here and now."""
    scope = _SCOPE.get()
    return Scope(set(scope.permitted), scope.place)


@contextmanager
def entered(scope: Scope) -> Iterator[None]:
    """Let a scope hold inside."""
    token = _SCOPE.set(scope)
    try:
        yield
    finally:
        _SCOPE.reset(token)
