"""The file `run.toml` in the directory of a run: the options of the command in effect, which `--config` takes back."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import typer

from zcproxy.cli.config_file import names_of
from zcproxy.storage.files import write_text
from zcproxy.storage.run_options import RUN_FILE
from zcproxy.text.toml import toml_table

_LEFT_OUT = frozenset(
    (
        "out",
        "resume_from",
        "as_json",
        "figure",
        "figure_kind",
        "report",
        "log",
        "plugin",
        "allow_code",
        "workers",
        "cluster",
    )
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
    def of(context: typer.Context) -> RunOptions:
        """Return the options of a command that shape its run, defaults too."""
        found = {}
        for parameter in context.command.params:
            name = parameter.name or ""
            value = context.params.get(name)
            if name in _LEFT_OUT or name not in context.params or value is None or value in ([], ()):
                continue
            key = parameter.opts[0].lstrip("-") if parameter.param_type_name == "option" else name
            found[key] = _plain(value)
        return RunOptions(tuple(names_of(context)), found)

    def also(self, **in_effect: Any) -> RunOptions:
        """Return these options with others, by option, that are not None."""
        return replace(
            self, values={**self.values, **{key: value for key, value in in_effect.items() if value is not None}}
        )

    @staticmethod
    def extended(path: Path, **given: Any) -> RunOptions | None:
        """Return the options of the run in a directory with some that have grown; None where it has no such file."""
        try:
            content: Any = tomllib.loads((path / RUN_FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):  # missing or damaged: the run goes on as its configuration says
            return None
        found = [(name, values) for name, values in content.items() if isinstance(values, dict)]
        if len(found) != 1 or not all(map(_is_flat, found[0][1].values())):
            return None
        return RunOptions((found[0][0],), found[0][1]).also(**given)

    def text(self) -> str:
        """Return the content of the file."""
        head = (
            f"# The options of this run, by zcproxy {version('zcproxy')}. The same run again, into another directory:\n"
            f"#     zcproxy {' '.join(self.names)} --config {RUN_FILE} --out ANOTHER\n"
        )
        return head + toml_table(".".join(self.names), self.values)

    def of_run(self, resumed: Path | None, **in_effect: Any) -> RunOptions | None:
        """Return the options of a run that begins with these, or of one that is resumed.

        Args:
            resumed: directory of the run that is resumed; None where one begins.
            in_effect: values by option that the command decided on; limits that have grown, where a run is resumed.

        Returns:
            The options; None where the run that is resumed has no such file.
        """
        return self.also(**in_effect) if resumed is None else RunOptions.extended(resumed, **in_effect)

    def write(self, path: Path) -> None:
        """Write them into a directory. Raises `StorageError`."""
        write_text(path / RUN_FILE, self.text())


def _plain(value: Any) -> Any:
    """Return a value as TOML can hold it."""
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if isinstance(value, bool | int | float) else str(value)


def _is_flat(value: Any) -> bool:
    each = value if isinstance(value, list) else [value]
    return all(isinstance(item, bool | int | float | str) for item in each)
