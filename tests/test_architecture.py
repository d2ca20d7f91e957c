"""The house: which room may import which, read from the imports, those inside functions too."""

from __future__ import annotations

import ast
import graphlib
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

GROUND = {"text", "errors", "extras", "random", "storage", "user_code", "workers", "models", "reading"}
MEANING = GROUND | {"contracts", "formula", "correlation"}
NETWORKS = MEANING | {"probing", "training", "datasets", "images"}
PARTS = NETWORKS | {"primitives", "columns", "benchmarks", "version"}
PROXIES = PARTS | {"proxy", "zoo", "proxies"}
DOORS = PROXIES | {"names", "export"}
WORK = DOORS | {"evolve", "search", "building"}

MAY_IMPORT: dict[str, set[str]] = {
    "text": set(),
    "version": set(),
    "errors": {"text"},
    "extras": {"errors"},
    "random": set(),
    "storage": {"text", "errors"},
    "user_code": {"text", "errors", "random"},
    "workers": {"errors", "user_code"},
    "models": {"errors", "random"},
    "reading": {"errors", "storage"},
    "contracts": GROUND,
    "testing": GROUND | {"contracts"},
    "formula": {"text", "errors", "random"},
    "correlation": {"errors", "random"},
    "training": GROUND | {"contracts"},
    "datasets": GROUND | {"contracts"},
    "images": GROUND | {"contracts", "datasets"},
    "probing": MEANING,
    "primitives": {"errors", "formula", "probing"},
    "columns": NETWORKS | {"primitives"},
    "benchmarks": NETWORKS,
    "proxies": set(),
    "proxy": PARTS | {"proxies"},
    "zoo": GROUND | {"proxy"},
    "names": PROXIES,
    "export": PROXIES,
    "evolve": DOORS,
    "search": DOORS,
    "building": DOORS,
    "ranking": WORK,
    "adapters": WORK,
    "cli": WORK | {"ranking"},
    "face": WORK | {"ranking", "cli"},
    "space": {"contracts"},
    "benchmark": {"contracts"},
}
"""What each room may import besides itself, from the ground up; `face` is `zcproxy` itself, `version` its number."""


def packages() -> dict[str, Path]:
    """Return the folder of each top-level package, as `pyproject.toml` maps them."""
    content = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return {name: ROOT / folder for name, folder in content["tool"]["setuptools"]["package-dir"].items()}


def modules() -> dict[str, Path]:
    """Return the file of every module by its name."""
    found = {}
    for package, folder in packages().items():
        for path in folder.rglob("*.py"):
            parts = path.relative_to(folder).with_suffix("").parts
            found[".".join([package, *(part for part in parts if part != "__init__")])] = path
    return found


MODULES = modules()


def imports_of(path: Path) -> Iterator[str]:
    """Yield the modules of the project that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                if full in MODULES:
                    yield full
                else:
                    yield "version" if full == "zcproxy.__version__" else node.module


def room_of(module: str) -> str:
    """Return the room of a module."""
    if module == "version" or module in ("zcproxy", "zcproxy.__main__"):
        return "version" if module == "version" else "face"
    parts = module.split(".")[1:]
    if parts[:2] in (["primitives", "zoo"], ["benchmarks", "datasets"]):
        return parts[1]
    return parts[0]


GRAPH = {name: sorted(set(imports_of(path)) - {name}) for name, path in MODULES.items()}


def test_every_import_follows_an_arrow() -> None:
    wrong = [
        f"{module} imports {target}"
        for module, targets in GRAPH.items()
        for target in targets
        if room_of(target) != room_of(module) and room_of(target) not in MAY_IMPORT[room_of(module)]
    ]
    assert not wrong, "\n".join(wrong)


def test_the_arrows_form_no_circle() -> None:
    graphlib.TopologicalSorter(MAY_IMPORT).prepare()


def test_no_files_import_each_other_in_a_circle() -> None:
    try:
        graphlib.TopologicalSorter(GRAPH).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_every_room_is_known() -> None:
    assert {room_of(module) for module in MODULES} <= set(MAY_IMPORT)
