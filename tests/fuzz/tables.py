"""Tables that are imported or looked up: CSV, Parquet, JSON, npz and zip, with odd cells or damaged bytes.

Whatever is refused replaces nothing; what is taken has labels from 0 to 100 that vary, and can be verified and scored.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd

from fuzz import hostile
from fuzz.client import Room
from fuzz.judging import judge
from fuzz.materials import TASK, TRANSNAS, Materials, copy_tree, transnas_table
from fuzz.mutations import ENDLESS, damage_bytes, damage_file, dumped, mutate_json, mutate_text
from fuzz.outcome import Outcome, PromiseError, Verdict, printable

_LABELS = (
    *(0, -1, 101, 1e300, -1e300, float("nan"), float("inf"), True, False, 55.5, None, "x", "55", b"x", [1.0], 10**25),
)
_CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
_NDS: dict[str, Any] = {
    "net": {"ds": [2, 2], "ws": [16, 32], "ss": [1, 2], "bot_muls": [0.5, 0.5], "num_gs": [1, 2], "block_type": "x"},
    "test_ep_top1": [50.0, 30.0],
    "params": 1e6,
    "flops": 1e8,
}
_OFA = "Sub-network,Top-1 Acc (%),Model Parameters,MACs,Date\n"
_OFA += "\"{'d': [2, 2, 2, 2, 2], 'e': [3, 3, 3, 3], 'ks': [3, 3, 3, 3], 'r': [224]}\",71.5,4000000,200000000,x\n" * 3


class Tables:
    """One hostile table is imported with --trust, verified and scored; or looked up by a search."""

    name = "tables"

    def __init__(self, materials: Materials) -> None:
        self._materials = materials
        self._entries = [*_known_entries(), _NDS]
        _ = materials.imported

    def attempt(self, rng: Random, folder: Path) -> Outcome:
        """Make a table and use it."""
        room = Room(folder).make()
        copy_tree(self._materials.imported.data, room.data)
        if rng.random() < 0.2:
            return self._look_up(room, rng)
        makers: tuple[Callable[..., tuple[str, str]], ...] = (
            self._csv,
            self._csv,
            self._json,
            self._parquet,
            self._ofa,
        )
        benchmark, name = rng.choice(makers)(room, rng)
        place = room.work / name
        change = "" if rng.random() < 0.7 else _damaged(place, rng)
        if name.endswith(".json") and rng.random() < 0.4 and place.is_file() and not place.is_symlink():
            name = _zipped(place, rng)
        shown = printable(place.read_bytes().decode("latin1"), 1500) if place.is_file() and not change else change
        return self._import(room, benchmark, name, f"{benchmark} {name}: {shown}", change in ENDLESS)

    def _import(self, room: Room, benchmark: str, name: str, case: str, endless: bool) -> Outcome:
        """Import with --trust, then verify what was imported: a table that is refused leaves the others of its file."""
        before = _tables(room.data)
        command = ["benchmark", "import", benchmark, name, "--trust"]
        run = self._materials.server.run
        finished = run(room.request(command, seconds=20 if endless else 120, memory=4 << 30))
        outcome = judge(finished)
        try:
            room.check()
            after = _tables(room.data)
            said = set(re.findall(rf"{benchmark}, (\S+): [\d,]+ networks from", finished.err))
            for path in after.keys() - before.keys() | {path for path in before if after.get(path) != before[path]}:
                if Path(path).name.partition(".")[0] not in said:
                    raise PromiseError("an import changed a table that it does not name as imported")
                if path.endswith(".parquet"):
                    _check_labels(room.data / path)
            if outcome.verdict is Verdict.FINE:
                verified = run(room.request(["benchmark", "verify", benchmark]))
                outcome = judge(verified)
                if outcome.verdict is Verdict.REFUSED:
                    raise PromiseError(f"an accepted table does not verify: {verified.err[-300:]}")
        except PromiseError as broken:
            kind, _, detail = str(broken).partition(": ")
            outcome = Outcome(Verdict.FAILED, kind, detail)
        return Outcome(outcome.verdict, outcome.kind, outcome.detail, case)

    def _csv(self, room: Room, rng: Random) -> tuple[str, str]:
        text = transnas_table()
        rows = [line.split(",") for line in text.splitlines()]
        kind = rng.random()
        if kind < 0.5:
            for _ in range(rng.choice((1, 1, 2, 9))):
                rng.choice(rows[rng.random() < 0.9 :])[rng.randrange(3)] = _cell(rng)
        elif kind < 0.6:
            rows = rows[: rng.randint(0, 2)]
        elif kind < 0.7:
            label = str(rng.choice(_LABELS))
            rows = [rows[0], *([*row[:2], label] for row in rows[1:])]
        text = "\n".join(",".join(row) for row in rows) + "\n"
        if kind > 0.7:
            text = mutate_text(text, rng)
        (room.work / TRANSNAS).write_text(text, encoding="utf-8", errors="surrogateescape")
        return "transnas101", TRANSNAS

    def _ofa(self, room: Room, rng: Random) -> tuple[str, str]:
        for name in ("mbnv3w10_evonsga2_acc_macs.csv", "mbnv3w10_linasnsga2_acc_macs.csv"):
            text = _OFA
            for _ in range(rng.choice((1, 1, 2, 5))):
                text = (
                    mutate_text(text, rng) if rng.random() < 0.6 else text.replace("71.5", str(rng.choice(_LABELS)), 1)
                )
            (room.work / name).write_text(text, encoding="utf-8", errors="surrogateescape")
        return "ofa_mobilenetv3", rng.choice((".", "mbnv3w10_evonsga2_acc_macs.csv"))

    def _json(self, room: Room, rng: Random) -> tuple[str, str]:
        entries: Any = [rng.choice(self._entries) for _ in range(rng.randint(0, 3))]
        if rng.random() < 0.2:
            entries = {"top": entries, "mid": rng.choice(([], 5, None, entries))}
        name = rng.choice(("DARTS_in.json", "ResNet.json", "ResNeXt-A_in.json", "Vanilla.json", "ENAS.json"))
        (room.work / name).write_bytes(dumped(mutate_json(entries, rng), rng))
        return "nds", name

    def _parquet(self, room: Room, rng: Random) -> tuple[str, str]:
        frame = pd.DataFrame({"arch_str": [f"{8 * k}:8:8:8:8" for k in range(1, 5)]})
        frame["cifar10/test_90"] = np.linspace(60, 70, 4)
        for column in (
            "cifar100/test_90",
            "imagenet16/test_90",
            "cifar10/test_12",
            "params_cifar10",
            "flops_M_cifar10",
        ):
            frame[column] = np.linspace(40, 50, 4)
        for _ in range(rng.choice((0, 1, 2))):
            column = rng.choice(frame.columns)
            frame[column] = (
                [rng.choice(_LABELS)] * len(frame) if rng.random() < 0.7 else [_cell(rng) for _ in frame.index]
            )
        frame = frame.iloc[: rng.choice((0, 1, 4, 4, 4))]
        place = room.work / "nats_sss.parquet"
        try:
            frame.to_parquet(place, index=False)
        except (ValueError, TypeError, OverflowError, UnicodeError):  # pyarrow has no type for such a column
            place.write_bytes(b"PAR1" + rng.randbytes(50) + b"PAR1")
        return "nats_sss", place.name

    def _look_up(self, room: Room, rng: Random) -> Outcome:
        """Search with --table."""
        frame = pd.DataFrame({"arch": [_CELL], "energy": [3.5]})
        text = frame.to_csv(index=False)
        place = room.work / rng.choice(("energy.csv", "energy.parquet", "energy"))
        if place.suffix == ".parquet":
            frame.to_parquet(place, index=False)
        else:
            place.write_text(mutate_text(text, rng), encoding="utf-8", errors="surrogateescape")
        change = "" if rng.random() < 0.5 else _damaged(place, rng)
        command = ["search", TASK, "--proxy", "sum(params)", "--minimize", "energy", "--table", place.name]
        command += ["--evaluations", "4", "--population", "4", "--workers", "1"]
        request = room.request(command, seconds=20 if change in ENDLESS else 120, memory=4 << 30)
        outcome = judge(self._materials.server.run(request))
        return Outcome(outcome.verdict, outcome.kind, outcome.detail, f"--table {place.name}: {change}")


def _cell(rng: Random) -> str:
    text = rng.choice((*hostile.NUMBERS, hostile.text(rng)))
    return text[:200].replace("\x00", "").encode("utf-8", "replace").decode()


def _damaged(place: Path, rng: Random) -> str:
    if not place.is_file():
        return ""
    if rng.random() < 0.4:
        return damage_file(place, rng)
    place.write_bytes(damage_bytes(place.read_bytes(), rng))
    return "bytes"


def _zipped(place: Path, rng: Random) -> str:
    """Put a file into a damaged archive, and return its name."""
    buffer = io.BytesIO()
    method = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr(rng.choice(("", "../../", "/", "data/")) + place.name, place.read_bytes())
    content = buffer.getvalue()
    target = place.with_name("data.zip")
    target.write_bytes(content if rng.random() < 0.2 else damage_bytes(content, rng))
    return target.name


def _tables(data: Path) -> dict[str, bytes]:
    return {str(path.relative_to(data)): path.read_bytes() for path in data.rglob("*") if path.is_file()}


def _check_labels(path: Path) -> None:
    """Raise `PromiseError` unless a table that was accepted has architectures, and labels that vary from 0 to 100."""
    frame = pd.read_parquet(path)
    if frame.empty:
        raise PromiseError("a table without networks was accepted")
    for column in frame.columns:
        if column in ("accuracy", "test_top1") or "/test_" in column:
            values = frame[column].dropna().to_numpy()
            if values.dtype.kind not in "iuf" or not ((values >= 0) & (values <= 100)).all():
                raise PromiseError(f"labels that are not percentages were accepted: {column}")
            if len(frame) > 1 and len(set(values)) == 1:
                raise PromiseError(f"constant labels were accepted: {column}")


def _known_entries() -> list[Any]:
    """Return entries of NDS families that `tests` know."""
    genotype = {"genotype": {"normal": [["sep_conv_3x3", 0, 1]] * 8, "reduce": [["max_pool_3x3", 0, 1]] * 8}}
    return [{**_NDS, "net": {**genotype, "width": 16, "depth": 8, "aux": False, "drop_prob": 0.0}}, json.loads("{}")]
