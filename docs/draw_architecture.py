"""Draws the rooms and who imports whom, read from the imports: PYTHONPATH=tests python docs/draw_architecture.py.

Rooms stand on their floors. Arrows that follow from others are left out (transitive reduction): a room also reaches
what the rooms below its arrows reach. Layers, crossings and bends are settled as in Sugiyama, Tagawa and Toda, IEEE
Transactions on Systems, Man, and Cybernetics 11(2), 1981.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from statistics import fmean

from rooms import FLOORS, room_imports

PICTURE = Path(__file__).with_name("architecture.svg")

NAMES = {"face": "zcproxy", "space": "space (old path)", "benchmark": "benchmark (old path)"}
COLOURS = {
    "ground": "#5f6b7a",
    "meaning": "#1f6f8b",
    "networks": "#2a7f62",
    "parts": "#6b8e23",
    "proxies": "#b8860b",
    "doors": "#c0602b",
    "work": "#b03a48",
    "uses": "#8e3a80",
    "program": "#5b4aa0",
    "face": "#30426e",
}
LEFT, GAP, ROW, HEIGHT, MARGIN = 96.0, 16.0, 74.0, 28.0, 14.0
SWEEPS = 40

Node = str | tuple[str, str, int]
"""A room, or where an arrow from a room to another crosses a row."""


def arrows() -> list[tuple[str, str]]:
    """Return the imports between rooms that do not follow from others."""
    below = {room: sorted(targets - {"version"}) for room, targets in room_imports().items() if room != "version"}

    @cache
    def reached(room: str) -> frozenset[str]:
        return frozenset(below[room]).union(*(reached(target) for target in below[room]))

    return [
        (room, target)
        for room in sorted(below)
        for target in below[room]
        if not any(target in reached(other) for other in below[room] if other != target)
    ]


def rows_of(edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return the row of each room, 0 at the bottom: floors in their order, a row more where a floor imports itself."""
    found: dict[str, int] = {}
    first = 0
    for floor in FLOORS.values():
        rooms = [room for room in floor if room != "version"]
        inside = {room: [target for source, target in edges if source == room and target in rooms] for room in rooms}

        @cache
        def height(room: str, inside: Mapping[str, list[str]] = inside) -> int:  # type: ignore[misc]
            return max((1 + height(target) for target in inside[room]), default=0)

        found |= {room: first + height(room) for room in rooms}
        first = max(found.values()) + 1
    return found


def laid_out(
    edges: Sequence[tuple[str, str]], rows: Mapping[str, int]
) -> tuple[dict[Node, float], list[list[Node]], list[list[Node]]]:
    """Return the middle of each node, the nodes of each row from left to right, and the nodes of each arrow."""
    paths: list[list[Node]] = [
        [source, *((source, target, row) for row in range(rows[source] - 1, rows[target], -1)), target]
        for source, target in edges
    ]
    layers: list[list[Node]] = [[] for _ in range(max(rows.values()) + 1)]
    for room in sorted(rows):
        layers[rows[room]].append(room)
    beside: dict[Node, list[Node]] = {room: [] for room in rows}
    for path in paths:
        for node in path[1:-1]:
            layers[int(node[2])].append(node)
            beside[node] = []
        for upper, lower in itertools.pairwise(path):
            beside[upper].append(lower)
            beside[lower].append(upper)
    middle: dict[Node, float] = {}
    for layer in layers:
        _place(layer, {node: float(place) for place, node in enumerate(layer)}, middle)
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 else reversed(layers):
            wanted = {node: fmean(middle[other] for other in beside[node]) for node in layer if beside[node]}
            wanted |= {node: middle[node] for node in layer if not beside[node]}
            layer.sort(key=lambda node: (wanted[node], str(node)))
            _place(layer, wanted, middle)
    return middle, layers, paths


