"""A column store whose files were damaged, deleted or protected: never other numbers, never a dead process."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from corruptions import ALL

from zcproxy.columns import sweep as runner
from zcproxy.columns.context import Context
from zcproxy.columns.housekeeping import clear, summaries
from zcproxy.columns.store import ColumnStore
from zcproxy.columns.sweep import sweep
from zcproxy.columns.table import ColumnTable, table_of
from zcproxy.errors import StorageError
from zcproxy.formula import Kind, Node
from zcproxy.names.tasks import get_task
from zcproxy.primitives import parse
from zcproxy.probing.measure import Measurement

CONTEXT = Context(get_task("digits201"), batch_size=2)
COLUMNS = tuple(map(parse, ("params", "log_paths", "frobenius_norm(grad(weight)@noise)")))
NAMES = tuple("abcdefgh")


def measured(names: tuple[str, ...], columns: tuple[Node, ...] = COLUMNS) -> list[Measurement]:
    """Return stand-ins for measurements that follow from the names."""
    result = []
    for name in names:
        rng = np.random.default_rng(ord(name[0]))
        values = {
            column: rng.normal(size=3 if column.kind is Kind.LAYER else 1).astype(np.float32) for column in columns
        }
        result.append(Measurement(3, values, 0.1))
    return result


def fill(cache: Path, context: Context = CONTEXT) -> ColumnStore:
    """Write a store of two files."""
    store = ColumnStore(cache, context)
    for names in (NAMES[:4], NAMES[4:]):
        store.write(names, COLUMNS, measured(names))
    return store


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The networks that sweeps measure: with stand-ins, so that many damages can be tried."""
    found: list[str] = []

    def measure(
        context: Context, names: list[str], texts: list[str], shown: None, tolerated: type
    ) -> list[Measurement]:
        found.extend(names)
        return measured(tuple(names), tuple(map(parse, texts)))

    monkeypatch.setattr(runner, "measured_or_failed", measure)
    return found


