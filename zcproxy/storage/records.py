"""JSON objects with a checksum, as a file or as the lines of a journal.

The last entry of an object is `sum`: the first digits of the sha256 of all that stands before it. Objects without one,
which older versions wrote, are read too; what they hold has to have the expected types.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from zcproxy.errors import RunError, ZcproxyError
from zcproxy.storage.files import cannot_write, open_regular, write_text
from zcproxy.storage.notices import notice

T = TypeVar("T")

SUM = "sum"
_DIGITS = 16
_ENDING = re.compile(rb',?\s*"sum": "([0-9a-f]{%d})"\s*\}\s*\Z' % _DIGITS)


def record_text(content: Mapping[str, Any], indent: int | None = None) -> str:
    """Return the JSON text of an object with its checksum, without a line break at its end."""
    text = json.dumps(content, indent=indent)
    start = text.removesuffix("}").rstrip()
    comma = "," if content else ""
    space, end = ("\n" + " " * indent, "\n") if indent else (" " if content else "", "")
    return f'{start}{comma}{space}"{SUM}": "{_sum(start.encode())}"{end}}}'


def read_record(raw: bytes, *, summed: bool = False) -> dict[str, Any]:
    """Return the object in JSON text, without its checksum.

    Args:
        raw: UTF-8.
        summed: whether it must have a checksum.

    Raises:
        ValueError: it is not a JSON object, or its checksum is missing or does not match.
    """
    ending = _ENDING.search(raw)
    if ending is not None and _sum(raw[: ending.start()]).encode() != ending[1]:
        raise ValueError("its checksum does not match its content")
    if ending is None and summed:
        raise ValueError("it has no checksum")
    try:
        content = json.loads(raw)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(content, dict):
        raise ValueError("it is not a JSON object")
    if (content.pop(SUM, None) is None) != (ending is None):
        raise ValueError("its checksum cannot be read")
    return content


def write_record_file(path: Path, content: Mapping[str, Any], indent: int | None = 2) -> None:
    """Write an object as a file. Raises `StorageError`."""
    write_text(path, record_text(content, indent) + "\n")


def read_record_file(path: Path, error: type[ZcproxyError] = RunError) -> dict[str, Any]:
    """Return the object in a file.

    Raises:
        FileNotFoundError: there is no such file.
        error: it cannot be read, is not a JSON object, or was changed.
    """
    try:
        with open_regular(path) as stream:
            return read_record(stream.read())
    except FileNotFoundError:
        raise
    except OSError as problem:
        raise error(f"cannot read {path}: {problem.strerror or problem}") from problem
    except ValueError as problem:
        reason = " ".join(str(problem).split())[:200]
        raise error(
            f"cannot read {path}: {reason}. Restore it or start again in another folder; if it was edited on purpose, "
            f'delete its entry "{SUM}"'
        ) from problem


@dataclass(frozen=True)
class Journal:
    """An append-only file of objects, one per line. Lines that are damaged or repeated are left out, with a notice.

    Attributes:
        path: path of the file.
        loss: what becomes of a damaged line, for the notice.
    """

    path: Path
    loss: str = "what they held is measured again"

    def append(self, contents: Iterable[Mapping[str, Any]]) -> None:
        """Append objects. Raises `StorageError`."""
        text = "".join(f"{record_text(content)}\n" for content in contents)
        try:
            with self.path.open("a", encoding="utf-8") as journal:
                journal.write(text)
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def read(self, convert: Callable[[dict[str, Any]], T]) -> list[T]:
        """Return what the lines hold, none if there is no file; a torn last line is left out without a notice.

        Args:
            convert: makes of an object what is returned; raises a `ZcproxyError` for one that is damaged.

        Raises:
            RunError: the file cannot be read.
        """
        return [item for _, item in self._items(convert)]

    def mend(self, convert: Callable[[dict[str, Any]], T], keep: Callable[[T], bool] = lambda item: True) -> list[T]:
        """Return what the lines hold, and rewrite the file if it holds anything else: what is appended begins a line.

        Args:
            convert: see `read`.
            keep: says which items stay; called in the order of the lines.
        """
        kept = [(content, item) for content, item in self._items(convert) if keep(item)]
        text = "".join(f"{record_text(content)}\n" for content, _ in kept)
        if self._raw() != text.encode():
            write_text(self.path, text)
        return [item for _, item in kept]

    def _raw(self) -> bytes:
        try:
            with open_regular(self.path) as stream:
                return stream.read()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise RunError(f"cannot read {self.path}: {error.strerror or error}") from error

    def _items(self, convert: Callable[[dict[str, Any]], T]) -> list[tuple[dict[str, Any], T]]:
        raw = self._raw()
        lines = raw.split(b"\n")
        torn = lines.pop()
        summed = f'"{SUM}": "'.encode() in raw
        found: dict[bytes, tuple[dict[str, Any], T]] = {}
        damaged = 0
        for number, line in enumerate([*lines, torn] if torn else lines):
            try:
                content = read_record(line, summed=summed)
                item = convert(dict(content))
            except (ValueError, ZcproxyError):
                damaged += number < len(lines)  # a torn last line is what a kill leaves
                continue
            damaged += line in found
            found.setdefault(line, (content, item))
        if damaged:
            notice(f"{self.path}: {damaged} damaged or repeated line(s) left out; {self.loss}")
        return list(found.values())


def _sum(start: bytes) -> str:
    return hashlib.sha256(start).hexdigest()[:_DIGITS]