def _place(layer: Sequence[Node], wanted: Mapping[Node, float], middle: dict[Node, float]) -> None:
    """Set the middles of a row in its order, as near to what is wanted as widths allow."""
    groups: list[tuple[list[Node], float]] = []  # nodes that touch, and where the first one's left side is
    for node in layer:
        members, left = [node], wanted[node] - _width(node) / 2
        while groups and groups[-1][1] + sum(_width(each) + GAP for each in groups[-1][0]) > left:
            before, _ = groups.pop()
            members = before + members
            offsets = [sum(_width(each) + GAP for each in members[:place]) for place in range(len(members))]
            left = fmean(
                wanted[each] - _width(each) / 2 - offset for each, offset in zip(members, offsets, strict=True)
            )
        groups.append((members, left))
    for members, left in groups:
        place = left
        for node in members:
            middle[node] = place + _width(node) / 2
            place += _width(node) + GAP


def _width(node: Node) -> float:
    return 7.6 * len(NAMES.get(node, node)) + 18 if isinstance(node, str) else 4.0


def drawn() -> str:
    """Return the picture as SVG."""
    edges = arrows()
    rows = rows_of(edges)
    middle, layers, paths = laid_out(edges, rows)
    floor_of = {room: floor for floor, rooms in FLOORS.items() for room in rooms}
    least = min(middle[node] - _width(node) / 2 for node in middle)
    across = {node: value - least + LEFT for node, value in middle.items()}
    width = max(across[node] + _width(node) / 2 for node in across) + MARGIN
    height = len(layers) * ROW + MARGIN

    def level(node: Node) -> float:
        row = rows[node] if isinstance(node, str) else node[2]
        return height - MARGIN - (row + 0.5) * ROW

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" font-family="Helvetica, Arial, DejaVu Sans, sans-serif">',
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>',
    ]
    for floor, rooms in FLOORS.items():
        inside = [rows[room] for room in rooms if room in rows]
        top = height - MARGIN - (max(inside) + 1) * ROW
        tall = (max(inside) - min(inside) + 1) * ROW
        lines += [
            f'<marker id="{floor}" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" markerHeight="7" '
            f'orient="auto"><path d="M0 0L8 4L0 8z" fill="{COLOURS[floor]}"/></marker>',
            f'<rect x="4" y="{top + 3:.1f}" width="{width - 8:.1f}" height="{tall - 6:.1f}" rx="6" '
            f'fill="{COLOURS[floor]}" fill-opacity="0.08"/>',
            f'<text x="14" y="{top + tall / 2 + 4:.1f}" font-size="13" fill="{COLOURS[floor]}">{floor}</text>',
        ]
    for path in paths:
        floor = floor_of[str(path[0])]
        lines.append(
            f'<path d="{_curve(path, across, level)}" fill="none" stroke="{COLOURS[floor]}" stroke-width="1.4" '
            f'stroke-opacity="0.75" marker-end="url(#{floor})"/>'
        )
    for room in sorted(rows):
        x, y, wide = across[room], level(room), _width(room)
        lines += [
            f'<rect x="{x - wide / 2:.1f}" y="{y - HEIGHT / 2:.1f}" width="{wide:.1f}" height="{HEIGHT}" rx="5" '
            f'fill="#ffffff" stroke="{COLOURS[floor_of[room]]}" stroke-width="1.6"/>',
            f'<text class="room" x="{x:.1f}" y="{y + 4.5:.1f}" font-size="13" text-anchor="middle" '
            f'fill="#1c2330">{NAMES.get(room, room)}</text>',
        ]
    return "\n".join([*lines, "</svg>"]) + "\n"


def _curve(path: Sequence[Node], across: Mapping[Node, float], level: Callable[[Node], float]) -> str:
    """Return a line of bends from the lower side of the first room to the upper side of the last."""
    points = [(across[node], level(node)) for node in path]
    points[0] = (points[0][0], points[0][1] + HEIGHT / 2)
    points[-1] = (points[-1][0], points[-1][1] - HEIGHT / 2)
    text = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for (x, y), (to_x, to_y) in itertools.pairwise(points):
        half = (y + to_y) / 2
        text += f"C{x:.1f} {half:.1f} {to_x:.1f} {half:.1f} {to_x:.1f} {to_y:.1f}"
    return text


if __name__ == "__main__":
    PICTURE.write_text(drawn())
