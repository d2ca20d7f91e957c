from __future__ import annotations

import errno
import importlib
import json
import os
from collections.abc import Sequence
from concurrent.futures import wait
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from zcproxy.benchmarks.nasbench201.encoding import to_text
from zcproxy.columns.context import Context, fresh_key
from zcproxy.columns.housekeeping import clear, summaries
from zcproxy.columns.store import ColumnStore
from zcproxy.columns.sweep import sweep
from zcproxy.columns.table import ColumnTable
from zcproxy.errors import RunError, StorageError
from zcproxy.formula import Node, vocabulary
from zcproxy.names.tasks import get_task
from zcproxy.primitives import parse
from zcproxy.probing.measure import Measurement
from zcproxy.storage import files
from zcproxy.workers.pool import worker_pool

CONTEXT = Context(get_task("nasbench201/imagenet16-120"), batch_size=2)
"""The smallest images."""
CELLS = (
    to_text(["skip_connect", "none", "none", "nor_conv_1x1", "none", "none"]),
    to_text(["none", "none", "none", "skip_connect", "none", "none"]),
    to_text(["none", "none", "none", "none", "none", "none"]),  # no live layer
    to_text(["avg_pool_3x3", "none", "none", "none", "nor_conv_1x1", "none"]),
    to_text(["none", "skip_connect", "none", "none", "none", "nor_conv_1x1"]),
)
LAYER, NETWORK, GRADIENT = parse("params"), parse("log_paths"), parse("frobenius_norm(grad(weight)@noise)")
BLOCK = parse("std(block@noise)")
COLUMNS = (LAYER, NETWORK, GRADIENT)


def measurement(layers: int, columns: Sequence[Node], seed: int = 0) -> Measurement:
    rng = np.random.default_rng(seed)
    shapes = {column: 1 if column.kind is NETWORK.kind else layers for column in columns}
    precision = {LAYER: np.float64, NETWORK: np.float64, GRADIENT: np.float32}
    return Measurement(
        layers, {column: rng.normal(size=size).astype(precision[column]) for column, size in shapes.items()}
    )


def same(first: ColumnTable, second: ColumnTable) -> bool:
    return (first.counts == second.counts).all() and all(
        np.array_equal(first.values[column], second.values[column], equal_nan=True) for column in first.values
    )


# Writing and reading


def test_what_is_written_is_read_in_any_order(tmp_path: Path) -> None:
    measured = [measurement(layers, COLUMNS, seed) for seed, layers in enumerate((3, 0, 5))]
    measured[1].values[NETWORK][:] = [-np.inf]
    measured[2].values[GRADIENT][1] = np.nan
    ColumnStore(tmp_path, CONTEXT).write(["a", "b", "c"], COLUMNS, measured)
    names = ["c", "a", "b", "c"]
    for store in (ColumnStore(tmp_path, CONTEXT),):
        found = store.table(names, COLUMNS)
        originals = [measured["abc".index(name)] for name in names]
        assert found.counts.tolist() == [original.layers for original in originals]
        for column in COLUMNS:
            expected = np.concatenate([original.values[column] for original in originals])
            assert found.values[column].dtype == expected.dtype
            np.testing.assert_array_equal(found.values[column], expected)


def test_blocks_and_their_numbers_are_read_as_they_were_written(tmp_path: Path) -> None:
    of_blocks = [(0, -1, 1), (), (-1,)]
    measured = [
        Measurement(layers, {BLOCK: np.arange(len(blocks), dtype=np.float32)}, blocks=blocks)
        for layers, blocks in zip((2, 0, 1), of_blocks, strict=True)
    ]
    ColumnStore(tmp_path, CONTEXT).write(["a", "b", "c"], [BLOCK], measured)
    table = ColumnStore(tmp_path, CONTEXT).table(["c", "b", "a"], [BLOCK])
    assert table.counts.tolist() == [1, 0, 2] and table.blocks is not None
    assert table.values[BLOCK].tolist() == [0.0, 0.0, 1.0, 2.0]
    assert table.blocks.counts.tolist() == [1, 0, 3] and table.blocks.layers.tolist() == [-1, 0, -1, 1]


def test_only_what_was_written_is_known(tmp_path: Path) -> None:
    store = ColumnStore(tmp_path, CONTEXT)
    assert store.missing("a", COLUMNS) == COLUMNS
    store.write(["a"], [LAYER], [measurement(2, [LAYER])])
    store.write(["a", "b"], [NETWORK], [measurement(2, [NETWORK]), measurement(1, [NETWORK])])
    for known in (store, ColumnStore(tmp_path, CONTEXT)):
        assert known.missing("a", COLUMNS) == (GRADIENT,)
        assert known.missing("b", COLUMNS) == (LAYER, GRADIENT)
        assert known.missing("c", COLUMNS) == COLUMNS
        values = known.table(["a"], [NETWORK, LAYER]).values
        assert set(values) == {LAYER, NETWORK} and len(values[LAYER]) == 2


