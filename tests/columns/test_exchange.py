"""Columns as a Parquet file: what another machine takes in is what was measured, or nothing."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from corruptions import ALL
from made_columns import BLOCK, COLUMNS, CONTEXT, GRADIENT, PARAMS, drawn, names, write_files

from zcproxy.columns.exchange import Choice, export_columns, import_columns
from zcproxy.columns.housekeeping import summaries
from zcproxy.columns.passport import PASSPORT
from zcproxy.columns.store import ColumnStore
from zcproxy.columns.table import ColumnTable, table_of
from zcproxy.errors import StorageError
from zcproxy.formula import REGISTRY
from zcproxy.storage.records import read_record, record_text

NUMBERS = tuple(range(70))
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ColumnStore:
    """A pack, loose files, and a network with one column alone."""
    store = ColumnStore(tmp_path_factory.mktemp("cache"), CONTEXT)
    write_files(store, NUMBERS)
    store.write(["single"], [PARAMS], [drawn(1)])
    return store


@pytest.fixture(scope="module")
def exported(store: ColumnStore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("exported") / "columns.parquet"
    found = export_columns(store, path, Choice())
    assert (found.networks, found.columns) == (len(NUMBERS) + 1, len(COLUMNS))
    return path


def same(table: ColumnTable) -> bool:
    whole = table_of(list(map(drawn, NUMBERS)), COLUMNS)
    return table.coverage == whole.coverage and all(
        table.values[column].dtype == whole.values[column].dtype
        and np.array_equal(table.values[column], whole.values[column])
        for column in COLUMNS
    )


def rewritten(path: Path, out: Path, change: Callable[[dict[str, Any], pa.Table], pa.Table | None]) -> Path:
    """Write a copy of a file whose metadata or rows were changed by someone who knows its form."""
    metadata, table = read_record(pq.read_metadata(path).metadata[PASSPORT]), pq.read_table(path)
    table = change(metadata, table) or table
    with pq.ParquetWriter(out, table.schema) as writer:
        for group in range(pq.ParquetFile(path).num_row_groups):
            rows = pq.ParquetFile(path).read_row_group(group).num_rows
            writer.write_table(table.slice(0, rows))
            table = table.slice(rows)
        writer.add_key_value_metadata({PASSPORT: record_text(metadata).encode()})
    return out


def test_another_cache_has_the_same_numbers_however_often_the_file_is_imported(exported: Path, tmp_path: Path) -> None:
    added = [import_columns(exported, tmp_path).added for _ in range(2)]
    assert added == [len(NUMBERS) + 1, 0]
    store = ColumnStore(tmp_path, CONTEXT)
    assert same(store.table(names(NUMBERS), COLUMNS))
    assert store.missing("single", COLUMNS) == COLUMNS[1:]
    assert store.table(names([8]), [GRADIENT]).values[GRADIENT].dtype == np.float32
    assert summaries(tmp_path)[0].settings == CONTEXT.shared()


def test_what_a_cache_has_is_kept_and_the_rest_is_added(exported: Path, tmp_path: Path) -> None:
    store = ColumnStore(tmp_path, CONTEXT)
    write_files(store, NUMBERS[:3])
    store.write(["other"], COLUMNS, [drawn(5)])
    assert import_columns(exported, tmp_path).added == len(NUMBERS) + 1 - 3
    again = ColumnStore(tmp_path, CONTEXT)
    assert same(again.table(names(NUMBERS), COLUMNS)) and not again.missing("other", COLUMNS)


def test_columns_probes_and_networks_are_chosen(store: ColumnStore, tmp_path: Path) -> None:
    path = tmp_path / "some.parquet"
    some = export_columns(store, path, Choice([PARAMS, BLOCK]), names([3, 68]))
    assert (some.networks, some.columns) == (2, 2)
    table = pd.read_parquet(path)
    assert sorted(table["network"]) == ["n3", "n68"]
    (params,) = (name for name in table.columns if name.startswith("params #"))
    np.testing.assert_array_equal(table.set_index("network").loc["n3", params], drawn(3).values[PARAMS])
    assert export_columns(store, path, Choice(probes=["ones"])).columns == 2  # those that need no probe
    with pytest.raises(StorageError, match="has no such columns: see `zcproxy columns info`"):
        export_columns(store, tmp_path / "none.parquet", Choice(), ["unknown"])
    assert not (tmp_path / "none.parquet").exists()


def test_a_column_of_other_code_is_neither_exported_nor_imported(
    store: ColumnStore, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zcproxy.columns.exchange.column_key", lambda column: f"{column} #other")
    monkeypatch.setattr("zcproxy.columns.passport.column_key", lambda column: f"{column} #other")
    choice = Choice([PARAMS])
    with pytest.raises(StorageError, match="has no such columns"):
        export_columns(store, tmp_path / "x.parquet", choice)
    assert len(choice.others) == 1
    with pytest.raises(StorageError, match="as other code measured it: use the same zcproxy"):
        import_columns(exported, tmp_path)
    assert not summaries(tmp_path)


def test_a_column_of_a_plugin_that_is_not_loaded_is_named(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(REGISTRY.primitives, "frobenius_norm")
    with pytest.raises(StorageError, match=r"has the column 'frobenius_norm.*--plugin"):
        import_columns(exported, tmp_path)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("format", 99, "has format 99, not 1"),
        ("code", 4, "has columns of version 4"),
        ("settings", {"task": "digits201"}, "'batch_size' is missing"),
        ("fingerprint", 3, "'fingerprint' is 3"),
        ("digests", ["0" * 64], "groups of rows"),
    ],
)
def test_other_versions_and_other_metadata_are_refused(
    exported: Path, tmp_path: Path, field: str, value: object, said: str
) -> None:
    path = rewritten(exported, tmp_path / "x.parquet", lambda content, _: content.update({field: value}))
    with pytest.raises(StorageError, match=said) as raised:
        import_columns(path, tmp_path)
    assert len(str(raised.value).splitlines()) == 1 and not summaries(tmp_path)


def test_changed_numbers_are_refused(exported: Path, tmp_path: Path) -> None:
    def zeros(_: object, table: pa.Table) -> pa.Table:
        place = next(place for place, name in enumerate(table.column_names) if name.startswith("params #"))
        field = table.schema.field(place)
        return table.set_column(place, field, pa.array([[0.0]] * len(table), field.type))

    assert (
        import_columns(rewritten(exported, tmp_path / "same.parquet", lambda *_: None), tmp_path / "same").added == 71
    )
    with pytest.raises(StorageError, match="rows are not those that were exported; export or copy it again"):
        import_columns(rewritten(exported, tmp_path / "x.parquet", zeros), tmp_path)
    assert not summaries(tmp_path)


@pytest.mark.parametrize("seed", range(25))
def test_a_damaged_file_is_refused_or_gives_the_same(exported: Path, tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    path = tmp_path / "x.parquet"
    path.write_bytes(rng.choice(ALL)(exported.read_bytes(), rng))
    try:
        import_columns(path, tmp_path)
    except StorageError:
        assert not summaries(tmp_path)
    else:
        assert same(ColumnStore(tmp_path, CONTEXT).table(names(NUMBERS), COLUMNS))


def test_the_commands(run: Command, tmp_path: Path) -> None:
    assert (
        run("columns", "measure", "digits201", "--networks", "5", "--column", "sum(log(params))", "--workers", "1")[0]
        == 0
    )
    code, _, said = run("columns", "export", "digits201", "--out", "x.parquet")
    assert code == 0 and "digits201, batch 8, initialisation 0, cpu: 5 networks, 1 columns" in said
    shutil.rmtree(tmp_path / "cache")
    assert "5 networks added" in run("columns", "import", "x.parquet")[2]
    assert "0 networks added" in run("columns", "import", "x.parquet")[2]
    for arguments, expected in (
        (("export", "digits201", "--out", "y.parquet", "--batch-size", "4"), "has no such columns"),
        (("export", "digits201", "--out", "y.parquet", "--probes", "nose"), "unknown probe 'nose' (did you mean noise"),
        (("export", "digits201", "--out", "none/y.parquet", "--rule", "x"), "unknown initialisation rule 'x'"),
        (("measure", "digits201", "--column", "params", "--probes", "noise"), "give one of the two"),
        (("import", "missing.parquet"), "cannot read columns from missing.parquet: No such file"),
        (("import", "."), "is not a regular file"),
    ):
        code, out, said = run("columns", *arguments)
        assert code == 2 and not out and expected in said and len(said.strip().splitlines()) == 1, said
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "other.parquet")
    assert "is no file of columns" in run("columns", "import", "other.parquet")[2]


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process")
def test_a_disk_that_fills_up_ends_a_sweep_with_one_line_and_keeps_what_it_has(tmp_path: Path) -> None:
    """Files of the process may have 30 kB: those of one column fit, those of all do not."""
    script = (
        "import resource, sys\nfrom zcproxy.__main__ import main\n"
        "def measure(*arguments):\n    sys.argv = ['zcproxy', 'columns', 'measure', 'digits201', '--networks', '8', "
        "'--workers', '1', *arguments]\n    try:\n        main()\n    except SystemExit as ended:\n"
        "        print(ended.code)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))\n"
        "measure('--column', 'params')\nmeasure('--probes', 'noise')\nmeasure('--column', 'params')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env={"ZCPROXY_CACHE": str(tmp_path), "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.split() == ["0", "2", "0"], ended.stderr
    (line,) = (line for line in ended.stderr.splitlines() if "cannot" in line)
    assert "File too large; free some space or choose another place" in line
    (item,) = summaries(tmp_path)
    assert (item.networks, item.columns) == (8, 1)
    assert not list(tmp_path.rglob("*.partial")) and not list(tmp_path.rglob("*.damaged"))
