"""Loose files that are folded into packs: the same numbers as before, whatever happens on the way."""

from __future__ import annotations

import random
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from corruptions import ALL
from made_columns import BLOCK, COLUMNS, CONTEXT, GRADIENT, drawn, names, write_files

from zcproxy.columns import folder
from zcproxy.columns.files import write_pack
from zcproxy.columns.folder import FOLDED
from zcproxy.columns.housekeeping import clear, summaries
from zcproxy.columns.store import ColumnStore, LostColumnsError
from zcproxy.columns.table import ColumnTable, table_of
from zcproxy.errors import StorageError

NUMBERS = tuple(range(FOLDED + 2))


def check(table: ColumnTable, numbers: list[int]) -> None:
    """Compare a table, to the bit, with that of the networks measured one by one."""
    whole = table_of(list(map(drawn, numbers)), COLUMNS)
    assert table.counts.tolist() == whole.counts.tolist() and table.coverage == whole.coverage
    for column in COLUMNS:
        assert table.values[column].dtype == whole.values[column].dtype
        np.testing.assert_array_equal(table.values[column], whole.values[column])
    assert table.blocks is not None and whole.blocks is not None
    assert table.connections is not None and whole.connections is not None
    for one, other in ((table.blocks, whole.blocks), (table.connections, whole.connections)):
        for name, values in vars(other).items():
            np.testing.assert_array_equal(getattr(one, name), values)


def suffixes(store: ColumnStore) -> list[str]:
    return sorted(path.suffix for path in store.folder.iterdir() if path.name != "context.json")


@pytest.fixture(scope="module")
def folded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with one pack and two loose files."""
    cache = tmp_path_factory.mktemp("folded")
    write_files(ColumnStore(cache, CONTEXT), NUMBERS)
    return cache


@pytest.fixture
def cache(folded: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(folded, tmp_path / "cache")


def test_files_are_folded_and_read_as_they_were_written(folded: Path) -> None:
    store = ColumnStore(folded, CONTEXT)
    assert suffixes(store) == [".arrow", ".arrow", ".pack"]
    order = list(NUMBERS)
    random.Random(0).shuffle(order)
    check(store.table(names(order), COLUMNS), order)
    check(store.table(names([3, 9, 3, 65]), COLUMNS), [3, 9, 3, 65])
    assert not store.lacking(names(NUMBERS), COLUMNS) and store.missing("other", COLUMNS) == COLUMNS
    (item,) = summaries(folded)
    assert (item.networks, item.columns, item.settings) == (len(NUMBERS), len(COLUMNS), CONTEXT.shared())
    assert item.bytes == sum(path.stat().st_size for path in store.folder.iterdir() if path.suffix != ".json")


def test_a_network_keeps_its_precision_beside_others_in_a_pack(folded: Path) -> None:
    store = ColumnStore(folded, CONTEXT)
    precisions = [store.table(names(numbers), [GRADIENT]).values[GRADIENT].dtype for numbers in ([8], [9], [8, 9])]
    assert precisions == [np.float32, np.float64, np.float64]


def test_only_the_columns_that_are_asked_for_are_read(cache: Path) -> None:
    (path,) = ColumnStore(cache, CONTEXT).folder.glob("*.pack")
    content = bytearray(path.read_bytes())
    content[-100] ^= 1  # in the last part: that of the last column
    path.write_bytes(content)
    store = ColumnStore(cache, CONTEXT)
    assert set(store.table(names(NUMBERS), COLUMNS[:-1]).values) == set(COLUMNS[:-1])
    with pytest.raises(LostColumnsError):
        store.table(names(NUMBERS), [BLOCK])
    assert len(store.lacking(names(NUMBERS), [BLOCK])[(BLOCK,)]) == FOLDED


def test_a_store_that_was_opened_before_finds_what_another_has_folded(tmp_path: Path) -> None:
    writing = ColumnStore(tmp_path, CONTEXT)
    write_files(writing, NUMBERS[: FOLDED - 1])
    reading = ColumnStore(tmp_path, CONTEXT)
    write_files(writing, NUMBERS[FOLDED - 1 :])
    assert suffixes(writing) == [".arrow", ".arrow", ".pack"]
    check(reading.table(names([5, 6]), COLUMNS), [5, 6])
    write_files(reading, [100])
    check(ColumnStore(tmp_path, CONTEXT).table(names([100, *NUMBERS]), COLUMNS), [100, *NUMBERS])


def test_two_write_at_once_and_each_reads_what_the_other_has_folded(tmp_path: Path) -> None:
    def write(start: int) -> None:
        store = ColumnStore(tmp_path, CONTEXT)
        for number in range(start, 3 * FOLDED, 2):
            write_files(store, [number])
            some = list(range(start, number + 1, 2))[-3:]
            check(store.table(names(some), COLUMNS), some)

    with ThreadPoolExecutor(2) as executor:
        list(executor.map(write, (0, 1)))
    numbers = list(range(3 * FOLDED))
    store = ColumnStore(tmp_path, CONTEXT)
    check(store.table(names(numbers), COLUMNS), numbers)
    assert ".pack" in suffixes(store)


def test_what_a_kill_leaves_between_a_pack_and_its_files_is_harmless(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*arguments: Any) -> None:
        write_pack(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(folder, "write_pack", killed)
    with pytest.raises(KeyboardInterrupt):
        write_files(ColumnStore(tmp_path, CONTEXT), NUMBERS)
    monkeypatch.undo()
    again = ColumnStore(tmp_path, CONTEXT)
    assert suffixes(again) == [".arrow"] * FOLDED + [".pack"]
    check(again.table(names(NUMBERS[:FOLDED]), COLUMNS), list(NUMBERS[:FOLDED]))
    write_files(again, NUMBERS[FOLDED:])
    check(again.table(names(NUMBERS), COLUMNS), list(NUMBERS))
    assert suffixes(again).count(".arrow") == 2


def test_files_stay_where_a_pack_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise StorageError("the disk is full")

    monkeypatch.setattr(folder, "write_pack", full)
    write_files(ColumnStore(tmp_path, CONTEXT), NUMBERS)
    store = ColumnStore(tmp_path, CONTEXT)
    assert suffixes(store) == [".arrow"] * len(NUMBERS)
    check(store.table(names(NUMBERS), COLUMNS), list(NUMBERS))
    monkeypatch.undo()
    write_files(store, [100])
    assert suffixes(store).count(".pack") == 1
    check(store.table(names(NUMBERS), COLUMNS), list(NUMBERS))


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_pack_gives_the_same_numbers_or_none(cache: Path, seed: int) -> None:
    store = ColumnStore(cache, CONTEXT)
    (path,) = store.folder.glob("*.pack")
    rng = random.Random(seed)
    path.write_bytes(rng.choice(ALL)(path.read_bytes(), rng))
    for again in (store, ColumnStore(cache, CONTEXT)):
        try:
            check(again.table(names(NUMBERS), COLUMNS), list(NUMBERS))
        except (LostColumnsError, KeyError):
            (left,) = again.lacking(names(NUMBERS), COLUMNS).values()
            assert left == names(NUMBERS[:FOLDED])
            assert suffixes(again) == [".arrow", ".arrow", ".damaged"]
    assert clear(cache) > 0 and not store.folder.exists()
