"""Proxy files: mutations of real ones, loaded, shown, exported, saved, scored."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from random import Random

from fuzz.client import MARKER, Room
from fuzz.judging import check_characters, judge
from fuzz.materials import FORMULA, RUN, TASK, Materials, copy_tree
from fuzz.mutations import ENDLESS, damage_file, dumped, mutate_json
from fuzz.outcome import Outcome, PromiseError, Verdict, printable
from fuzz.server import Request

FILE = "proxy.json"
_SMALL = ("--networks", "4", "--workers", "1")
_SHOWING = (
    ("proxy", "show", FILE),
    ("proxy", "show", FILE),
    ("proxy", "export", FILE),
    ("proxy", "export", FILE, "--format", "latex"),
)
_COMPUTING = (
    ("score", FILE, TASK, *_SMALL),
    ("table", TASK, "--proxies", f"mine={FILE}", *_SMALL, "--resamples", "10", "--out", "tables"),
    (*RUN, "--generations", "1", "--start-from", FILE, "--workers", "1"),
    ("search", TASK, "--proxy", FILE, "--evaluations", "4", "--population", "4", "--workers", "1"),
)


class Proxies:
    """Mutated files, most of them through all that takes a proxy at once, some through a command."""

    name = "proxies"

    def __init__(self, materials: Materials) -> None:
        self._materials = materials
        paths = [*materials.proxies(), *(materials.warm.work / "run").rglob("*.json")]
        contents = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
        self._known = [content for content in contents if "formula" in content]

    def attempt(self, rng: Random, folder: Path) -> Outcome:
        """Make one file and use it."""
        room = Room(folder).make()
        place = room.work / FILE
        content = dict(rng.choice(self._known))
        if rng.random() < 0.7:
            content["formula"] = rng.choice((FORMULA, "sum(params)", "depth", content["formula"]))
        if rng.random() < 0.3 and isinstance(content.get("correlations"), list):
            content["correlations"] = content["correlations"][:2]
        place.write_bytes(dumped(mutate_json(content, rng), rng))
        shown = printable(place.read_bytes().decode("latin1"))
        if rng.random() < 0.05:
            shown = damage_file(place, rng)
        request = self._request(room, rng, 20 if shown in ENDLESS else 120)
        finished = self._materials.server.run(request)
        outcome = judge(finished)
        try:
            room.check()
        except PromiseError as broken:
            outcome = Outcome(Verdict.FAILED, str(broken))
        case = f"{request.function or ' '.join(request.arguments)} on {shown}"
        return Outcome(outcome.verdict, outcome.kind, outcome.detail, case)

    def _request(self, room: Room, rng: Random, seconds: float) -> Request:
        kind = rng.random()
        if kind < 0.6:
            return room.request([FILE], function="fuzz.proxies:use", seconds=seconds, memory=4 << 30)
        if kind > 0.9:
            copy_tree(self._materials.warm.cache, room.cache)
        return room.request(
            rng.choice(_COMPUTING if kind > 0.9 else _SHOWING),
            seconds=seconds,
            memory=4 << 30,
        )


def use(path: str) -> None:
    """Load a proxy file, save it, load that, export it; raises `PromiseError` where these disagree."""
    from zcproxy.export.latex import latex
    from zcproxy.export.proxy_source import export_python
    from zcproxy.names.proxies import load_proxy

    proxy = load_proxy(path)
    proxy.save("again.json")
    again = load_proxy("again.json")
    if again.formula != proxy.formula or again.name != proxy.name or again.batch_size != proxy.batch_size:
        raise PromiseError("a saved proxy differs from the one that was loaded")
    check_exported(export_python(proxy))
    check_characters(latex(proxy.formula))


def check_exported(source: str) -> None:
    """Raise `PromiseError` unless a source is Python in which no hostile text stands outside of strings."""
    tree = ast.parse(source)
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    texts = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and MARKER in ast.dump(node)]
    if MARKER in names or texts or "os" in names:
        raise PromiseError("a text of the file became code of the export")
    check_characters(source)
