"""The rooms of the package, read from its imports: those inside functions count too."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]

FLOORS: dict[str, tuple[str, ...]] = {
    "ground": (
        "text",
        "errors",
        "extras",
        "figures",
        "notebook",
        "random",
        "storage",
        "user_code",
        "workers",
        "models",
        "reading",
    ),
    "meaning": ("contracts", "formula", "correlation"),
    "networks": ("probing", "training", "datasets", "images"),
    "parts": ("primitives", "columns", "benchmarks", "version"),
    "proxies": ("proxy", "zoo", "proxies"),
    "doors": ("names", "export"),
    "work": ("evolve", "search", "building"),
    "uses": ("ranking", "adapting", "adapters", "discovery", "reporting", "callbacks"),
    "program": ("cli",),
    "face": ("face", "testing", "space", "benchmark"),
}
"""The rooms from the ground up; `face` is `zcproxy` itself, `version` its number."""


@cache
def modules() -> dict[str, Path]:
    """Return the file of every module by its name, as `pyproject.toml` maps folders to packages."""
    content = tomllib.loads((ROOT / "pyproject.toml").read_text())
    found = {}
    for package, folder in content["tool"]["setuptools"]["package-dir"].items():
        for path in (ROOT / folder).rglob("*.py"):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            found[".".join([package, *(part for part in parts if part != "__init__")])] = path
    return found


@cache
def imports() -> dict[str, tuple[str, ...]]:
    """Return the modules of the project that each module imports, wherever in it."""
    return {name: tuple(sorted(set(_imports_of(path)) - {name})) for name, path in modules().items()}


def room_of(module: str) -> str:
    """Return the room of a module."""
    if module == "version" or module in ("zcproxy", "zcproxy.__main__"):
        return "version" if module == "version" else "face"
    parts = module.split(".")[1:]
    if parts[:2] in (["primitives", "zoo"], ["benchmarks", "datasets"]):
        return parts[1]
    return parts[0]


@cache
def room_imports() -> dict[str, frozenset[str]]:
    """Return the rooms that each room imports."""
    found: dict[str, set[str]] = {room_of(name): set() for name in modules()}
    for name, targets in imports().items():
        found[room_of(name)] |= {room_of(target) for target in targets} - {room_of(name)}
    return {room: frozenset(targets) for room, targets in found.items()}


def _imports_of(path: Path) -> Iterator[str]:
    known = modules()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module in known:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                if full in known:
                    yield full
                else:
                    yield "version" if full == "zcproxy.__version__" else node.module
