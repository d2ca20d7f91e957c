"""Command lines: every command and option, with values that are right, at a bound, nonsense or hostile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from random import Random

from fuzz import hostile
from fuzz.client import Room
from fuzz.interface import Command, Parameter, commands
from fuzz.judging import judge
from fuzz.materials import FORMULA, TASK, TRANSNAS, Materials, copy_tree
from fuzz.outcome import Outcome, PromiseError, Verdict, printable

CHEAP: Mapping[str, Mapping[str, str]] = {
    "": {"workers": "1", "resamples": "20"},
    "score": {"networks": "4"},
    "table": {"networks": "4", "proxies": "params,mine=sum(log(params))"},
    "evolve": {"networks": "16", "test_networks": "4", "generations": "1", "probes": "noise", "batch_size": "4"}
    | {"max_size": "8", "new_columns": "0"},
    "search": {"evaluations": "4", "population": "4", "epochs": "1", "inner_evaluations": "8"},
    "benchmark build": {"networks": "2", "seeds": "1", "epochs": "1", "space_option": "channels=2"},
}
"""What is always given, so that a command computes little; an attack may give something else."""

RIGHT: Mapping[str, Sequence[str]] = {
    "proxy": ("params", "synflow", "zc-forward", "sum(log(params))", FORMULA, "proxy.json", "run/best.json"),
    "task": (TASK, "built"),
    "tasks": (TASK, "built"),
    "subject": (TASK, "built", "nasbench201"),
    "proxies": ("params", "params,mine=proxy.json", "ranks(params, sum(log(macs)))"),
    "compare_with": ("params", "synflow"),
    "start_from": ("params", "zoo", "sum(log(params))"),
    "hold_out": ("nds", TASK),
    "unseen_by": ("run",),
    "resume_from": ("run", "search", "new"),
    "reuse": ("search",),
    "search": ("search",),
    "maximize": ("proxy", "params"),
    "minimize": ("macs", "params,macs", "peak_memory_mb"),
    "limit": ("macs=1M", "params=300", "latency_ms=20"),
    "space": ("nasbench201", "nds_darts", "spaces:Small"),
    "space_option": ("channels=2", "cells=1"),
    "dataset": ("digits", "cifar10:directory", "hf:x", "spaces:data"),
    "name": ("transnas101", "nds", "nasbench201", "nats_sss", "ofa_mobilenetv3"),
    "names": ("transnas101", "nds"),
    "path": (TRANSNAS, "table.csv", "built"),
    "table": ("table.csv", "table.parquet"),
    "shared_weights": ("weights.pt",),
    "model": (
        *("models:small", "models:missing", "models:number", "models:broken", "models:leaves", "models:own_error"),
        *("models:keeps", "syntax:x", ".m:f", ":", "m:"),
    ),
    "input_shape": ("3x8x8", "3x9x9", "1x12x12", "3x8", "8", "3x100000x100000", "0x8x8", "3x-8x8", "3x8x²"),
    "budget": ("1s", "2s", "1h30m", "0.5s", "s", "-5m", "9" * 400 + "s", "1e3s", "²s"),
    "out": ("new", "new/deeper/file", "proxy.json", "run", "search", "built", "odd/null", "odd/full", "odd/name-0"),
    "device": ("cpu", "cuda", "cuda:0", "cpu:5", "meta", "mps", "vulkan", "gpu", "cpu,cuda"),
    "probes": ("noise", "noise,ones", "data", "noise,noise", ","),
    "cases": ("top", "bands,partial"),
    "without": ("constants", "gradients", "log,exp", "constants,gradients"),
    "arch": ("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|",),
    "workers": ("1", "1", "2", "0", "-1", "9" * 20, "9" * 5000, "²", "1.5", "x"),
}
"""Values by the name of a parameter; others get words of their own description."""

HEAVY: tuple[str, ...] = (
    *(
        "networks",
        "test_networks",
        "generations",
        "evaluations",
        "budget",
        "epochs",
        "seeds",
        "resamples",
        "population",
    ),
    *("initialisations", "inner_evaluations", "warm_start", "batch_size", "latency_batch_size", "new_columns"),
    *(
        "max_size",
        "input_shape",
        "proxies",
        "start_from",
        "probes",
        "space",
        "space_option",
        "tasks",
        "task",
        "subject",
    ),
    *("compare_with", "control", "hold_out", "algorithm", "targets", "maximize", "minimize", "proxy", "resume_from"),
)
"""Parameters that may ask for a lot of computing."""

_MODELS = """
import sys
import torch
from torch import nn

