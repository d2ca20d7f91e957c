"""Plugins by name, a file or an entry point of an installed package, and those that a run was made with."""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from zcproxy.columns.own import own_primitives, own_probes
from zcproxy.errors import ConfigurationError, StorageError, ZcproxyError, unknown
from zcproxy.formula import REGISTRY
from zcproxy.formula.axes import is_per_block
from zcproxy.formula.canonical import canonical
from zcproxy.probing.expressions import compares_classes, looks_at_images
from zcproxy.probing.probes import OWN_INPUTS, PROBES
from zcproxy.storage.cache_directory import default_cache
from zcproxy.storage.files import write_text
from zcproxy.text.visible import shortened
from zcproxy.user_code.border import running
from zcproxy.user_code.plugins import Plugin, execute, forget, loaded_plugins, noted_plugin, plugin_of, read_plugin
from zcproxy.user_code.references import offered_module, offered_names

GROUP = "zcproxy.plugins"
"""The group of entry points: their values are modules."""


def load_plugin(reference: str | os.PathLike[str]) -> Plugin:
    """Load a plugin: its primitives and probes are then words of the language, in worker processes too.

    A file that has changed since it was loaded replaces what it registered.

    Args:
        reference: a Python file, or the name of an entry point of the group `zcproxy.plugins` of an installed package.

    Returns:
        The plugin: its file, and the digest of its content.

    Raises:
        ConfigurationError: there is none, it raises, or registers a name that exists or a function that breaks a law of
            primitives. Nothing of it is then registered.

    Example:
        `mine.py` has the example of `zcproxy.primitive`.

        >>> import zcproxy
        >>> zcproxy.load_plugin("mine.py").name
        'mine.py'
        >>> networks = zcproxy.get_task("digits201").architectures("all")[:4]
        >>> zcproxy.score(["sum(largest(weight))"], "digits201", networks, population="4 of all 500").to_frame().shape
        (4, 4)
    """
    text = os.fspath(reference)
    if text.endswith(".py") or os.path.isfile(text):
        plugin = _loaded_file(Path(text))
    elif text in offered_names(GROUP):
        plugin = _loaded_module(text)
    else:
        known = sorted(offered_names(GROUP))
        raise ConfigurationError(unknown("plugin", text, known, "give a Python file, for example --plugin mine.py"))
    with suppress(StorageError):  # a cache that cannot be written: a run is then resumed with --plugin
        write_text(_remembered(plugin.digest), f"{plugin.file}\n")
    return plugin


def _loaded_file(path: Path) -> Plugin:
    plugin = read_plugin(path)
    for known in loaded_plugins():
        if known.digest == plugin.digest:
            return known
        if known.file == plugin.file:
            unload(known)
    try:
        execute(plugin)
    except ZcproxyError:
        unload(plugin)
        raise
    return plugin


def _loaded_module(name: str) -> Plugin:
    module = offered_module(name, GROUP)
    known = plugin_of(module)
    if known is not None:
        return known
    with running(f"cannot load the plugin '{name}' of an installed package", ConfigurationError):
        importlib.import_module(module)
    return noted_plugin(module)


def unload(plugin: Plugin) -> None:
    """Take the words of a plugin out of the language."""
    forget(plugin)
    probes = own_probes(plugin.module)
    endings = tuple(f"@{name}" for name in probes)
    leaves = [text for text in REGISTRY.leaves if endings and text.endswith(endings)]
    REGISTRY.remove(own_primitives(plugin.module), leaves)
    for name in probes:
        OWN_INPUTS.pop(PROBES.pop(name).run.inputs)
    for remembered in (canonical, is_per_block, looks_at_images, compares_classes):
        remembered.cache_clear()


def plugin_records() -> tuple[str, ...]:
    """Return what a run keeps of the plugins that are loaded: file and digest of each, in their order."""
    return tuple(f"{plugin.file}#{plugin.digest}" for plugin in loaded_plugins())


def load_recorded(records: Sequence[str], place: Path) -> None:
    """Load the plugins that a run was made with, as far as they are not loaded.

    A plugin that the user has loaded before, with this content, is loaded again; another one has to be named.

    Args:
        records: what `plugin_records` returned when the run began.
        place: the file that has them.

    Raises:
        ConfigurationError: a file is gone, has changed, or was never loaded by the user.
    """
    for record in records:
        file, _, digest = str(record).rpartition("#")
        if any(plugin.digest == digest for plugin in loaded_plugins()):
            continue
        shown = shortened(file, 200)
        advice = f"give it with --plugin {shown}"
        if not digest.isalnum() or not _remembered(digest).is_file():
            raise ConfigurationError(
                f"{place} names the plugin {shown}: nothing of a file is executed; if it is yours, {advice}"
            )
        if not os.path.isfile(file):
            raise ConfigurationError(
                f"{place} needs the plugin {shown}, which is gone: give its new place with --plugin"
            )
        if read_plugin(Path(file)).digest != digest:
            raise ConfigurationError(_changed(place, shown))
        _loaded_file(Path(file))


def check_recorded(records: Sequence[str], place: Path) -> None:
    """Raise `ConfigurationError` unless the plugins that are loaded are those of a run, in the same order."""
    recorded = [record.rpartition("#") for record in records]
    loaded = loaded_plugins()
    if [digest for _, _, digest in recorded] == [plugin.digest for plugin in loaded]:
        return
    files = {plugin.file for plugin in loaded}
    for file, _, digest in recorded:
        if file in files and digest not in {plugin.digest for plugin in loaded}:
            raise ConfigurationError(_changed(place, shortened(file, 200)))
    begun = ", ".join(Path(file).name for file, _, _ in recorded) or "none"
    here = ", ".join(plugin.name for plugin in loaded) or "none"
    raise ConfigurationError(
        f"{place} is of a run with the plugins {begun}, loaded are {here}: give the same ones in the same order"
    )


def _changed(place: Path, file: str) -> str:
    return f"the plugin {file} has changed since {place} was written: restore it, or begin anew in another `out`"


def _remembered(digest: str) -> Path:
    """Return the file that says that the user has loaded a plugin of this content."""
    return default_cache() / "plugins" / digest
