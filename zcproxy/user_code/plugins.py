"""Plugins: files of a user that add words to the language, the same in this process and in every worker."""

from __future__ import annotations

import hashlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from pathlib import Path

from zcproxy.errors import ConfigurationError
from zcproxy.user_code.border import note_module, running

PREFIX = "zcproxy_plugin_"
"""Begins the names of the modules that files are executed as."""

DIGITS = 32
"""Hexadecimal digits of a digest."""


@dataclass(frozen=True)
class Plugin:
    """The file of a user that registers primitives and probes.

    Attributes:
        file: its path; absolute.
        source: its text, which workers execute: the file may change while a run goes on.
        module: name of the module that it is executed as.
        digest: what tells its content from any other.
    """

    file: str
    source: str = field(repr=False)
    module: str = ""
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", hashlib.sha256(self.source.encode()).hexdigest()[:DIGITS])
        object.__setattr__(self, "module", self.module or f"{PREFIX}{self.digest}")

    @property
    def name(self) -> str:
        """The name of the file, for messages."""
        return Path(self.file).name


_LOADED: dict[str, Plugin] = {}
"""By the name of their module, in the order in which they were loaded."""


class _Source(importlib.abc.ExecutionLoader):
    """Executes the text of a plugin, whatever its file holds by now."""

    def __init__(self, plugin: Plugin) -> None:
        self._plugin = plugin

    def get_filename(self, fullname: str) -> str:
        """Return the path that tracebacks name."""
        return self._plugin.file

    def get_source(self, fullname: str) -> str:
        """Return the text."""
        return self._plugin.source

    def is_package(self, fullname: str) -> bool:
        """Return False: a plugin is one file."""
        return False


def loaded_plugins() -> tuple[Plugin, ...]:
    """Return the plugins of this process, in the order in which they were loaded."""
    return tuple(_LOADED.values())


def plugin_of(module: str) -> Plugin | None:
    """Return the plugin that a module is; None where it is none."""
    return _LOADED.get(module)


def noted_plugin(module: str) -> Plugin:
    """Return the plugin that a module of the user is, which registers words while it is imported.

    Raises:
        ConfigurationError: it has no file, so that no worker could execute it.
    """
    known = _LOADED.get(module)
    if known is not None:
        return known
    place = getattr(sys.modules.get(module), "__file__", None)
    if place is None or not Path(place).is_file():
        raise ConfigurationError(
            "primitives and probes are defined in a file, which workers execute too: write mine.py and load it with "
            "--plugin mine.py, or zcproxy.load_plugin('mine.py')"
        )
    plugin = read_plugin(Path(place), module)
    note_module(module)
    _LOADED[module] = plugin
    return plugin


def read_plugin(path: Path, module: str = "") -> Plugin:
    """Return the plugin in a file, without executing it. Raises `ConfigurationError` if it cannot be read."""
    try:
        source = importlib.util.decode_source(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"cannot read the plugin {path}: {error.strerror or error}") from error
    except (SyntaxError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the plugin {path} is not a Python file: {error}") from error
    return Plugin(str(path.absolute()), source, module)


def execute(plugin: Plugin) -> None:
    """Execute a plugin, unless its content is loaded already.

    Its folder is looked for modules that it imports, as for a script.

    Raises:
        ConfigurationError: it raises, in one line with the place in the file.
    """
    if any(known.digest == plugin.digest for known in _LOADED.values()):
        return
    folder = str(Path(plugin.file).parent)
    if folder not in sys.path:
        sys.path.append(folder)
    loader = _Source(plugin)
    module = importlib.util.module_from_spec(ModuleSpec(plugin.module, loader, origin=plugin.file))
    module.__file__ = plugin.file
    note_module(plugin.module)
    sys.modules[plugin.module] = module
    _LOADED[plugin.module] = plugin
    try:
        with running(f"the plugin {plugin.name} failed", ConfigurationError):
            loader.exec_module(module)
    except BaseException:
        forget(plugin)
        raise


def execute_all(plugins: Iterable[Plugin]) -> None:
    """Execute plugins in their order: what a worker does before its first job. Raises as `execute`."""
    for plugin in plugins:
        execute(plugin)


def forget(plugin: Plugin) -> None:
    """Take a plugin out of the list; what it registered stays where it is, see `zcproxy.names.plugins`."""
    _LOADED.pop(plugin.module, None)
    if plugin.module.startswith(PREFIX):
        sys.modules.pop(plugin.module, None)
