"""Journals of runs, searches and builds: damaged, then resumed; the result is refused or that of an undamaged one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random

from fuzz import hostile
from fuzz.client import Room
from fuzz.judging import judge
from fuzz.materials import BUILD, SMALL, Materials, copy_tree
from fuzz.mutations import damage_file, flip_bits, mutate_json
from fuzz.outcome import Outcome, PromiseError, Verdict, printable
from fuzz.trees import check_equal_trees

JOURNALS = {
    "run/journal.jsonl": ("evolve", "--resume", "run", *SMALL),
    "search/journal.jsonl": ("search", "--resume", "search", *SMALL),
    "built/trainings.jsonl": (*BUILD, *SMALL, "--out", "built"),
}
"""Journal -> the command that goes on with it."""

_LINES = (
    "5",
    "null",
    "[1]",
    "{}",
    "",
    " ",
    '"x"',
    "{",
    "}",
    "NaN",
    "true",
    '{"epoch": 1}',
    '{"arch": "x"}',
    "\x00" * 50,
)


class Journals:
    """One journal is damaged after its results were deleted, or not, and goes on."""

    name = "journals"

    def __init__(self, materials: Materials) -> None:
        self._materials = materials
        _ = materials.warm

    def attempt(self, rng: Random, folder: Path) -> Outcome:
        """Damage one journal and go on."""
        room = Room(folder).make()
        warm = self._materials.warm
        copy_tree(warm.root, room.root)
        journal = rng.choice(list(JOURNALS))
        target = room.work / journal
        if rng.random() < 0.7:
            for name in ("manifest.json", "best.json", "evaluations.parquet", "front.csv"):
                (target.parent / name).unlink(missing_ok=True)
        change = damaged_journal(target, rng)
        finished = self._materials.server.run(room.request(JOURNALS[journal], seconds=120))
        outcome = judge(finished)
        try:
            room.check()
            if finished.code == 0:
                check_equal_trees(
                    warm.work / target.parent.name, target.parent, journals=journal != "run/journal.jsonl"
                )
        except PromiseError as broken:
            outcome = Outcome(Verdict.FAILED, f"{journal}: {broken}", outcome.detail)
        return Outcome(outcome.verdict, outcome.kind, outcome.detail, f"{journal}: {change}")


def damaged_journal(path: Path, rng: Random) -> str:
    """Damage a journal, and return how."""
    content = path.read_bytes()
    lines = content.decode("utf-8").splitlines()
    kind = rng.choice(("flip", "flip", "digit", "digit", "lines", "line", "key", "bytes", "text", "file", "tear"))
    place = rng.randrange(len(lines))
    if kind == "file":
        return damage_file(path, rng)
    if kind == "flip":
        path.write_bytes(flip_bits(content, rng, rng.choice((1, 1, 1, 3))))
    elif kind == "digit":
        digits = [match.start() for match in re.finditer(rb"\d", content)]
        at = rng.choice(digits)
        path.write_bytes(content[:at] + rng.choice([b"0", b"1", b"5", b"9"]) + content[at + 1 :])
    elif kind == "tear":
        path.write_bytes(content[: rng.randrange(len(content) + 1)])
    elif kind == "bytes":
        at = rng.randrange(len(content))
        path.write_bytes(
            content[:at] + rng.choice((b"\xff", b"\x00", b"\xfe\xff", b"\n", b"\r", b"\x1b[2J")) + content[at:]
        )
    else:
        if kind == "lines":
            other = rng.randrange(len(lines))
            lines[place], lines[other] = lines[other], lines[place]
            lines = rng.choice((lines, lines + lines[place:], lines[:place] + lines[place + 1 :]))
        elif kind == "line":
            lines.insert(rng.randrange(len(lines) + 1), rng.choice(_LINES))
        elif kind == "key":
            lines[place] = json.dumps(mutate_json(json.loads(lines[place]), rng))
        else:
            lines.insert(place, hostile.text(rng))
        path.write_text("\n".join(lines) + rng.choice(("\n", "\n", "")), encoding="utf-8", errors="surrogateescape")
    return f"{kind}: {printable(path.read_bytes().decode('latin1'), 800)}"
