"""Proxy files as they are read: every field is checked for type and range before anything is made of it."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from zcproxy.errors import ProxyFileError, StorageError
from zcproxy.formula.language import FIELD, taken_from
from zcproxy.models.initialisation import OWN, RULES
from zcproxy.probing.probes import PROBES
from zcproxy.storage.files import read_small_file
from zcproxy.text.visible import shortened

FORMAT = 2
"""Version of the file format; files of a newer one are refused. Those of 1 have formulas of language 1."""

LARGEST_FILE = 1_000_000
"""Bytes of a file; those of the package have 13,000."""

MODELS_OWN = "the model's own"
"""The text in a file for weights that are taken as the model has them."""

LARGEST_BATCH = 65_536
LONGEST_NAME = 10_000
LONGEST_DESCRIPTION = 100_000
MOST_DIGITS = 300
"""Digits of a number: more do not fit a float."""

DEEPEST = 50
"""Deepest nesting of lists and objects."""

_NUMBERS = ("tau", "tau_low", "tau_high", "spearman", "spearman_low", "spearman_high", "tau_top_decile")
_TEXTS = ("task", "population")
"""The known fields of a correlation; it may hold more."""

_LATER_FIELDS = {"per_sample": False}
_LATER_FIELDS_OF_A_PASS = {
    "gaussian_weights": False,
    "running_statistics": False,
    "shared_weight": None,
    "shaken_weights": False,
    "permuted_weights": False,
    "rounded_weights": False,
}
"""Fields of a probe and its passes that older files do not mention, with their values then."""


def read_proxy_file(place: Path) -> dict[str, Any]:
    """Return the checked fields of a proxy file, absent ones with their defaults. Nothing is executed.

    Raises:
        ProxyFileError: the file is missing, too large, not a regular file, not strict JSON, incomplete, of a newer
            format, or a field is not what it should be.
    """
    content = _json_of(place)
    if not isinstance(content, dict) or not isinstance(content.get("formula"), str):
        raise ProxyFileError(f"{place} is not a proxy file: it has no text under 'formula'")
    version: int = content.get("format", 0)
    if not _is_whole(version) or version < 1:
        raise ProxyFileError(f"{place} has no format version under 'format'; this zcproxy writes {FORMAT}")
    if version > FORMAT:
        raise ProxyFileError(
            f"{place} has format {shortened(str(version), 20)}, this zcproxy reads up to {FORMAT}: upgrade zcproxy"
        )
    fields = {"formula": content["formula"], FIELD: taken_from(content, str(place), ProxyFileError)}
    for key, (default, wanted, fits) in _FIELDS.items():
        fields[key] = content.get(key, default)
        if not fits(fields[key]):
            raise ProxyFileError(f"{place} has something else than {wanted} under '{key}'")
    fields["name"] = fields["name"] or place.stem
    for number, item in enumerate(fields["correlations"], 1):
        _check_correlation(f"{place}, correlation {number}", item)
    _check_probes(place, fields["probes"], plugin_advice(fields["provenance"]))
    return fields


def _json_of(place: Path) -> Any:
    """Return what a file of strict JSON holds: no key twice, no NaN, no number beyond a float, of bounded depth."""
    try:
        text = read_small_file(place, LARGEST_FILE).decode("utf-8")
        content = json.loads(
            text,
            object_pairs_hook=_without_repetition,
            parse_constant=_refused,
            parse_int=lambda digits: int(_checked(digits)),
            parse_float=lambda digits: float(_checked(digits)),
        )
        if not _is_shallow(content):
            raise ValueError(f"nested deeper than {DEEPEST}")
        json.dumps(content, ensure_ascii=False).encode("utf-8")  # halves of surrogate pairs are not text
    except OSError as error:
        raise ProxyFileError(f"cannot read the proxy file {place}: {error.strerror or error}") from error
    except StorageError as error:
        raise ProxyFileError(f"{place} is not a proxy file: {error}") from error
    except (ValueError, RecursionError) as error:
        raise ProxyFileError(f"{place} is not a proxy file: it does not hold valid JSON ({error})") from error
    return content


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        ((twice, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key '{shortened(twice, 80)}' twice")
    return found


def _refused(constant: str) -> float:
    raise ValueError(f"{constant} is not a number of JSON")


def _checked(digits: str) -> str:
    """Return the text of a number that a finite float can hold."""
    if len(digits) > MOST_DIGITS or not math.isfinite(float(digits)):
        raise ValueError(f"the number {shortened(digits, 40)} is too large")
    return digits


def _is_shallow(content: Any) -> bool:
    level = [content]
    for _ in range(DEEPEST):
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return True
    return False


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(length: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and len(value) <= length


_INITIALISATIONS = (MODELS_OWN, *(rule for rule in RULES if rule != OWN))

_FIELDS: dict[str, tuple[Any, str, Callable[[Any], bool]]] = {
    "name": ("", f"a text of at most {LONGEST_NAME} characters", _is_text(LONGEST_NAME)),
    "probes": (
        {},
        "an object of objects",
        lambda value: isinstance(value, dict) and all(isinstance(item, dict) for item in value.values()),
    ),
    "description": ("", f"a text of at most {LONGEST_DESCRIPTION} characters", _is_text(LONGEST_DESCRIPTION)),
    "batch_size": (
        8,
        f"a whole number from 1 to {LARGEST_BATCH}",
        lambda value: _is_whole(value) and 1 <= value <= LARGEST_BATCH,
    ),
    "initialisation": (
        MODELS_OWN,
        f"one of {', '.join(_INITIALISATIONS)}",
        lambda value: isinstance(value, str) and value in _INITIALISATIONS,
    ),
    "provenance": ({}, "an object", lambda value: isinstance(value, dict)),
    "correlations": (
        [],
        "a list of objects",
        lambda value: isinstance(value, list) and all(isinstance(item, dict) for item in value),
    ),
}
"""Fields of a file beside formula and format: the default, the expected value in words, and its check."""


def _check_correlation(where: str, item: Mapping[str, Any]) -> None:
    for key in _NUMBERS:
        value = item.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise ProxyFileError(f"{where} has something else than a number or null under '{key}'")
        if value is not None and not -1.0 <= value <= 1.0:
            raise ProxyFileError(f"{where} has {value:g} under '{key}': it lies between -1 and 1")
    for key in _TEXTS:
        if not isinstance(item.get(key, ""), str):
            raise ProxyFileError(f"{where} has something else than a text under '{key}'")


def plugin_advice(provenance: Mapping[str, Any]) -> str:
    """Return what to do about a word that is not known, where a proxy's file says that plugins were loaded."""
    configuration = provenance.get("configuration")
    recorded = configuration.get("plugins") if isinstance(configuration, Mapping) else None
    if not isinstance(recorded, list) or not recorded:
        return ""
    files = ", ".join(shortened(str(record).rpartition("#")[0], 200) for record in recorded)
    return f"; it was found with the plugins {files}: load them with --plugin"


def _check_probes(place: Path, probes: Mapping[str, Any], advice: str) -> None:
    """Refuse a file whose probes are defined differently here: its scores would not be the ones it reports."""
    for name, definition in probes.items():
        if name not in PROBES:
            known = advice or f", known are {', '.join(PROBES)}"
            raise ProxyFileError(f"{place} uses the probe '{shortened(name, 80)}'{known}")
        if _completed(definition) != _completed(json.loads(json.dumps(asdict(PROBES[name])))):
            raise ProxyFileError(
                f"{place} defines the probe '{name}' differently from this zcproxy: use the version that wrote it"
            )


def _completed(probe: Mapping[str, Any]) -> dict[str, Any]:
    """Return the definition of a probe with what later versions added to it, but not how exact it is."""
    passes = {key: value for key, value in probe.items() if key in ("run", "minus") and isinstance(value, dict)}
    return {
        **_LATER_FIELDS,
        **probe,
        **{key: {**_LATER_FIELDS_OF_A_PASS, **value, "double": None} for key, value in passes.items()},
    }
