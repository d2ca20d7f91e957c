"""Commands that are killed at random moments, several times, and resumed: the end equals an uninterrupted run.

Moments are drawn over the whole life of an uninterrupted run, its last writes included. A killed command stops at once,
leaves no process behind and shows no traceback.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from signal import Signals

from fuzz.client import Room
from fuzz.judging import check_characters, check_traceback
from fuzz.materials import BUILD, RUN, SEARCH, TABLE, Materials
from fuzz.outcome import Outcome, PromiseError, Verdict, printable
from fuzz.server import Finished
from fuzz.trees import check_equal_trees

COMMANDS: dict[str, Sequence[str]] = {"evolve": RUN, "search": SEARCH, "table": TABLE, "build": BUILD}
OUT = "out"
RESUMABLE = {"evolve": ("evolve", "--resume", OUT), "search": ("search", "--resume", OUT)}

SLOW = 5.0
"""Seconds after a signal that count as not stopping: one is promised, on a machine that has room."""

_LIMIT = 600.0


@dataclass(frozen=True)
class _Life:
    """An uninterrupted run: its room, and its seconds."""

    room: Room
    seconds: float


class Kills:
    """One command with one or two workers, killed one to four times, then completed."""

    name = "kills"

    def __init__(self, materials: Materials) -> None:
        self._materials = materials
        self._lives: dict[tuple[str, int], _Life] = {}

    def attempt(self, rng: Random, folder: Path, commands: Sequence[str] = (), workers: int | None = None) -> Outcome:
        """Kill one command and complete it; `commands` and `workers` narrow what is drawn."""
        name = rng.choice([*(commands or COMMANDS)])
        count = workers or rng.choice((1, 2))
        life = self._life(name, count)
        room = Room(folder).make()
        history: list[str] = []
        killed = 0
        try:
            for _ in range(rng.choice((1, 1, 2, 3, 4))):
                hit = self._interrupted(name, count, life, room, rng, history)
                if hit is None:
                    break
                killed += hit
            self._complete(name, count, room, history, rng)
            check_equal_trees(life.room.work / OUT, room.work / OUT)
            room.check()
            outcome = Outcome(Verdict.FINE)
        except PromiseError as broken:
            kind, _, detail = str(broken).partition(": ")
            outcome = Outcome(Verdict.FAILED, kind, detail)
        case = f"{name}, {count} workers: {'; '.join(history)}"
        return Outcome(outcome.verdict, outcome.kind, outcome.detail, case, parts=killed)

    def _life(self, name: str, workers: int) -> _Life:
        if (name, workers) not in self._lives:
            room = self._materials.room(f"whole {name} {workers}")
            finished = self._run(self._begin(name, workers), room)
            if finished.code != 0:
                raise RuntimeError(f"{name} exits with {finished.code}: {finished.err[-2000:]}")
            self._lives[name, workers] = _Life(room, finished.seconds)
        return self._lives[name, workers]

    def _begin(self, name: str, workers: int) -> list[str]:
        return [*COMMANDS[name], "--workers", str(workers), "--out", OUT]

    def _run(self, words: Sequence[str], room: Room, signals: Sequence[tuple[float, int, bool]] = ()) -> Finished:
        return self._materials.server.run(room.request(words, seconds=_LIMIT, signals=list(signals)))

    def _words(self, name: str, workers: int, room: Room, rng: Random) -> list[str]:
        """Return the command that begins or goes on: the same again, or `--resume` where there is something."""
        if name in RESUMABLE and any((room.work / OUT).glob("*.json")) and rng.random() < 0.5:
            return [*RESUMABLE[name], "--workers", str(workers)]
        return self._begin(name, workers)

    def _interrupted(
        self, name: str, workers: int, life: _Life, room: Room, rng: Random, history: list[str]
    ) -> int | None:
        """Run until a signal; return whether it met the command alive, None if the command refused to go on."""
        number = rng.choice((Signals.SIGKILL, Signals.SIGTERM, Signals.SIGINT))
        group = number is Signals.SIGINT or rng.random() < 0.5
        moment = rng.uniform(0, life.seconds)
        words = self._words(name, workers, room, rng)
        finished = self._run(words, room, [(moment, int(number), group)])
        history.append(
            f"{' '.join(words[:2])} {number.name}{' to all' if group else ''} at {moment:.2f} s: {finished.code}"
        )
        if finished.timed_out:
            raise PromiseError(f"{number.name} does not stop it: {printable(finished.err[-500:])}")
        if finished.left_behind:
            raise PromiseError(f"processes left behind after {number.name}")
        check_traceback(finished.err)
        check_characters(finished.err)
        if not finished.signalled:
            if finished.code == 2 and "--resume" in words:  # killed before anything was written: begin anew
                return None
            _check_code(finished, (0,), number.name)
            return 0
        if number is not Signals.SIGKILL and finished.after_signal > SLOW:
            raise PromiseError(f"slow to stop after {number.name}: {finished.after_signal:.1f} s")
        codes = {Signals.SIGKILL: (-9,), Signals.SIGTERM: (143, -15), Signals.SIGINT: (130, -2)}[number]
        _check_code(finished, (*codes, 0), number.name)
        return 1

    def _complete(self, name: str, workers: int, room: Room, history: list[str], rng: Random) -> None:
        words = self._words(name, workers, room, rng)
        finished = self._run(words, room)
        if finished.code == 2 and "--resume" in words:
            history.append("--resume refused")
            words = self._begin(name, workers)
            finished = self._run(words, room)
        history.append(f"{' '.join(words[:2])}: {finished.code}")
        check_traceback(finished.err)
        _check_code(finished, (0,), "completing")


def _check_code(finished: Finished, codes: Sequence[int], what: str) -> None:
    if finished.code not in codes:
        raise PromiseError(f"exit code {finished.code} after {what}: {printable(finished.err[-800:])}")
