"""Columns as a Parquet file, which another machine takes into its store: a sweep is paid once.

The file has a row per network (more where its columns were measured at different times), `network`, the structure, and
a column per key and precision, such as `mean_abs(weight) #4700b799 float`, null where a row lacks it. What the columns
depend on beside their keys is in the metadata of the file, as `PASSPORT`, with a sha256 for each group of rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from zcproxy.columns.context import CODE_VERSION, column_key, folder_name, is_key_of
from zcproxy.columns.folder import ColumnFolder
from zcproxy.columns.passport import FORMAT, PASSPORT, Passport, SharedSettings, check_keys, read_passport
from zcproxy.columns.rows import STRUCTURE, STRUCTURE_SCHEMA, Rows
from zcproxy.columns.store import FOLDER, ColumnStore
from zcproxy.errors import FormulaError, StorageError
from zcproxy.formula import Node
from zcproxy.primitives import parse
from zcproxy.probing.expressions import probes_of
from zcproxy.storage.files import check_regular, open_regular, replacing

NETWORK = "network"
PRECISIONS = {str(kind): pa.list_(kind) for kind in (pa.float32(), pa.float64(), pa.int32(), pa.int64(), pa.bool_())}


@dataclass(frozen=True)
class Exchanged:
    """What was written to a file, or read from one.

    Attributes:
        settings: what the columns have in common.
        networks: number of networks.
        columns: number of columns.
        added: number of networks that the store had not, or not all columns of; for an export, of all.
    """

    settings: SharedSettings
    networks: int
    columns: int
    added: int


class Choice:
    """Columns of a store that are exported: those that the code here would measure the same, or some of them.

    Args:
        columns: these; None for all.
        probes: those that need no other probes; None for all.

    Attributes:
        others: keys of columns that were chosen but are of other code, or of plugins that are not loaded.
    """

    def __init__(self, columns: Collection[Node] | None = None, probes: Collection[str] | None = None) -> None:
        self._columns = None if columns is None else frozenset(columns)
        self._probes = None if probes is None else frozenset(probes)
        self._known: dict[str, bool] = {}
        self.others: set[str] = set()

    def has(self, key: str) -> bool:
        """Whether a column is exported, by its key."""
        if key not in self._known:
            self._known[key] = self._is_chosen(key)
        return self._known[key]

    def _is_chosen(self, key: str) -> bool:
        try:
            column = parse(key.partition(" #")[0])
        except FormulaError:
            if self._columns is None:
                self.others.add(key)
            return False
        if self._columns is not None and column not in self._columns:
            return False
        if self._probes is not None and not probes_of(column) <= self._probes:
            return False
        if not is_key_of(key, column_key(column)):
            self.others.add(key)
            return False
        return True


def export_columns(
    store: ColumnStore, path: Path, choice: Choice, networks: Collection[str] | None = None
) -> Exchanged:
    """Write columns of a store to a Parquet file, group by group: no more than a pack is in memory.

    Args:
        store: of a context.
        path: the file; it is there whole, or not at all.
        choice: the columns that are written.
        networks: architectures that are written; None for all.

    Raises:
        StorageError: the file cannot be written, or the store has nothing of what is chosen.
    """
    kept = None if networks is None else frozenset(map(store.stored, networks))
    fields: dict[str, pa.DataType] = {}
    found: set[str] = set()
    keys: set[str] = set()
    for rows in _chosen(store.files, choice, kept):  # a file has one schema, which the last rows may add to
        found.update(rows.networks)
        keys |= rows.columns.keys()
        fields |= {f"{key} {name}": PRECISIONS[name] for key, arrays in rows.columns.items() for name in arrays}
    if not found:
        raise StorageError(f"{store.folder} has no such columns: see `zcproxy columns info` for what has been measured")
    settings = SharedSettings(**store.context.shared())
    schema = pa.schema([(NETWORK, pa.string()), *STRUCTURE_SCHEMA, *((name, fields[name]) for name in sorted(fields))])
    digests = []
    with (
        replacing(path) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd", use_dictionary=False, write_statistics=False) as writer,
    ):
        for rows in _chosen(store.files, choice, kept):
            table = _table(rows, schema)
            writer.write_table(table, row_group_size=max(table.num_rows, 1))
            digests.append(_digest(table))
        passport = Passport(FORMAT, CODE_VERSION, settings, store.context.task.fingerprint, tuple(digests))
        writer.add_key_value_metadata({PASSPORT: passport.text()})
    return Exchanged(settings, len(found), len(keys), len(found))


def import_columns(path: Path, root: Path) -> Exchanged:
    """Add the columns of a file that `export_columns` wrote to a cache; those that it has are left alone.

    The whole file is checked before anything is written.

    Args:
        path: the file.
        root: the cache directory.

    Raises:
        StorageError: it is no such file, damaged, or of columns that other code has measured; or the cache cannot be
            written.
    """
    check_regular(path)
    try:
        with open_regular(path) as stream, pq.ParquetFile(stream) as file:
            passport = read_passport(path, file.metadata.metadata)
            keys = _keys(path, file.schema_arrow)
            check_keys(path, keys)
            for _ in _groups(file, passport):
                pass
            folder = root / FOLDER / folder_name(passport.settings.shared(), passport.fingerprint)
            known = ColumnFolder(folder, passport.settings.shared())
            networks: set[str] = set()
            added: set[str] = set()
            for rows in _groups(file, passport):
                networks.update(rows.networks)
                new = [row for row, name in enumerate(rows.networks) if known.lacks(name, list(rows.columns))]
                if new:
                    known.write_pack(rows.take(new))
                    added.update(rows.networks[row] for row in new)
    except (OSError, ValueError, pa.ArrowException, _DamagedGroupError) as error:
        reason = str(getattr(error, "strerror", None) or error).rstrip(". ")
        raise StorageError(f"cannot read columns from {path}: {reason}; export or copy it again") from error
    return Exchanged(passport.settings, len(networks), len(keys), len(added))


class _DamagedGroupError(Exception):
    """Rows are not those that were exported."""


def _chosen(files: ColumnFolder, choice: Choice, kept: Collection[str] | None) -> Iterator[Rows]:
    for rows in files.rows():
        some = rows.only([key for key in rows.columns if choice.has(key)])
        if kept is not None:
            some = some.take([row for row, name in enumerate(some.networks) if name in kept])
        if some.columns and some.networks:
            yield some


def _table(rows: Rows, schema: pa.Schema) -> pa.Table:
    arrays = {NETWORK: pa.array(rows.networks, pa.string())}
    arrays |= {name: rows.structure.column(name) for name in STRUCTURE}
    arrays |= {f"{key} {name}": array for key, columns in rows.columns.items() for name, array in columns.items()}
    for field in schema:
        arrays.setdefault(field.name, pa.nulls(len(rows.networks), field.type))
    return pa.table({name: arrays[name] for name in schema.names}, schema=schema)


def _keys(path: Path, schema: pa.Schema) -> set[str]:
    names = schema.names[len(STRUCTURE) + 1 :]
    if schema.names[: len(STRUCTURE) + 1] != [NETWORK, *STRUCTURE] or not all(
        name.rpartition(" ")[2] in PRECISIONS for name in names
    ):
        raise StorageError(f"{path} is no file of columns: `zcproxy columns export` writes them")
    return {name.rpartition(" ")[0] for name in names}


def _groups(file: pq.ParquetFile, passport: Passport) -> Iterator[Rows]:
    """Yield the groups of rows of a file, each after its check."""
    if file.num_row_groups != len(passport.digests):
        raise _DamagedGroupError(f"{file.num_row_groups} groups of rows instead of {len(passport.digests)}")
    for group, digest in enumerate(passport.digests):
        table = file.read_row_group(group)
        if _digest(table) != digest:
            raise _DamagedGroupError("rows are not those that were exported")
        yield _rows(table)


def _rows(table: pa.Table) -> Rows:
    columns: dict[str, dict[str, pa.Array]] = {}
    for name in table.column_names[len(STRUCTURE) + 1 :]:
        key, _, precision = name.rpartition(" ")
        array = table.column(name).combine_chunks()
        if array.null_count < len(array):
            columns.setdefault(key, {})[precision] = array.cast(PRECISIONS[precision])
    structure = table.select(STRUCTURE).cast(STRUCTURE_SCHEMA).combine_chunks()
    return Rows(table.column(NETWORK).to_pylist(), structure, columns)


def _digest(table: pa.Table) -> str:
    """Return the sha256 of the values of a table, however its memory is laid out."""
    digest = hashlib.sha256()
    for name in table.column_names:
        array = table.column(name).combine_chunks()
        digest.update(json.dumps([name, len(array)]).encode())
        digest.update(array.is_valid().to_numpy(zero_copy_only=False).tobytes())
        while pa.types.is_list(array.type) or pa.types.is_fixed_size_list(array.type):
            if pa.types.is_list(array.type):
                digest.update(array.drop_null().value_lengths().to_numpy().tobytes())
            array = array.flatten()
        if pa.types.is_string(array.type):
            digest.update(json.dumps(array.to_pylist()).encode())
        else:
            digest.update(array.to_numpy(zero_copy_only=False).tobytes())
    return digest.hexdigest()