number = 5

def small(): return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 5))
def broken(): raise OSError("no\\nfile \\x1b[2J")
def leaves(): sys.exit(0)
def own_error(): raise StopIteration
def keeps():
    class Keeps(nn.Module):
        def __init__(self):
            super().__init__()
            self.n = nn.Conv2d(3, 4, 3)
        def forward(self, x):
            self.c = self.n(x)
            return self.c.flatten(1)
    return Keeps()
"""


class Commands:
    """One command line with up to four odd values."""

    name = "commands"

    def __init__(self, materials: Materials) -> None:
        self._materials = materials
        _ = materials.warm, materials.imported

    @cached_property
    def _commands(self) -> list[Command]:
        weights = {"score": 4, "evolve": 4, "search": 4, "table": 3, "benchmark build": 3}
        return [each for each in commands() for _ in range(weights.get(" ".join(each.path), 1))]

    def attempt(self, rng: Random, folder: Path) -> Outcome:
        """Run one command line."""
        room = self._furnished(folder, rng)
        command = rng.choice(self._commands)
        line, heavy, endless = _line(command, room, rng)
        environment = _surroundings(room, rng)
        limit = 20 if endless else 15 if heavy else 120
        request = room.request(line, seconds=limit, environment=environment, memory=4 << 30)
        outcome = judge(self._materials.server.run(request), may_be_long=heavy and not endless)
        try:
            room.check()
            _check_odd(room)
        except PromiseError as broken:
            outcome = Outcome(Verdict.FAILED, str(broken), outcome.detail)
        shown = " ".join(printable(repr(word), 300) for word in line)
        return Outcome(outcome.verdict, outcome.kind, outcome.detail, f"{environment or ''} zcproxy {shown}")

    def _furnished(self, folder: Path, rng: Random) -> Room:
        room = Room(folder).make()
        warm, imported = self._materials.warm, self._materials.imported
        for part in ("work", "cache"):
            copy_tree(warm.root / part, room.root / part)
        copy_tree(imported.data, room.data)
        work = room.work
        (work / TRANSNAS).write_bytes((imported.work / TRANSNAS).read_bytes())
        (work / "proxy.json").write_bytes((warm.work / "run" / "best.json").read_bytes())
        (work / "table.csv").write_text("arch,energy\nx,5\n")
        (work / "table.parquet").write_bytes((warm.work / "search" / "evaluations.parquet").read_bytes())
        (work / "models.py").write_text(_MODELS)
        (work / "syntax.py").write_text("def (:\n")
        hostile.odd_files(work, rng)
        return room


def _line(command: Command, room: Room, rng: Random) -> tuple[list[str], bool, bool]:
    """Return the words of a command line, whether it may be long, and whether it names a file without an end."""
    odd = rng.choice((0, 1, 1, 1, 2, 2, 3, 4))
    known = {parameter.name: parameter for parameter in command.parameters}
    name = " ".join(command.path)
    fixed = {key: value for key, value in (*CHEAP[""].items(), *CHEAP.get(name, {}).items()) if key in known}
    attacked = rng.sample(list(known), min(odd, len(known)))
    values: dict[str, str] = {
        key: rng.choice(RIGHT.get(key, ("x",))) for key, parameter in known.items() if parameter.required
    }
    if name in ("score", "evolve", "search", "table") and "resume_from" not in attacked and rng.random() < 0.95:
        for key, value in (("proxy", "params"), ("task", TASK), ("tasks", TASK), ("subject", TASK)):
            values |= {key: value} if key in known else {}
    if name == "benchmark build":
        values |= {"space": "nasbench201", "dataset": "digits", "out": "new"}
    values |= fixed
    for key in attacked:
        values[key] = _value(known[key], room, rng)
    if "resume_from" in values and rng.random() < 0.8:
        values = {key: value for key, value in values.items() if key in ("resume_from", "workers", *attacked)}
    words = _words(known, values, rng)
    heavy = any(key in HEAVY for key in attacked)
    endless = any(f"odd/{kind}" in word.split("=")[-1].split(":")[-1] for kind in hostile.ENDLESS for word in words)
    return [*command.path, *words], heavy, endless


def _words(known: Mapping[str, Parameter], values: Mapping[str, str], rng: Random) -> list[str]:
    options: list[list[str]] = []
    arguments: list[str] = []
    for key, value in values.items():
        parameter = known[key]
        if not parameter.flags:
            arguments.append(value)
        elif parameter.kind == "truth":
            options.append([rng.choice(parameter.flags)])
        else:
            options.append([f"{parameter.flags[0]}={value}"] if rng.random() < 0.3 else [parameter.flags[0], value])
    rng.shuffle(options)
    words = [*arguments, *(word for option in options for word in option)]
    if "space_option" in values and rng.random() < 0.9:
        words += ["--space-option", "cells=1"]
    kind = rng.random()
    if kind < 0.03:
        words.insert(rng.randint(0, len(words)), rng.choice(("--unknown", "-x", "--", "--help", hostile.argument(rng))))
    elif kind < 0.05 and words:
        words.pop(rng.randrange(len(words)))
    elif kind < 0.07:
        words += rng.choice(options) if options else []
    return words


def _value(parameter: Parameter, room: Room, rng: Random) -> str:
    right = RIGHT.get(parameter.name, parameter.words or ("x",))
    kind = rng.random()
    if parameter.name == "workers" or kind < 0.35:
        return rng.choice(right)
    if parameter.name == "out":
        return rng.choice(
            (*right, f"new-{hostile.argument(rng)}"[:200].replace("/", "-"), "[/x].py", "", "out[red].py")
        )
    if parameter.kind == "path" or (kind < 0.55 and parameter.kind == "text"):
        kinds = [path.name for path in (room.work / "odd").iterdir()]
        paths = (*(f"odd/{name}" for name in kinds), *hostile.IMAGINARY, ".", "run", "search", "built", "tables")
        prefix = rng.choice(("", "", "", "cifar10:", "x=")) if parameter.kind == "text" else ""
        return prefix + rng.choice(paths)
    if parameter.kind in ("integer", "number") and kind < 0.9:
        return rng.choice(hostile.NUMBERS)
    return rng.choice((hostile.argument(rng), rng.choice(right) + hostile.argument(rng)))


def _surroundings(room: Room, rng: Random) -> dict[str, str]:
    """Return odd values of the environment variables, now and then."""
    if rng.random() > 0.05:
        return {}
    value = rng.choice(
        ("odd/text", "odd/loop", "odd/dangling", "missing", "a" * 300, "odd/empty/x", "", "odd/full", "[red]")
    )
    return {rng.choice(("ZCPROXY_CACHE", "ZCPROXY_DATA")): value}


def _check_odd(room: Room) -> None:
    """Raise `PromiseError` if a pipe, a device or a link was replaced by something else."""
    for name, is_kind in (
        ("fifo", Path.is_fifo),
        ("null-device", Path.is_char_device),
        ("full-device", Path.is_char_device),
    ):
        path = room.work / "odd" / name
        if path.exists() and not is_kind(path):
            raise PromiseError(f"{name} was replaced by a file")
    for name in ("null", "full", "zero", "dangling", "loop", "memory"):
        path = room.work / "odd" / name
        if path.exists() and not path.is_symlink():
            raise PromiseError(f"the link {name} was replaced by a file")