@pytest.mark.parametrize(
    "other",
    [
        replace(CONTEXT, task=get_task("nasbench201/cifar10")),
        replace(CONTEXT, batch_size=4),
        replace(CONTEXT, initialisation=1),
        replace(CONTEXT, device="cuda"),
    ],
)
def test_another_context_knows_nothing(tmp_path: Path, other: Context) -> None:
    ColumnStore(tmp_path, CONTEXT).write(["a"], [LAYER], [measurement(2, [LAYER])])
    assert ColumnStore(tmp_path, other).missing("a", [LAYER]) == (LAYER,)
    assert ColumnStore(tmp_path, replace(CONTEXT)).missing("a", [LAYER]) == ()


def test_another_code_version_knows_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ColumnStore(tmp_path, CONTEXT).write(["a"], [LAYER], [measurement(2, [LAYER])])
    monkeypatch.setattr("zcproxy.columns.context.CODE_VERSION", 10**6)
    assert ColumnStore(tmp_path, CONTEXT).missing("a", [LAYER]) == (LAYER,)


def test_the_key_of_a_column_changes_with_the_source_of_its_primitives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    column, other = parse("mean_abs(relu(weight))"), parse("mean_abs(abs(weight))")
    key = fresh_key
    before, untouched = key(column), key(parse("mean_abs(weight)"))
    primitive = vocabulary().primitives["relu"]
    monkeypatch.syspath_prepend(tmp_path)
    source = "def helper(x):\n    return LOWER(x)\n\n\ndef relu(x):\n    return helper(x)\n"
    texts = {
        "relu_a": source.replace("LOWER(x)", "x.clamp(min=0.0)"),
        "relu_b": source.replace("LOWER(x)", "x.clamp(min=0.1)"),  # only the helper differs
        "relu_c": source.replace("LOWER(x)", "x.clamp(min=0.0)"),
    }
    keys = {}
    for name, text in texts.items():
        (tmp_path / f"{name}.py").write_text(text)
        function = importlib.import_module(name).relu
        changed = replace(primitive, functions=dict.fromkeys(primitive.functions, function))
        monkeypatch.setitem(vocabulary().primitives, "relu", changed)
        keys[name] = key(column)
        assert keys[name].startswith("mean_abs(relu(weight)) #")
        assert key(parse("mean_abs(weight)")) == untouched
    assert keys["relu_a"] == keys["relu_c"]
    assert len({before, key(other), *keys.values()}) == 4


def test_the_key_of_a_column_changes_with_what_primitives_share(monkeypatch: pytest.MonkeyPatch) -> None:
    key = fresh_key
    before = key(GRADIENT), key(LAYER)
    monkeypatch.setattr("zcproxy.columns.context.SHARED_BY_PRIMITIVES", "zcproxy.primitives.reductions")
    assert key(LAYER) != before[1]
    monkeypatch.setattr("zcproxy.columns.context.SHARED_BY_PRIMITIVES", "zcproxy.formula.tree")
    assert key(GRADIENT) != before[0]


# Files that a kill or a full disk left behind


def only_file(folder: Path) -> Path:
    (path,) = folder.glob("*.arrow")
    return path


@pytest.mark.parametrize("kept", [0, 1, 7, 8, 100, 0.5, 0.9, -1])
def test_a_torn_file_is_ignored_and_written_anew(tmp_path: Path, kept: float) -> None:
    store = ColumnStore(tmp_path, CONTEXT)
    original = measurement(3, COLUMNS)
    store.write(["a"], COLUMNS, [original])
    path = only_file(store.folder)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole)) if isinstance(kept, float) else kept])
    again = ColumnStore(tmp_path, CONTEXT)
    assert again.missing("a", COLUMNS) == COLUMNS
    again.write(["a"], COLUMNS, [original])
    assert ColumnStore(tmp_path, CONTEXT).missing("a", COLUMNS) == ()
    np.testing.assert_array_equal(again.table(["a"], [GRADIENT]).values[GRADIENT], original.values[GRADIENT])


def test_garbage_is_ignored(tmp_path: Path) -> None:
    store = ColumnStore(tmp_path, CONTEXT)
    store.write(["a"], COLUMNS, [measurement(3, COLUMNS)])
    (store.folder / "garbage.arrow").write_bytes(b"ARROW1\0\0" + bytes(500) + b"ARROW1")
    (store.folder / "notes.txt").write_text("not a table")
    (store.folder / f".x.arrow.{os.getpid()}.partial").write_bytes(b"ARR")
    assert ColumnStore(tmp_path, CONTEXT).missing("a", COLUMNS) == ()


FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_a_storage_error_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ColumnStore(tmp_path, CONTEXT)
    store.write(["a"], [LAYER], [measurement(3, [LAYER])])
    before = sorted(store.folder.iterdir())

    def full(*_: object) -> None:
        raise FULL

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(StorageError, match="No space left on device; free some space") as raised:
            store.write(["b"], COLUMNS, [measurement(2, COLUMNS)])
    assert len(str(raised.value).splitlines()) == 1
    assert sorted(store.folder.iterdir()) == before
    for known in (store, ColumnStore(tmp_path, CONTEXT)):
        assert known.missing("b", COLUMNS) == COLUMNS and known.missing("a", [LAYER]) == ()
    store.write(["b"], COLUMNS, [measurement(2, COLUMNS)])
    assert ColumnStore(tmp_path, CONTEXT).missing("b", COLUMNS) == ()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_a_disk_that_fills_up_while_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = [measurement(3, COLUMNS)]
    store = ColumnStore(tmp_path / "full", CONTEXT)
    store.write(["b"], [LAYER], [measurement(3, [LAYER])])
    before = sorted(store.folder.iterdir())
    monkeypatch.setattr(files, "_create", lambda temporary, _: temporary.symlink_to("/dev/full"))
    with pytest.raises(StorageError, match="No space left on device"):
        store.write(["a"], COLUMNS, measured)
    assert sorted(store.folder.iterdir()) == before
    for known in (store, ColumnStore(tmp_path / "full", CONTEXT)):
        assert known.missing("a", COLUMNS) == COLUMNS


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_protected_folder_is_a_storage_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="cannot write"):
            ColumnStore(tmp_path, CONTEXT).write(["a"], [LAYER], [measurement(1, [LAYER])])
    finally:
        tmp_path.chmod(0o700)


def test_a_file_where_the_folder_should_be_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "columns").write_text("")
    with pytest.raises(StorageError, match="cannot write"):
        ColumnStore(tmp_path, CONTEXT).write(["a"], [LAYER], [measurement(1, [LAYER])])


# What the cache holds


def test_summaries_and_clearing(tmp_path: Path) -> None:
    assert summaries(tmp_path) == [] and clear(tmp_path) == 0
    ColumnStore(tmp_path, CONTEXT).write(["a", "b"], COLUMNS, [measurement(2, COLUMNS)] * 2)
    ColumnStore(tmp_path, CONTEXT).write(["c"], [LAYER], [measurement(2, [LAYER])])
    other = replace(CONTEXT, initialisation=3)
    ColumnStore(tmp_path, other).write(["a"], [LAYER], [measurement(2, [LAYER])])
    found = {item.folder.name: item for item in summaries(tmp_path)}
    assert set(found) == {CONTEXT.key, other.key}
    assert found[other.key].settings == other.shared()
    assert (found[CONTEXT.key].networks, found[CONTEXT.key].columns) == (3, 3)
    assert (found[other.key].networks, found[other.key].columns) == (1, 1)
    on_disk = sum(path.stat().st_size for path in tmp_path.rglob("*.arrow"))
    assert sum(item.bytes for item in found.values()) == on_disk == clear(tmp_path)
    assert not list(tmp_path.rglob("*.arrow")) and summaries(tmp_path) == []


@pytest.mark.parametrize("torn", ["table", "manifest"])
def test_summaries_and_clearing_survive_a_torn_file(tmp_path: Path, torn: str) -> None:
    store = ColumnStore(tmp_path, CONTEXT)
    store.write(["a"], COLUMNS, [measurement(2, COLUMNS)])
    path = only_file(store.folder) if torn == "table" else store.folder / "context.json"
    path.write_bytes(path.read_bytes()[:20])
    summaries(tmp_path)
    clear(tmp_path)
    assert not store.folder.exists()


def test_the_manifest_says_what_a_folder_is_for(tmp_path: Path) -> None:
    store = ColumnStore(tmp_path, CONTEXT)
    store.write(["a"], [LAYER], [measurement(2, [LAYER])])
    manifest = json.loads((store.folder / "context.json").read_text())
    assert manifest == CONTEXT.shared()
    assert store.folder.name.startswith("nasbench201-imagenet16-120-")


# Sweeps


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ColumnTable]:
    """A cache with everything measured in this process, and what the sweep returned."""
    cache = tmp_path_factory.mktemp("cache")
    return cache, sweep(CONTEXT, CELLS, COLUMNS, cache=cache)