@contextmanager
def unprivileged() -> Iterator[None]:
    """Let permissions count for the superuser too."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def same(table: ColumnTable) -> bool:
    whole = table_of(measured(NAMES), COLUMNS)
    return (table.counts == whole.counts).all() and all(
        np.array_equal(table.values[column], whole.values[column]) for column in COLUMNS
    )


@pytest.mark.parametrize("seed", range(60))
def test_damaged_files_are_set_aside_and_measured_again(
    tmp_path: Path, seed: int, asked: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    store = fill(tmp_path)
    rng = random.Random(seed)
    path = rng.choice(sorted(store.folder.iterdir()))
    before = path.read_bytes()
    path.write_bytes(rng.choice(ALL)(before, rng))
    is_harmless = path.name == "context.json" or path.read_bytes() == before
    assert same(sweep(CONTEXT, NAMES, COLUMNS, cache=tmp_path))
    assert len(asked) == (0 if is_harmless else 4)
    assert len(caplog.records) == (0 if is_harmless else 1)
    assert len(list(store.folder.glob("*.damaged"))) == (0 if is_harmless else 1)
    asked.clear()
    assert same(sweep(CONTEXT, NAMES, COLUMNS, cache=tmp_path)) and not asked
    summaries(tmp_path)
    assert clear(tmp_path) > 0 and not store.folder.exists()


def arrow(path: Path) -> None:
    table = pa.table({"layers": [3], "x": [[1.0]]})
    path.unlink()
    with pa.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table)


def folder(path: Path) -> None:
    path.unlink()
    (path / "below").mkdir(parents=True)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def foreign(path: Path) -> None:
    other = fill(path.parents[2] / "other", Context(get_task("digits201"), batch_size=4))
    path.write_bytes(next(other.folder.glob("*.arrow")).read_bytes())


def dangling_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


FAULTS: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("not a table\n" * 50),
    "no UTF-8": lambda path: path.write_bytes(b"\xff" * 500),
    "appended": lambda path: path.write_bytes(path.read_bytes() + b"more"),
    "Arrow without a checksum": arrow,
    "a folder": folder,
    "a pipe": pipe,
    "of another context": foreign,
    "deleted": Path.unlink,
    "a dangling link": dangling_link,
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("opened", [False, True])
def test_whatever_cannot_be_read_is_measured_again(
    tmp_path: Path, fault: Callable[[Path], object], opened: bool, asked: list[str]
) -> None:
    path = min(fill(tmp_path).folder.glob("*.arrow"))
    if not opened:
        fault(path)
        assert same(sweep(CONTEXT, NAMES, COLUMNS, cache=tmp_path))
    else:
        store = ColumnStore(tmp_path, CONTEXT)
        fault(path)
        assert same(runner.sweep_into(store, NAMES, COLUMNS))
    assert len(asked) == 4
    assert same(sweep(CONTEXT, NAMES, COLUMNS, cache=tmp_path)) and len(asked) == 4


def test_swapped_and_renamed_files_give_the_same(tmp_path: Path, asked: list[str]) -> None:
    first, second = sorted(fill(tmp_path).folder.glob("*.arrow"))
    contents = first.read_bytes(), second.read_bytes()
    first.write_bytes(contents[1])
    second.write_bytes(contents[0])
    second.rename(second.with_name("renamed.arrow"))
    assert same(sweep(CONTEXT, NAMES, COLUMNS, cache=tmp_path)) and not asked


def test_a_cache_that_is_deleted_all_along_is_survived(tmp_path: Path, asked: list[str]) -> None:
    stopped = threading.Event()

    def delete() -> None:
        while not stopped.wait(0.002):
            clear(tmp_path)

    thread = threading.Thread(target=delete)
    thread.start()
    try:
        for place in range(1000):  # until a deletion fell between two sweeps or into one
            assert same(sweep(CONTEXT, NAMES, COLUMNS, cache=tmp_path))
            if place >= 15 and len(asked) > len(NAMES):
                break
    finally:
        stopped.set()
        thread.join()
    assert len(asked) > len(NAMES)


def test_a_protected_cache_is_read_or_refused(tmp_path: Path, asked: list[str]) -> None:
    for parent in (tmp_path, *tmp_path.parents):
        if parent.name.startswith(("pytest-", "popen-")) or parent == tmp_path:
            parent.chmod(0o755)  # pytest's folders are for their owner alone
    store = fill(tmp_path)
    for place in (store.folder, store.folder.parent, tmp_path):
        place.chmod(0o555)
    try:
        with unprivileged():
            assert same(sweep(CONTEXT, NAMES, COLUMNS, cache=tmp_path)) and not asked
            with pytest.raises(StorageError, match="cannot write"):
                clear(tmp_path)
        min(store.folder.glob("*.arrow")).write_bytes(b"torn")
        with unprivileged():
            assert [item.networks for item in summaries(tmp_path)] == [4]
            with pytest.raises(StorageError, match="cannot write"):
                sweep(CONTEXT, NAMES, COLUMNS, cache=tmp_path)
            assert not asked  # nothing is measured in vain
        store.folder.chmod(0o000)
        with unprivileged():
            for attempt in (
                lambda: ColumnStore(tmp_path, CONTEXT),
                lambda: summaries(tmp_path),
                lambda: clear(tmp_path),
            ):
                with pytest.raises(StorageError, match="cannot read"):
                    attempt()
    finally:
        for place in (tmp_path, store.folder.parent, store.folder):
            place.chmod(0o755)


def test_a_path_that_is_too_long_is_a_storage_error(tmp_path: Path) -> None:
    cache = tmp_path / ("x" * 300)
    for attempt in (lambda: ColumnStore(cache, CONTEXT), lambda: summaries(cache), lambda: clear(cache)):
        with pytest.raises(StorageError, match="File name too long"):
            attempt()


def test_what_the_cache_holds_is_never_told_from_a_damaged_manifest(tmp_path: Path) -> None:
    store = fill(tmp_path)
    manifest = store.folder / "context.json"
    manifest.write_text(manifest.read_text().replace('"batch_size": 2', '"batch_size": 3'))
    assert [item.settings for item in summaries(tmp_path)] == [CONTEXT.shared()]
    for path in store.folder.glob("*.arrow"):
        path.write_bytes(b"torn")
    (item,) = summaries(tmp_path)
    assert item.settings is None and item.bytes == 8


def test_what_a_killed_write_left_is_deleted_after_a_day(tmp_path: Path) -> None:
    store = fill(tmp_path)
    old, new = (store.folder / f".x.arrow.{number}.partial" for number in (1, 2))
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    ColumnStore(tmp_path, CONTEXT)
    assert not old.exists() and new.exists()
