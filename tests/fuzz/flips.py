"""Flipped bits in stored files: what reads them gives the same result, or refuses; no number is wrong, no process dies.

Configurations are left out: a person may edit them, and another number in one asks for another result. `fuzz.stored`
attacks them.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from fuzz.client import Room
from fuzz.journals import JOURNALS
from fuzz.judging import judge
from fuzz.materials import BUILD, FORMULA, SMALL, TASK, Materials, copy_tree
from fuzz.mutations import flip_bits
from fuzz.outcome import Outcome, PromiseError, Verdict
from fuzz.server import Request
from fuzz.trees import check_equal_trees

_IMAGES = "sum(frobenius_norm(grad(weight)@data))"
_RESUME = JOURNALS["run/journal.jsonl"]


@dataclass(frozen=True)
class Target:
    """A kind of stored file.

    Attributes:
        name: of the kind.
        files: pattern of the files below the room.
        command: that reads them; of one word, it is a function of this module that prints what it read.
        result: folder below the working folder that the command writes; empty for a function.
        delete: files of the working folder that are deleted first, so that they are written anew.
        weight: how often it is drawn.
    """

    name: str
    files: str
    command: Sequence[str]
    result: str
    delete: tuple[str, ...] = ()
    weight: int = 1


_FINISHED = ("run/best.json", "run/correlations.csv")
_SCORED = ("--networks", "16", *SMALL, "--out", "again/scores.csv")
_BUILT_TABLE = ("table", "built", "--networks", "4", "--resamples", "9", *SMALL, "--out", "again")
TARGETS = (
    Target("store", "cache/columns/*/*.arrow", ("score", FORMULA, TASK, *_SCORED), "again", weight=5),
    Target("store of a run", "cache/columns/*/*.arrow", _RESUME, "run", _FINISHED, weight=3),
    Target("context", "cache/columns/*/context.json", ("score", FORMULA, TASK, *_SCORED), "again"),
    Target("weights", "work/kept/*", ("read_kept_weights",), "", weight=4),
    Target("checkpoint", "work/run/checkpoint.json", _RESUME, "run", _FINISHED),
    Target("journal of a run", "work/run/journal.jsonl", _RESUME, "run", _FINISHED),
    Target("journal of a search", "work/search/journal.jsonl", JOURNALS["search/journal.jsonl"], "search", (), 2),
    Target(
        "journal of a build",
        "work/built/trainings.jsonl",
        (*BUILD, *SMALL, "--out", "built"),
        "built",
        ("built/manifest.json", "built/labels.parquet", "built/curves.parquet", "built/images.npz"),
    ),
    Target("front", "work/search/front.csv", ("network", "export", "search", "--out", "again/network.py"), "again"),
    Target("imported table", "data/imported/*/micro-object*", ("read_imported_table",), "", weight=3),
    Target("built benchmark", "work/built/*", (*_BUILT_TABLE, "--proxies", f"params,mine={_IMAGES}"), "again", (), 3),
)


class Flips:
    """One to three bits of one stored file are flipped, then a command reads it."""

    name = "flips"

    def __init__(self, materials: Materials) -> None:
        self._materials = materials
        # Results name the paths of folders: all tries are made in one place.
        self._place = materials.root / "flipped"
        self._references: dict[str, tuple[Path, str]] = {}

    def attempt(self, rng: Random, folder: Path) -> Outcome:
        """Flip bits of one file and use it."""
        target = rng.choices(TARGETS, [each.weight for each in TARGETS])[0]
        expected, printed = self._reference(target)
        room = self._furnished(target)
        place = rng.choice(sorted(path for path in room.root.glob(target.files) if path.is_file()))
        place.write_bytes(flip_bits(place.read_bytes(), rng, rng.choice((1, 1, 1, 2, 3))))
        finished = self._materials.server.run(_request(room, target))
        outcome = judge(finished)
        try:
            if finished.code == 0 and finished.out != printed and not target.result:
                raise PromiseError("other numbers are read")
            if finished.code == 0 and target.result:
                # The journal of a run is read by nobody but its user: results do not come from it.
                check_equal_trees(expected, room.work / target.result, journals=target.result != "run")
        except PromiseError as broken:
            outcome = Outcome(Verdict.FAILED, f"wrong result: {broken}", outcome.detail)
        kind = outcome.kind and f"{target.name}: {outcome.kind}"
        return Outcome(outcome.verdict, kind, outcome.detail, f"{target.name}: {place.relative_to(room.root)}")

    def _reference(self, target: Target) -> tuple[Path, str]:
        """Return the result of the command of a target on undamaged files, and what it printed."""
        if target.name not in self._references:
            room = self._furnished(target)
            finished = self._materials.server.run(_request(room, target))
            if finished.code != 0:
                raise RuntimeError(f"{target.command} exits with {finished.code}: {finished.err[-2000:]}")
            kept = self._materials.root / f"result of {target.name}"
            if target.result:
                shutil.copytree(room.work / target.result, kept)
            self._references[target.name] = kept, finished.out
        return self._references[target.name]

    def _furnished(self, target: Target) -> Room:
        room = Room(self._place).make()
        source = self._scored
        for part in ("work", "cache", "data"):
            copy_tree(source.root / part, room.root / part)
        for name in target.delete:
            (room.work / name).unlink()
        return room

    @property
    def _scored(self) -> Room:
        """A room with all that is flipped; made once."""
        place = self._materials.root / "scored"
        if place.exists():
            return Room(place)
        warm, imported = self._materials.warm, self._materials.imported
        room = self._materials.room("scored")
        copy_tree(warm.root, room.root)
        copy_tree(imported.data, room.data)
        self._materials.make(room, ["score", FORMULA, TASK, "--networks", "16"])
        (room.work / "kept").mkdir()
        request = room.request([], function="fuzz.flips:keep_weights")
        if self._materials.server.run(request).code != 0:
            raise RuntimeError("weights cannot be kept")
        shutil.rmtree(room.work / "tables")
        return room


def _request(room: Room, target: Target) -> Request:
    if not target.result:
        return room.request([], function=f"fuzz.flips:{target.command[0]}", memory=4 << 30)
    return room.request(target.command, seconds=300, memory=4 << 30)


_WEIGHTS = Path("kept/weights.pt")


def keep_weights() -> None:
    """Write untrained weights of the largest sub-network as trained ones are kept."""
    import torch

    from zcproxy.benchmarks.elastic_digits.super_network import ElasticDigits
    from zcproxy.reading.weights import save_weights

    space = ElasticDigits()
    torch.manual_seed(0)
    network = space.sub_network({name: options[-1] for name, options in space.choices.items()})
    save_weights(_WEIGHTS, {name: value.detach() for name, value in network.named_parameters()})


def read_kept_weights() -> None:
    """Read kept weights and print a digest of them."""
    from zcproxy.reading.weights import read_weights

    found = read_weights(_WEIGHTS)
    texts = [
        f"{name} {value.dtype} {tuple(value.shape)} {value.numpy().tobytes().hex()}" for name, value in found.items()
    ]
    print(hashlib.sha256("\n".join(texts).encode()).hexdigest())


def read_imported_table() -> None:
    """Print the labels of an imported table."""
    from zcproxy.names.tasks import get_task

    task = get_task("transnas101/micro-object")
    names = task.architectures("all")
    print(dict(zip(names, task.labels(names).tolist(), strict=True)))
