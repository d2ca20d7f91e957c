"""The command, or the call, that makes a search again."""

from __future__ import annotations

import shlex
from dataclasses import fields, replace
from typing import Any

from zcproxy.reporting.reproduction import Reproduction, option_of
from zcproxy.search.configuration import SearchConfiguration
from zcproxy.search.goals import PROXY
from zcproxy.search.quantities.networks import Setting
from zcproxy.training.recipe import Recipe

_OF_PYTHON = ("proxy_batch_size", "images", "proxies")
"""Fields of a setting that no option has, or whose option takes something else."""
_NAMED_OTHERWISE = {
    "formula": "--proxy",
    "maximized": "--maximize",
    "minimized": "--minimize",
    "input_shape": "--input",
}


def search_reproduction(configuration: SearchConfiguration, out: str) -> Reproduction:
    """Return how a search is made again.

    Args:
        configuration: of the search.
        out: the folder to write.
    """
    setting = configuration.setting
    of_setting = _changed(setting, Setting(setting.reference))
    plain = SearchConfiguration(replace(setting, proxies=()), configuration.maximized)
    of_search = _changed(configuration, plain)
    of_search.pop("setting", None)
    epochs = setting.recipe.epochs
    if any(name in of_setting for name in _OF_PYTHON) or setting.recipe != Recipe(epochs=epochs):
        return Reproduction(False, _in_python(configuration, of_setting, of_search, out))
    words = ["zcproxy", "search", setting.reference]
    for name, value in {**of_setting, "maximized": configuration.maximized, **of_search}.items():
        words += _words(name, value)
    words += ["--epochs", str(epochs)]
    for record in setting.plugins:
        words += ["--plugin", record.rpartition("#")[0]]
    if setting.teacher:
        words += ["--teacher", setting.teacher.partition("#")[0]]
    return Reproduction(True, shlex.join([*words, "--out", out]))


def _changed(known: Any, default: Any) -> dict[str, Any]:
    """Return the fields that differ from a default."""
    values = {each.name: getattr(known, each.name) for each in fields(known)}
    return {name: value for name, value in values.items() if value != getattr(default, name)}


def _words(name: str, value: Any) -> list[str]:
    if name in ("recipe", "plugins", "teacher") or (name == "maximized" and value == (PROXY,)):
        return []
    if name == "input_shape":
        return ["--input", "x".join(map(str, value))]
    if name == "limits":
        return [word for limit in value for word in ("--limit", f"{limit.name}={limit.bound!r}")]
    if name == "start_from":
        return [word for architecture in value for word in ("--start-from", architecture)]
    return [_NAMED_OTHERWISE.get(name, option_of(name)), ",".join(value) if isinstance(value, tuple) else str(value)]


def _in_python(
    configuration: SearchConfiguration, of_setting: dict[str, Any], of_search: dict[str, Any], out: str
) -> str:
    imported = ["from pathlib import Path", "", "from zcproxy import SearchConfiguration, Setting, search"]
    if configuration.limits:
        imported.append("from zcproxy.search.goals import Limit")
    if "proxies" in of_setting:
        imported.append("from zcproxy.search.quantities.combined import Combined, Member")
    if "recipe" in of_setting:
        imported.append("from zcproxy.training.recipe import Recipe")
    setting = "".join(f", {name}={value!r}" for name, value in of_setting.items())
    rest = "".join(f"    {name}={value!r},\n" for name, value in of_search.items())
    return "\n".join(imported) + (
        f"\n\nsetting = Setting({configuration.setting.reference!r}{setting})\n"
        f"configuration = SearchConfiguration(\n    setting,\n    {configuration.maximized!r},\n{rest})\n"
        f"search(configuration, Path({out!r}))"
    )
