"""The file `run.toml` in the directory of a run: the options of the command in effect, which `--config` takes back."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import typer

from zcproxy.cli.config_file import names_of
from zcproxy.storage.files import write_text
from zcproxy.text.toml import toml_table

RUN_FILE = "run.toml"

_LEFT_OUT = frozenset(
    ("out", "resume_from", "as_json", "figure", "figure_kind", "report", "log", "plugin", "allow_code", "workers")
)
"""Parameters that do not shape a run: where it writes, what it shows, which code it may run, how many processes."""


@dataclass(frozen=True)
class RunOptions:
    """Options of a command.

    Attributes:
        names: of the command, and of the group before it.
        values: by option.
    """

    names: tuple[str, ...]
    values: Mapping[str, Any]

    @staticmethod
    def of(context: typer.Context, **in_effect: Any) -> RunOptions:
        """Return the options of a command that shape its run, defaults too.

        Args:
            context: of the command.
            in_effect: values by parameter, where the command decides what counts.
        """
        found = {}
        for parameter in context.command.params:
            name = parameter.name or ""
            value = in_effect.get(name, context.params.get(name))
            if name in _LEFT_OUT or name not in context.params or value is None or value in ([], ()):
                continue
            key = parameter.opts[0].lstrip("-") if parameter.param_type_name == "option" else name
            found[key] = _plain(value)
        return RunOptions(tuple(names_of(context)), found)

    @staticmethod
    def extended(path: Path, **given: Any) -> RunOptions | None:
        """Return the options of the run in a directory with some that have grown; None where it has no such file."""
        try:
            content: Any = tomllib.loads((path / RUN_FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):  # missing or damaged: the run goes on as its configuration says
            return None
        grown = {key: value for key, value in given.items() if value is not None}
        found = [(name, values) for name, values in content.items() if isinstance(values, dict)]
        if len(found) != 1 or not all(map(_is_flat, found[0][1].values())):
            return None
        return RunOptions((found[0][0],), {**found[0][1], **grown})

    def write(self, path: Path) -> None:
        """Write them into the directory of their run. Raises `StorageError`."""
        command = " ".join(self.names)
        head = (
            f"# The options of this run, by zcproxy {version('zcproxy')}. The same run again, into another directory:\n"
            f"#     zcproxy {command} --config {RUN_FILE} --out ANOTHER\n"
        )
        write_text(path / RUN_FILE, head + toml_table(".".join(self.names), self.values))


def _plain(value: Any) -> Any:
    """Return a value as TOML can hold it."""
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if isinstance(value, bool | int | float) else str(value)


def _is_flat(value: Any) -> bool:
    each = value if isinstance(value, list) else [value]
    return all(isinstance(item, bool | int | float | str) for item in each)
