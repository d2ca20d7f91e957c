"""Runs subjects for a number of tries or minutes, shows how it goes, and writes what failed.

Every try is made again by `python -m fuzz --subject NAME --seed SEED --index INDEX`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Protocol

from fuzz.materials import Materials
from fuzz.outcome import Outcome, Verdict, try_random

KEPT = 20
"""Failures of one kind that are written to files."""

SHOWN_EVERY = 10.0
"""Seconds between two lines of progress."""


class Subject(Protocol):
    """What is attacked. It is made with the materials; a try depends on its generator alone."""

    name: str

    def attempt(self, rng: Random, folder: Path) -> Outcome:
        """Make one try; `folder` is for it alone, and does not exist yet."""
        ...


SUBJECTS = {
    "formulas": ("fuzz.formulas:Formulas", 2),
    "proxies": ("fuzz.proxies:Proxies", 2),
    "stored": ("fuzz.stored:Stored", 3),
    "journals": ("fuzz.journals:Journals", 2),
    "tables": ("fuzz.tables:Tables", 2),
    "pickles": ("fuzz.pickles:Pickles", 2),
    "commands": ("fuzz.commands:Commands", 6),
    "flips": ("fuzz.flips:Flips", 4),
    "kills": ("fuzz.kills:Kills", 7),
}
"""Name -> class, and its part of thirty minutes."""


def make_subject(name: str, materials: Materials) -> Subject:
    """Return a subject by its name."""
    module, _, kind = SUBJECTS[name][0].partition(":")
    made: Callable[[Materials], Subject] = getattr(import_module(module), kind)
    return made(materials)


@dataclass
class Tally:
    """What the tries of one subject came to.

    Attributes:
        subject: its name.
        seed: of all tries.
        verdicts: how many ended how.
        kinds: how many failures there are of each kind.
        first: index of the first failure of each kind.
        seconds: for all tries.
        parts: attacks that the tries were made of, see `Outcome`.
    """

    subject: str
    seed: int
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    first: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    parts: int = 0

    @property
    def tries(self) -> int:
        return self.verdicts.total()

    def add(self, index: int, outcome: Outcome) -> None:
        """Count one try."""
        self.verdicts[outcome.verdict] += 1
        self.parts += outcome.parts
        if outcome.verdict is Verdict.FAILED:
            self.kinds[outcome.kind] += 1
            self.first.setdefault(outcome.kind, index)

    def as_dict(self) -> dict[str, Any]:
        """Return the counts as JSON can hold them."""
        counts = {verdict.value: self.verdicts[verdict] for verdict in Verdict}
        kinds = {kind: {"count": number, "first": self.first[kind]} for kind, number in self.kinds.most_common()}
        numbers = {"subject": self.subject, "seed": self.seed, "tries": self.tries, "attacks": self.parts, **counts}
        return {**numbers, "seconds": round(self.seconds, 1), "kinds": kinds}


def attack(
    name: str,
    materials: Materials,
    seed: int,
    indices: Iterable[int],
    *,
    seconds: float | None = None,
    total: int | None = None,
    out: Path | None = None,
    show: Callable[[str], None] = print,
) -> Tally:
    """Make tries of one subject and return what they came to.

    Args:
        name: of the subject.
        materials: what attacks begin with.
        seed: of all tries.
        indices: of the tries.
        seconds: after which no further try begins; None for no limit.
        total: how many indices there are, for the estimate.
        out: folder for a file a failure; None for none.
        show: takes lines of progress.
    """
    tally, chosen = Tally(name, seed), make_subject(name, materials)
    started = shown = time.monotonic()
    for index in indices:
        if seconds is not None and time.monotonic() - started > seconds:
            break
        folder = materials.root / f"{name}-{index}"
        outcome = _attempt(chosen, try_random(seed, name, index), folder)
        shutil.rmtree(folder, ignore_errors=True)
        tally.add(index, outcome)
        tally.seconds = time.monotonic() - started
        if outcome.verdict is Verdict.FAILED and out is not None and tally.kinds[outcome.kind] <= KEPT:
            _write_failure(out, tally, index, outcome)
        if time.monotonic() - shown > SHOWN_EVERY:
            shown = time.monotonic()
            show(_progress(tally, seconds, total))
    return tally


def _attempt(chosen: Subject, rng: Random, folder: Path) -> Outcome:
    """Make one try; a mistake of the suite is a failure of its own kind, not the end of the campaign."""
    try:
        return chosen.attempt(rng, folder)
    except Exception as error:  # noqa: BLE001
        return Outcome(Verdict.FAILED, f"mistake of the suite: {type(error).__name__}", traceback.format_exc()[-3000:])


def _progress(tally: Tally, seconds: float | None, total: int | None) -> str:
    left = None if seconds is None else seconds - tally.seconds
    if total is not None:
        left = min(left or 1e9, (total - tally.tries) * tally.seconds / tally.tries)
    clock = "" if left is None else f", {int(left) // 60}:{int(left) % 60:02d} left"
    of = "" if total is None else f" of {total:,}"
    return f"{tally.subject}: {tally.tries:,}{of} tries, {tally.verdicts[Verdict.FAILED]:,} failed{clock}"


def replay_command(subject: str, seed: int, index: int) -> str:
    """Return the command that makes a try again."""
    return f"PYTHONPATH=tests python -m fuzz --subject {subject} --seed {seed} --index {index}"


def _write_failure(out: Path, tally: Tally, index: int, outcome: Outcome) -> None:
    content = {
        "replay": replay_command(tally.subject, tally.seed, index),
        "kind": outcome.kind,
        "case": outcome.case,
        "detail": outcome.detail,
    }
    folder = out / "failures"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{tally.subject}-{tally.seed}-{index}.json").write_text(json.dumps(content, indent=1) + "\n")


def table(tallies: Sequence[Tally]) -> str:
    """Return a table of what the subjects came to, and of the kinds of failures."""
    heading = ("subject", "tries", "attacks", *(verdict.value for verdict in Verdict), "s a try")
    lines = [f"{heading[0]:10}" + "".join(f"{word:>10}" for word in heading[1:])]
    for tally in tallies:
        numbers = [tally.tries, tally.parts, *(tally.verdicts[verdict] for verdict in Verdict)]
        pace = tally.seconds / max(tally.tries, 1)
        lines.append(f"{tally.subject:10}" + "".join(f"{number:>10,}" for number in numbers) + f"{pace:>10.2g}")
    for tally in tallies:
        for kind, number in tally.kinds.most_common():
            lines.append(f"{number:6,} x {tally.subject}: {kind} (first: --index {tally.first[kind]})")
    return "\n".join(lines)


def main() -> None:
    """Run the driver."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--subject", choices=SUBJECTS, action="append", help="one or several; all if not given")
    parser.add_argument("--minutes", type=float, help="of all subjects together")
    parser.add_argument("--tries", type=int, help="of each subject")
    parser.add_argument("--first", type=int, default=0, help="index of the first try")
    parser.add_argument("--index", type=int, help="make this one try and show it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="folder for counts.json and failures/")
    parser.add_argument("--scratch", type=Path, help="folder that tries are made in; a temporary one if not given")
    options = parser.parse_args()
    os.nice(19 - os.nice(0))
    names = options.subject or list(SUBJECTS)
    parent = Path(tempfile.mkdtemp(prefix="fuzz-", dir=options.scratch))
    materials = Materials(parent)
    try:
        if options.index is not None:
            raise SystemExit(_replay(names[0], materials, options))
        raise SystemExit(_campaign(names, materials, options))
    finally:
        materials.close()
        shutil.rmtree(parent, ignore_errors=True)


def _replay(name: str, materials: Materials, options: argparse.Namespace) -> int:
    rng = try_random(options.seed, name, options.index)
    outcome = _attempt(make_subject(name, materials), rng, materials.root / "again")
    print(f"{outcome.verdict.value} {outcome.kind}\n{outcome.case}\n{outcome.detail}")
    return int(outcome.verdict is Verdict.FAILED)


def _campaign(names: Sequence[str], materials: Materials, options: argparse.Namespace) -> int:
    parts = sum(SUBJECTS[name][1] for name in names)
    tallies = []
    for name in names:
        seconds = None if options.minutes is None else 60 * options.minutes * SUBJECTS[name][1] / parts
        tries = options.tries if options.tries or options.minutes else 100
        indices = count(options.first) if tries is None else range(options.first, options.first + tries)
        tallies.append(attack(name, materials, options.seed, indices, seconds=seconds, total=tries, out=options.out))
        if options.out is not None:
            options.out.mkdir(parents=True, exist_ok=True)
            text = json.dumps([tally.as_dict() for tally in tallies], indent=1) + "\n"
            (options.out / "counts.json").write_text(text)
    print(table(tallies))
    print(json.dumps([tally.as_dict() for tally in tallies]))
    return int(any(tally.kinds for tally in tallies))
