"""The errors zcproxy raises: one tree, one line each, saying what was wrong, where, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from zcproxy.text.visible import one_line, shortened

LONGEST_NAME = 200
"""Characters beyond which a text is not taken for a mistyped name."""


class ZcproxyError(Exception):
    """Base of every error a user can meet. The command line prints its message and exits with `exit_code`.

    Args:
        message: what was wrong, where, what to do; it may quote texts of any length and content, see `one_line`.
    """

    exit_code = 2

    def __init__(self, message: str = "") -> None:
        super().__init__(one_line(str(message)))


class FormulaError(ZcproxyError):
    """A formula's text does not parse, names something unknown, or combines kinds that do not fit."""


class ProxyFileError(ZcproxyError):
    """A proxy file is unreadable, incomplete, or of a newer format."""


class BenchmarkError(ZcproxyError):
    """A task, space, architecture or label table is unknown, missing, changed, or too small."""


class ModelError(ZcproxyError):
    """A model cannot be scored: it raises, returns no tensor, has no weight layer, or holds NaN."""


class ModelWarning(UserWarning):
    """A model is scored without a part of it: layers that cannot be seen, or samples that cannot be told apart."""


class ConfigurationError(ZcproxyError):
    """An option or a combination of options makes no sense."""


class RunError(ZcproxyError):
    """A run directory belongs to another configuration or cannot be continued."""


class StorageError(ZcproxyError):
    """A file or folder cannot be written: the disk is full or the place is read-only."""


def nearest_names(name: str, known: Iterable[str]) -> str:
    """Return `" (did you mean a, b?)"` for the known names nearest to `name`, or an empty string."""
    if len(name) > LONGEST_NAME:
        return ""
    matches = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.5)
    return f" (did you mean {', '.join(matches)}?)" if matches else ""


def unknown(kind: str, name: str, known: Iterable[str], advice: str = "") -> str:
    """Return what every message says about an unknown name: the nearest names, and what may be written.

    Args:
        kind: kind of thing that is named.
        name: what was written.
        known: the names that there are.
        advice: what to do, where that is more than to write one of the known names.
    """
    names = list(known)
    advice = advice or f"write one of {', '.join(names)}"
    return f"unknown {kind} '{shortened(name, 80)}'{nearest_names(name, names)}: {advice}"


def check_known(kind: str, name: str, known: Iterable[str], error: type[ZcproxyError] = ConfigurationError) -> None:
    """Raise an error with the message of `unknown` if a name is not one of the known ones."""
    names = list(known)
    if name not in names:
        raise error(unknown(kind, name, names))


def first_difference(known: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """Return `"name = known, not wanted"` for the first setting that two configurations differ in, nested ones too."""
    name = next(name for name in wanted if known[name] != wanted[name])
    has, asked = known[name], wanted[name]
    if isinstance(has, Mapping) and isinstance(asked, Mapping) and has.keys() == asked.keys():
        return first_difference(has, asked)
    return f"{name} = {_shown(has)}, not {_shown(asked)}"


def _shown(setting: Any) -> str:
    """Return the text of a setting; `none` where it is empty."""
    return "none" if setting in (None, "", (), []) else str(setting)
