"""Checksums of JSON files, journals and sealed files; types of stored fields; directories that are held."""

from __future__ import annotations

import json
import logging
import os
import random
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from corruptions import ALL, OF_LINES

from zcproxy.errors import ConfigurationError, RunError
from zcproxy.storage.claims import claimed, is_unclaimed, remove_partials
from zcproxy.storage.fields import read_fields
from zcproxy.storage.records import Journal, read_record, read_record_file, record_text, write_record_file
from zcproxy.storage.sealed import DamagedError, read_header, read_sealed, seal

CONTENT = {"arch": "depth1=3 width1=8", "values": {"macs": 1.5e6, "proxy": float("nan")}, "seconds": 0.25}
LINES = [{"arch": f"a{number}", "value": number / 7} for number in range(6)]


# JSON files


@pytest.mark.parametrize("content", [{}, CONTENT, {"sums": [1, {"sum": "x"}], "text": 'of "sum": "0123456789abcdef"}'}])
@pytest.mark.parametrize("indent", [None, 2])
def test_a_record_is_json_and_reads_back(content: dict[str, Any], indent: int | None) -> None:
    text = record_text(content, indent)
    assert list(json.loads(text)) == [*content, "sum"]
    again = read_record(text.encode(), summed=True)
    assert json.dumps(again) == json.dumps(content)
    assert json.dumps(read_record(json.dumps(content).encode())) == json.dumps(content), "older files have no checksum"


def test_every_flipped_bit_of_a_record_is_noticed() -> None:
    raw = record_text(CONTENT).encode()
    for place in range(8 * len(raw)):
        changed = bytearray(raw)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(ValueError, match=r"checksum|JSON|line|codec|deeply"):
            read_record(bytes(changed), summed=True)


@pytest.mark.parametrize("raw", [b"5", b"null", b"[1]", b"\xff", b"", b"{", b'{"sum": 5}', b"[" * 10**5, b"1" * 5000])
def test_what_is_no_object_is_one_line(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "x.json").write_bytes(raw)
    with pytest.raises(RunError, match=r"cannot read .*x\.json: .*start again") as raised:
        read_record_file(tmp_path / "x.json")
    assert len(str(raised.value)) < 500 + len(str(tmp_path)) and "\n" not in str(raised.value)


