"""Generated pages as files, which change only where their content does: Sphinx then reads only these again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

FOLDER = "generated"
"""Folder of the generated pages, beside the others."""


def write(folder: Path, pages: Mapping[str, str]) -> None:
    """Write pages below a folder, and remove the ones that are there and not among them.

    Args:
        folder: of generated pages alone.
        pages: text by path below the folder.
    """
    for old in folder.rglob("*.md"):
        if old.relative_to(folder).as_posix() not in pages:
            old.unlink()
    for name, text in pages.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def page(*parts: str) -> str:
    """Return the text of a page of paragraphs."""
    return "\n\n".join(part for part in parts if part) + "\n"


def toctree(*names: str, caption: str = "") -> str:
    """Return the table of contents that puts pages, named from here, below this one."""
    options = ":hidden:" if not caption else f":caption: {caption}"
    return "\n".join(["```{toctree}", options, "", *names, "```"])
