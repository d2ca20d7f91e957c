"""Search spaces by reference: a name of the project or of an installed package, or `package.module:name`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from zcproxy.benchmarks.catalogue import benchmarks
from zcproxy.contracts.choice_space import Option
from zcproxy.contracts.task import SPACE_MEMBERS, SearchSpace
from zcproxy.errors import BenchmarkError, ConfigurationError, nearest_names, unknown
from zcproxy.text.whole_numbers import whole_number
from zcproxy.user_code.border import running
from zcproxy.user_code.references import load_offered, made_by, offered_names

ENTRY_POINTS = "zcproxy.spaces"
"""The group of entry points where other packages offer spaces: name -> space, or what makes one."""

LARGEST_OPTION = 4096
"""Largest option of a space: channels of the first stage, cells, ..."""


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


def space_names() -> list[str]:
    """Return the names of the spaces of the package, then of those that installed packages offer."""
    return [*_own_spaces(), *offered_names(ENTRY_POINTS)]


def _own_spaces() -> dict[str, Callable[..., SearchSpace]]:
    """Return what makes the spaces of the package, by name."""
    return {name: make for benchmark in benchmarks().values() for name, make in benchmark.spaces.items()}


def is_own_space(name: str) -> bool:
    """Whether a space is one of the package."""
    return name in _own_spaces()


def get_space(reference: str, options: Mapping[str, Option] | None = None) -> SearchSpace:
    """Return a search space.

    Args:
        reference: a name such as `nasbench201` (see `space_names`), or `package.module:name` of a space or of what
            makes one.
        options: arguments of the class or function, such as `channels`: whole numbers from 1 to `LARGEST_OPTION`, or
            texts where the default is one.

    Raises:
        ConfigurationError: there is no such space, it has no such option, or only a stored file names it, see
            `zcproxy.user_code.permission`.
        BenchmarkError: what the reference names is not a search space.
        ModelError: making a space of your own fails.
    """
    made: Any = _own_spaces().get(reference)
    if made is None and ":" not in reference and reference not in offered_names(ENTRY_POINTS):
        known = space_names()
        advice = f"write one of {', '.join(known)}, or package.module:name of your own"
        raise ConfigurationError(unknown("space", reference, known, advice))
    made = made or load_offered(reference, ENTRY_POINTS)
    if callable(made):
        _check_options(reference, made, options or {})
        made = made_by(reference, made, options)
    elif options:
        raise ConfigurationError(f"{reference} is a finished space: it takes no options such as {next(iter(options))}")
    with running(f"the space {reference} failed"):
        missing = [name for name in SPACE_MEMBERS if not hasattr(made, name)]
    if missing:
        raise BenchmarkError(f"{reference} is not a search space, it has no '{missing[0]}': see zcproxy.ChoiceSpace")
    return cast(SearchSpace, made)


def _check_options(reference: str, factory: Any, options: Mapping[str, Option]) -> None:
    """Raise `ConfigurationError` for an option that a factory does not have, or a value of another kind."""
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):  # some functions of C say nothing of their arguments
        parameters = {}.values()
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    defaults = {parameter.name: parameter.default for parameter in parameters if parameter.kind in named}
    takes_all = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters)
    for name, value in options.items():
        if name not in defaults and not takes_all:
            what = ", ".join(defaults) or "none"
            raise ConfigurationError(
                f"{reference} has no option '{name:.80}'{nearest_names(name, defaults)}; it has {what}"
            )
        _check_value(reference, name, value, defaults.get(name))


def _check_value(reference: str, name: str, value: Option, default: object) -> None:
    where = f"the option {name:.80} of {reference} is {value!r:.80}"
    if isinstance(default, str):
        if not isinstance(value, str):
            raise ConfigurationError(f"{where}: give a word such as {default}")
    elif type(value) is not int or not 1 <= value <= LARGEST_OPTION:
        raise ConfigurationError(f"{where}: give a whole number from 1 to {LARGEST_OPTION}")
