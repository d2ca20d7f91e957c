"""The house: which room may import which, read from the imports, those inside functions too."""

from __future__ import annotations

import ast
import graphlib
import re
import runpy
from itertools import accumulate

import pytest

from rooms import FLOORS, ROOT, imports, modules, room_of

GROUND, MEANING, NETWORKS, PARTS, PROXIES, DOORS, WORK, *_ = (
    set(rooms) for rooms in accumulate(FLOORS.values(), lambda below, floor: (*below, *floor))
)

MAY_IMPORT: dict[str, set[str]] = {
    "text": set(),
    "version": set(),
    "errors": {"text"},
    "extras": {"errors"},
    "notebook": {"text", "extras"},
    "random": set(),
    "storage": {"text", "errors"},
    "user_code": {"text", "errors", "random"},
    "workers": {"text", "errors", "extras", "storage", "user_code"},
    "models": {"errors", "random"},
    "reading": {"errors", "storage"},
    "figures": {"text", "errors", "extras", "storage"},
    "contracts": GROUND,
    "testing": GROUND | {"contracts"},
    "formula": {"text", "errors", "random"},
    "correlation": {"errors", "random"},
    "training": GROUND | {"contracts"},
    "datasets": GROUND | {"contracts"},
    "images": GROUND | {"contracts", "datasets"},
    "probing": MEANING,
    "primitives": {"correlation", "errors", "formula", "probing"},
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
    "adapting": DOORS | {"ranking"},
    "adapters": WORK,
    "discovery": WORK | {"adapting"},
    "reporting": WORK | {"ranking", "discovery"},
    "callbacks": WORK | {"discovery"},
    "cli": WORK | {"ranking", "adapting", "discovery", "reporting", "callbacks"},
    "face": WORK | {"ranking", "adapting", "discovery", "reporting", "callbacks", "cli"},
    "space": {"contracts"},
    "benchmark": {"contracts"},
}
"""What each room may import besides itself."""


def test_every_import_follows_an_arrow() -> None:
    wrong = [
        f"{module} imports {target}"
        for module, targets in imports().items()
        for target in targets
        if room_of(target) != room_of(module) and room_of(target) not in MAY_IMPORT[room_of(module)]
    ]
    assert not wrong, "\n".join(wrong)


def test_the_arrows_form_no_circle() -> None:
    graphlib.TopologicalSorter(MAY_IMPORT).prepare()


def test_no_files_import_each_other_in_a_circle() -> None:
    try:
        graphlib.TopologicalSorter(imports()).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_every_room_is_known() -> None:
    assert {room_of(module) for module in modules()} <= set(MAY_IMPORT)


def test_every_room_stands_on_one_floor_and_may_import_none_above() -> None:
    rooms = [room for floor in FLOORS.values() for room in floor]
    assert len(rooms) == len(set(rooms)) and set(rooms) == set(MAY_IMPORT)
    level = {room: height for height, floor in enumerate(FLOORS.values()) for room in floor}
    assert [(room, other) for room in rooms for other in MAY_IMPORT[room] if level[other] > level[room]] == []


def test_the_picture_shows_the_rooms_and_arrows_of_today() -> None:
    script = runpy.run_path(str(ROOT / "docs" / "draw_architecture.py"))
    assert script["PICTURE"].read_text() == script["drawn"](), "draw it again: make picture"
    shown = set(re.findall(r'class="room"[^>]*>([^<]+)<', script["PICTURE"].read_text()))
    names = {script["NAMES"].get(room_of(module), room_of(module)) for module in modules()}
    assert shown == names


def test_the_page_names_every_room() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    assert [room for room in MAY_IMPORT if room not in ("face", "version") and f"`{room}" not in page] == []


def test_no_function_is_longer_than_a_page() -> None:
    """A docstring, which holds shapes, errors and an example, does not count: it is read apart from the code."""
    long = [
        f"{module}: {node.name} has {_lines_of(node)} lines"
        for module, path in modules().items()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and _lines_of(node) > 60
    ]
    assert not long, "\n".join(long)


def _lines_of(function: ast.FunctionDef) -> int:
    first = function.body[0]
    docstring = 0 if ast.get_docstring(function) is None else (first.end_lineno or 0) - first.lineno + 1
    return (function.end_lineno or 0) - function.lineno + 1 - docstring