def test_a_sweep_measures_every_network(swept: tuple[Path, ColumnTable]) -> None:
    _, table = swept
    # Stem, two reductions of three convolutions and the classifier, and one convolution in each of fifteen cells
    assert table.counts.tolist() == [8 + 15, 8, 0, 8 + 15, 8 + 15]
    assert table.values[LAYER].shape == table.values[GRADIENT].shape == (sum(table.counts),)
    assert table.values[NETWORK].shape == (5,)
    assert np.isfinite(table.values[GRADIENT]).all() and (table.values[GRADIENT] > 0).any()
    assert table.values[NETWORK].tolist() == pytest.approx([2 * np.log(2)] * 2 + [-np.inf] + [2 * np.log(2)] * 2)
    assert (table.seconds > 0).all()


def test_a_sweep_measures_the_blocks_of_every_network(swept: tuple[Path, ColumnTable]) -> None:
    cache, _ = swept
    table = sweep(CONTEXT, CELLS, [BLOCK, LAYER], cache=cache)
    assert table.blocks is not None and table.blocks.counts.tolist() == [18, 18, 0, 18, 18]
    assert (table.blocks.layers >= 0).reshape(4, 18).sum(axis=1).tolist() == [18, 3, 18, 18]
    assert table.values[BLOCK].shape == (4 * 18,) and (table.values[BLOCK] > 0).all()


def test_known_columns_are_not_measured_again(swept: tuple[Path, ColumnTable]) -> None:
    cache, table = swept
    files = {path: path.stat().st_mtime_ns for path in cache.rglob("*.arrow")}
    calls: list[tuple[int, int]] = []
    again = sweep(CONTEXT, CELLS, COLUMNS, cache=cache, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(0, 0)] and not again.seconds.any()
    assert same(again, table)
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*.arrow")} == files


def test_only_new_columns_and_networks_are_measured(swept: tuple[Path, ColumnTable], tmp_path: Path) -> None:
    _, table = swept
    totals: list[int] = []
    for names, columns in ((CELLS[:2], COLUMNS[:1]), (CELLS[:2], COLUMNS[:2]), (CELLS[:3], COLUMNS[:2])):
        sweep(
            CONTEXT,
            names,
            columns,
            cache=tmp_path,
            progress=lambda done, total: totals.append(total) if not done else None,
        )
    assert totals == [2, 2, 1]
    found = sweep(CONTEXT, CELLS[:3], COLUMNS[:2], cache=tmp_path)
    assert (found.counts == table.counts[:3]).all()
    np.testing.assert_array_equal(found.values[LAYER], table.values[LAYER][: sum(table.counts[:3])])


def test_the_order_of_networks_and_columns_does_not_matter(swept: tuple[Path, ColumnTable], tmp_path: Path) -> None:
    _, table = swept
    found = sweep(CONTEXT, [*CELLS[::-1], CELLS[0]], COLUMNS[::-1], cache=tmp_path)
    assert found.counts.tolist() == [*table.counts[::-1], table.counts[0]]
    ends = np.cumsum(table.counts)
    parts = np.split(table.values[GRADIENT], ends[:-1])
    np.testing.assert_array_equal(found.values[GRADIENT], np.concatenate([*parts[::-1], parts[0]]))


def test_a_torn_file_is_measured_again(swept: tuple[Path, ColumnTable], tmp_path: Path) -> None:
    _, table = swept
    sweep(CONTEXT, CELLS, COLUMNS[:2], cache=tmp_path)
    for path in tmp_path.rglob("*.arrow"):
        path.write_bytes(path.read_bytes()[:300])
    found = sweep(CONTEXT, CELLS, COLUMNS[:2], cache=tmp_path)
    assert (found.seconds > 0).all()
    assert all(np.array_equal(found.values[column], table.values[column]) for column in COLUMNS[:2])


def test_two_workers_measure_the_same_columns(swept: tuple[Path, ColumnTable], tmp_path: Path) -> None:
    _, table = swept
    with worker_pool(2) as executor:
        assert same(sweep(CONTEXT, CELLS, COLUMNS, cache=tmp_path, executor=executor), table)
        assert executor is not None
        wait([executor.submit(os._exit, 9)])
        with pytest.raises(RunError, match=r"a worker process died.*`workers`"):
            sweep(CONTEXT, CELLS, [parse("macs")], cache=tmp_path / "other", executor=executor)


def test_another_initialisation_has_other_gradients_and_the_same_sizes(
    swept: tuple[Path, ColumnTable], tmp_path: Path
) -> None:
    _, table = swept
    found = sweep(replace(CONTEXT, initialisation=1), CELLS[:1], COLUMNS, cache=tmp_path)
    layers = table.counts[0]
    assert (found.values[GRADIENT] != table.values[GRADIENT][:layers]).all()
    assert (found.values[LAYER] == table.values[LAYER][:layers]).all()


def test_a_sweep_leaves_the_random_state_alone(tmp_path: Path) -> None:
    before = torch.get_rng_state()
    sweep(CONTEXT, CELLS[:1], [GRADIENT], cache=tmp_path)
    assert torch.equal(before, torch.get_rng_state())
