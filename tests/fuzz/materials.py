"""What attacks begin with: a run, a search, a built benchmark, tables and a warm cache, made once by the commands."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from fuzz.client import Room, Server

TASK = "digits201"
FORMULA = "sum(frobenius_norm(grad(weight)@noise))"
SMALL = ("--workers", "1")

RUN: tuple[str, ...] = (
    *("evolve", TASK, "--networks", "16", "--test-networks", "4", "--generations", "2", "--probes", "noise"),
    *("--batch-size", "4", "--max-size", "8"),
)
SEARCH = ("search", TASK, "--proxy", FORMULA, "--minimize", "macs", "--evaluations", "12", "--population", "4")
BUILD: tuple[str, ...] = (
    *("benchmark", "build", "--space", "nasbench201", "--space-option", "channels=2", "--space-option", "cells=1"),
    *("--dataset", "digits", "--networks", "4", "--seeds", "2", "--epochs", "1"),
)
TABLE = ("table", TASK, "--proxies", f"params,mine={FORMULA}", "--networks", "8", "--resamples", "20")

RESULTS = Path(__file__).resolve().parents[2] / "results"


class Materials:
    """Folders that are copied, never changed, and the server that runs commands.

    Args:
        root: where they are made.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def server(self) -> Server:
        """Runs commands; started when first needed."""
        return Server(self.root)

    def close(self) -> None:
        """End the server where there is one."""
        if "server" in self.__dict__:
            self.server.close()

    def room(self, name: str) -> Room:
        """Return an empty room."""
        return Room(self.root / name).make()

    def make(self, room: Room, arguments: Sequence[str]) -> None:
        """Run a command that must succeed."""
        finished = self.server.run(room.request([*arguments, *SMALL], seconds=300))
        if finished.code != 0:
            raise RuntimeError(f"{arguments} exits with {finished.code}: {finished.err[-2000:]}")

    @cached_property
    def warm(self) -> Room:
        """A room with `run`, `search`, `built` and `tables` in its working folder, and the cache that they left."""
        room = self.room("warm")
        for arguments, out in ((RUN, "run"), (SEARCH, "search"), (BUILD, "built"), (TABLE, "tables")):
            self.make(room, [*arguments, "--out", out])
        self.make(room, ["score", "params", "built", "--networks", "4"])
        return room

    @cached_property
    def imported(self) -> Room:
        """A room with an imported table of TransNAS-Bench-101 in its data directory, and the official-like file."""
        room = self.room("imported")
        (room.work / TRANSNAS).write_text(transnas_table())
        arguments = ["benchmark", "import", "transnas101", TRANSNAS, "--trust"]
        finished = self.server.run(room.request(arguments))
        if finished.code != 0:
            raise RuntimeError(f"{arguments} exits with {finished.code}: {finished.err[-2000:]}")
        return room

    def proxies(self) -> list[Path]:
        """Return the files of real proxies."""
        return sorted(
            [*RESULTS.glob("proxies/*.json"), *RESULTS.glob("*/*/seed-*.json"), *RESULTS.glob("*/seed-*.json")]
        )


TRANSNAS = "transbench101_class_object.csv"


def transnas_table() -> str:
    """Return a table of results as the authors of NASGraph wrote it, of a few networks."""
    micro = [
        f"64-41414-{a}_{b}{c}_{d}{e}{f}" for a, b, c, d, e, f in ("123012", "310213", "333333", "123123", "031032")
    ]
    macro = [f"64-{text}-basic" for text in ("1234", "13113", "4111", "112341")]
    rows = [f"{text},{kind},{30 + 3.7 * number:.3f}"
            for kind, names in (("micro", micro), ("macro", macro)) for number, text in enumerate(names)]  # fmt: skip
    return "\n".join(["arch_str,search_space,test_top1", *rows, ""])


def copy_tree(source: Path, target: Path) -> None:
    """Copy a folder over one that is there already."""
    shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
