"""Files of runs, searches, builds and benchmarks: mutated as JSON or as files, then used by what reads them.

Nothing that a stored file says may run code: a module `attack` lies in the folder, and mutations name it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from fuzz.client import MARKER, Room
from fuzz.judging import judge
from fuzz.materials import BUILD, SEARCH, SMALL, TASK, Materials, copy_tree
from fuzz.mutations import ENDLESS, damage_file, damage_folder, dumped, mutate_json
from fuzz.outcome import Outcome, PromiseError, Verdict, printable

_SCORE = ("score", "params", "--networks", "4", *SMALL)


@dataclass(frozen=True)
class Reader:
    """A command that reads a stored file.

    Attributes:
        folder: in the working folder, or `cache` or `data`.
        files: patterns of the files that are attacked.
        commands: that read them.
    """

    folder: str
    files: tuple[str, ...]
    commands: tuple[Sequence[str], ...]


READERS = (
    Reader(
        "run",
        ("configuration.json", "limits.json", "checkpoint.json", "environment.json"),
        (
            ("evolve", "--resume", "run", *SMALL),
            ("evolve", "--resume", "run", *SMALL),
            (*_SCORE, TASK, "--unseen-by", "run"),
            ("table", TASK, "--proxies", "params", "--networks", "4", "--resamples", "9", *SMALL, "--unseen-by", "run"),
        ),
    ),
    Reader(
        "search",
        ("search.json", "front.csv"),
        (
            ("search", "--resume", "search", *SMALL),
            ("network", "export", "search"),
            (*SEARCH, "--evaluations", "4", *SMALL, "--reuse", "search", "--out", "other"),
        ),
    ),
    Reader(
        "built",
        ("manifest.json", "build.json"),
        (
            (*_SCORE, "built"),
            (*_SCORE, "built", "--unseen-by", "run"),
            (*BUILD, *SMALL, "--out", "built"),
            ("table", "built", "--proxies", "params", "--networks", "4", "--resamples", "9", *SMALL),
            ("search", "built", *SEARCH[2:], "--evaluations", "4", *SMALL, "--out", "other"),
        ),
    ),
    Reader("cache", ("columns/*/context.json",), (("columns", "info"), (*_SCORE, TASK), ("columns", "clear"))),
    Reader(
        "data",
        ("imported/*/*.json",),
        (("benchmark", "verify", "transnas101"), ("benchmark", "list"), (*_SCORE, "transnas101/micro-object")),
    ),
)
_ATTACKS = (
    "attack:run",
    "os:system",
    "attack:Space",
    "attack",
    "digits201",
    "built",
    "built/../built",
    "run",
    "/dev/zero",
)
_OPTIONS: tuple[Any, ...] = (
    {"command": f"touch {MARKER}"},
    {"channels": "2"},
    {"channels": True},
    {"channels": 10**9},
    {},
    [],
    None,
)
_MODULE = f"open({MARKER!r}, 'w').close()\ndef run(*a, **k): pass\nclass Space: pass\n"


class Stored:
    """One file of one folder is changed, then a command uses it."""

    name = "stored"

    def __init__(self, materials: Materials) -> None:
        self._materials = materials
        _ = materials.warm, materials.imported

    def attempt(self, rng: Random, folder: Path) -> Outcome:
        """Change one file and run one command."""
        room = Room(folder).make()
        reader = rng.choice(READERS)
        copy_tree(self._materials.warm.root, room.root)
        copy_tree(self._materials.imported.data, room.data)
        (room.work / "attack.py").write_text(_MODULE)
        base = {"cache": room.cache, "data": room.data}.get(reader.folder, room.work / reader.folder)
        places = sorted(path for pattern in reader.files for path in base.glob(pattern))
        change = self._change(rng.choice(places), base, reader, rng)
        command = rng.choice(reader.commands)
        endless = change.endswith(ENDLESS)
        request = room.request(command, seconds=20, memory=4 << 30)
        finished = self._materials.server.run(request)
        outcome = judge(finished, may_be_long=not endless)
        try:
            room.check()
        except PromiseError as broken:
            outcome = Outcome(Verdict.FAILED, str(broken))
        return Outcome(outcome.verdict, outcome.kind, outcome.detail, f"{' '.join(command)}, {change}")

    def _change(self, place: Path, base: Path, reader: Reader, rng: Random) -> str:
        name = str(place.relative_to(base.parent))
        kind = rng.random()
        if kind < 0.12:
            return f"{name}: {damage_file(place, rng)}"
        if kind < 0.16 and reader.folder in ("run", "search", "built"):
            return f"{reader.folder}: {damage_folder(base, rng)}"
        if place.suffix == ".csv":
            content = place.read_text().splitlines()
            rng.shuffle(content)
            place.write_text("\n".join(content[: rng.randint(0, len(content))]))
            return f"{name}: lines shuffled"
        content = json.loads(place.read_text(encoding="utf-8"))
        changed = _directed(content, rng) if rng.random() < 0.3 else mutate_json(content, rng)
        place.write_bytes(dumped(changed, rng))
        return f"{name}: {printable(place.read_bytes().decode('latin1'), 1500)}"


def _directed(content: dict[str, object], rng: Random) -> dict[str, object]:
    """Return a configuration or manifest that names code."""
    word = rng.choice(_ATTACKS)
    changed = dict(content)
    for key in ("space", "space_options", "tasks", "hold_out", "dataset", "device", "table", "start_from"):
        if key in changed and rng.random() < 0.6:
            old = changed[key]
            changed[key] = rng.choice(_OPTIONS) if isinstance(old, dict) else [word] if isinstance(old, list) else word
    if isinstance(changed.get("setting"), dict):
        key = rng.choice(("subject", "shared_weights", "dataset", "formula", "device", "weights"))
        changed["setting"] = {**changed["setting"], key: word}  # type: ignore[dict-item]
    return changed