def test_a_folder_or_a_pipe_in_place_of_a_file_is_one_line(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(RunError, match=r"cannot read .*: it is not a regular file"):
            read_record_file(path)
        with pytest.raises(RunError, match=r"cannot read .*: it is not a regular file"):
            Journal(path).read(lambda content: content)
    write_record_file(tmp_path / "a" / "x.json", CONTENT)
    assert read_record_file(tmp_path / "a" / "x.json")["arch"] == CONTENT["arch"]


# Journals


def read_lines(journal: Journal) -> list[dict[str, Any]]:
    def convert(content: dict[str, Any]) -> dict[str, Any]:
        read_fields(Line, content, "line")
        return content

    return journal.read(convert)


@dataclass
class Line:
    arch: str
    value: float


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_journal_gives_lines_that_were_written_and_says_so(
    tmp_path: Path, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append(LINES)
    rng = random.Random(seed)
    whole = journal.path.read_bytes()
    damaged = rng.choice(OF_LINES)(whole, rng)
    journal.path.write_bytes(damaged)
    found = read_lines(journal)
    assert all(line in LINES for line in found) and len(found) >= len(LINES) - 9
    assert len({line["arch"] for line in found}) == len(found)
    is_torn = not damaged.endswith(b"\n") and found == LINES[: len(found)]
    assert len(caplog.records) <= 1
    assert caplog.records or is_torn or found == LINES
    kept = journal.mend(lambda content: content)
    caplog.clear()
    journal.append([{"arch": "new", "value": 1.0}])
    assert read_lines(journal) == [*kept, {"arch": "new", "value": 1.0}] and not caplog.records


def test_a_journal_of_an_older_version_is_read_and_gets_checksums(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.path.write_text("".join(json.dumps(line) + "\n" for line in LINES) + '{"arch": "to')
    assert read_lines(journal) == LINES
    assert journal.mend(lambda content: content) == LINES
    assert all("sum" in json.loads(line) for line in journal.path.read_text().splitlines())
    assert read_lines(journal) == LINES
    assert Journal(tmp_path / "nothing").read(lambda content: content) == []


# Sealed files


def test_flipped_bits_of_a_sealed_file_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "x"
    content = seal(b"some content", "test-1", "owner", {"names": ["a"]})
    path.write_bytes(content)
    assert read_header(path, "test-1", "owner")["names"] == ["a"]
    assert read_sealed(path, "test-1", "owner").content == b"some content"
    for place in range(0, 8 * len(content), 7):
        changed = bytearray(content)
        changed[place // 8] ^= 1 << place % 8
        path.write_bytes(changed)
        with pytest.raises(DamagedError):
            read_sealed(path, "test-1", "owner")


def test_a_sealed_file_belongs_to_one_owner_and_is_regular(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(seal(b"content", "test-1", "owner"))
    for kind, owner in (("test-2", "owner"), ("test-1", "other")):
        with pytest.raises(DamagedError):
            read_header(path, kind, owner)
    path.write_bytes(path.read_bytes() + b"more")
    for read in (read_header, read_sealed):
        with pytest.raises(DamagedError):
            read(path, "test-1", "owner")
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(OSError, match="not a regular file"):
            read_header(place, "test-1", "owner")


@pytest.mark.parametrize("seed", range(30))
def test_other_damage_of_a_sealed_file_is_noticed(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    content = seal(rng.randbytes(300), "test-1")
    path = tmp_path / "x"
    path.write_bytes(rng.choice(ALL)(content, rng))
    if path.read_bytes() != content:
        with pytest.raises(DamagedError):
            read_sealed(path, "test-1")


# Fields


@dataclass(frozen=True)
class Inner:
    name: str
    bound: float = 1.0


@dataclass
class Outer:
    tasks: tuple[str, ...]
    size: int | None = None
    inner: Inner = field(default_factory=lambda: Inner("x"))
    limits: tuple[Inner, ...] = ()
    hall: dict[int, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    on: bool = False

    def __post_init__(self) -> None:
        if not self.tasks:
            raise ConfigurationError("no task")


def test_fields_are_read_with_their_types() -> None:
    content = {"tasks": ["a"], "inner": {"name": "n", "bound": 2}, "limits": [{"name": "m"}], "hall": {"3": "x"}}
    found = read_fields(Outer, {**content, "counts": {"ok": 2}}, "file")
    assert found == Outer(("a",), None, Inner("n", 2.0), (Inner("m"),), {3: "x"}, Counter(ok=2))
    assert isinstance(found.inner.bound, float) and isinstance(found.counts, Counter)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tasks": [5]}, r"'tasks\[0\]' is 5, not text"),
        ({"tasks": "a"}, "'tasks' is \"a\", not a list"),
        ({"tasks": []}, "no task"),
        ({"size": True}, "'size' is true, not a whole number"),
        ({"size": 1.0}, "'size' is 1.0, not a whole number"),
        ({"size": "x" * 200}, r"'size' is \"x{59}\.\.\., not a whole number"),
        ({"inner": []}, r"\[\] where an object is expected in 'inner'"),
        ({"inner": {}}, "'name' is missing in 'inner'"),
        ({"inner": {"name": "n", "bound": 10**400}}, "'inner.bound' is too large"),
        ({"inner": {"name": "n", "bound": float("nan")}}, "'inner.bound' is nan, not a finite number"),
        ({"limits": [{"nam": 1}]}, "unknown field \"nam\" in 'limits\\[0\\]' \\(did you mean name"),
        ({"hall": {"²": "x"}}, "not a whole number"),
        ({"hall": 5}, "'hall' is 5, not an object"),
        ({"counts": {"ok": "many"}}, "'counts.ok' is \"many\", not a whole number"),
        ({"on": 1}, "'on' is 1, not true or false"),
        ({"other": 1}, 'unknown field "other"'),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(RunError, match=f"^file: .*{message}"):
        read_fields(Outer, {"tasks": ["a"], **change}, "file", RunError)


def test_a_field_that_is_missing_is_named() -> None:
    with pytest.raises(ConfigurationError, match="file: 'tasks' is missing"):
        read_fields(Outer, {}, "file")
    assert read_fields(Inner, {"name": "x", "more": 1}, "file", others=True) == Inner("x")
    for content in (5, None, [1], "x"):
        with pytest.raises(ConfigurationError, match="where an object is expected"):
            read_fields(Outer, content, "file")


# Directories

HOLDER = """
import sys, time
from pathlib import Path
from zcproxy.storage.claims import claimed
with claimed(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_directory_is_held_until_its_process_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with claimed(path), pytest.raises(RunError, match="another zcproxy process works in"), claimed(path):
        pass
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(RunError, match="another zcproxy process works in"), claimed(path):
            pass
        process.kill()
    with claimed(path):
        assert os.listdir(path) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="is not a directory"), claimed(tmp_path / "file"):
        pass


def test_what_a_killed_first_write_left_is_no_claim(tmp_path: Path) -> None:
    assert is_unclaimed(tmp_path / "nowhere") and is_unclaimed(tmp_path)
    (tmp_path / ".run.json.17.partial").write_text("{")
    assert is_unclaimed(tmp_path) and not is_unclaimed(tmp_path / ".run.json.17.partial")
    remove_partials(tmp_path)
    assert os.listdir(tmp_path) == []
    (tmp_path / "limits.json").write_text("{}")
    assert is_unclaimed(tmp_path, ["limits.json"]) and not is_unclaimed(tmp_path)


def test_notices_have_one_line_without_control_characters(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal(tmp_path / "\x1b[2J\n.jsonl")
    journal.path.write_text("5\n5\n")
    with caplog.at_level(logging.WARNING, "zcproxy"):
        assert read_lines(journal) == []
    (record,) = caplog.records
    assert "\\x1b[2J\\n.jsonl: 2 damaged" in record.getMessage() and record.getMessage().isprintable()
