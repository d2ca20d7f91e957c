"""Imported tables: `imported/BENCHMARK/TABLE.parquet` in the data directory, each beside its manifest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow
from pyarrow import parquet, types

from zcproxy.errors import BenchmarkError
from zcproxy.reading.data_directory import configured_directory, digest_of, sha256_of
from zcproxy.reading.plain_values import dictionary, read_json, whole_number
from zcproxy.reading.unpacking import content_of, most_unpacked
from zcproxy.storage.files import replacing, write_text

FOLDER = "imported"
FORMAT = 1
MOST_ROWS = 1_000_000
_LONGEST, _LONGEST_REASON = 40, 200


def imported_path(benchmark: str, table: str) -> Path:
    """Return the place of an imported table, whether it is there or not."""
    return configured_directory() / FOLDER / benchmark / f"{table}.parquet"


def manifest_path(table: Path) -> Path:
    """Return the place of the manifest of an imported table."""
    return table.with_suffix(".manifest.json")


def write_imported(path: Path, frame: pd.DataFrame, facts: dict[str, Any]) -> None:
    """Write a table and its manifest; the manifest comes last, so that a table without one is unfinished.

    Args:
        path: path of the table.
        frame: see `zcproxy.benchmarks.shared.label_table.Converted`.
        facts: what the manifest says beside format, version of the converter, rows and sha256 of the table.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    with replacing(path) as temporary:
        frame.to_parquet(temporary, index=False, write_page_checksum=True)
    digest = sha256_of(path)
    manifest = {"format": FORMAT, "converter": version("zcproxy"), **facts, "rows": len(frame), "sha256": digest}
    write_text(manifest_path(path), json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")


def read_manifest(path: Path) -> dict[str, Any]:
    """Return the manifest of an imported table. Raises `BenchmarkError`."""
    place = manifest_path(path)
    try:
        content = read_json(content_of(place))
        found = {
            **dictionary(content),
            "format": whole_number(content["format"]),
            "sha256": str(content["sha256"]),
            "source": dictionary(content["source"]),
        }
    except (BenchmarkError, LookupError, TypeError, ValueError) as error:
        raise BenchmarkError(
            f"{place} is not a manifest of an imported table ({error}): import the table again"
        ) from error
    if found["format"] > FORMAT:
        raise BenchmarkError(f"{place} has format {found['format']}, this version reads up to {FORMAT}: upgrade")
    return found


def read_imported(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Return an imported table after checking its content against the digest that was written at the import.

    Raises:
        BenchmarkError: the manifest is missing, the table is not the one it describes, or lacks a column.
    """
    expected = read_manifest(path)["sha256"]
    content = content_of(path)
    found = digest_of(content, expected)
    if found != expected:
        raise BenchmarkError(
            f"{path} is truncated or changed: {len(content)} bytes with sha256 {found[:12]}..., expected "
            f"{expected[:12]}...; import it again"
        )
    return read_parquet(content, columns, str(path))


def read_parquet(content: bytes, columns: Sequence[str], shown: str) -> pd.DataFrame:
    """Return columns of a Parquet file; the first one is text, the others are numbers.

    Args:
        content: the bytes of the file.
        columns: names.
        shown: name of the file, for the error.

    Raises:
        BenchmarkError: it is none, lacks a column, or has one of another type, or more rows than tables have.
    """
    try:
        source = pyarrow.BufferReader(content)
        # As a dictionary, a text that is repeated a million times takes no room.
        with parquet.ParquetFile(source, read_dictionary=[columns[0]], page_checksum_verification=True) as file:
            schema = file.schema_arrow
            for column in columns:
                kind = schema.field(column).type
                if not (_is_text(kind) if column == columns[0] else _is_number(kind)):
                    raise ValueError(f"the column '{column}' holds {str(kind)[:_LONGEST]}")
            _check_size(file.metadata, len(content))
            table = file.read(list(columns), use_threads=False).replace_schema_metadata(None)
            if sum(len(chunk.dictionary) for chunk in table.column(columns[0]).chunks) < len(table):
                raise ValueError(f"a text in '{columns[0]}' is missing or occurs twice")
            return pd.DataFrame({name: table.column(name).to_pandas() for name in columns}).astype({columns[0]: str})
    except (OSError, ValueError, LookupError, MemoryError, OverflowError, pyarrow.ArrowException) as error:
        reason = " ".join(str(error).split())[:_LONGEST_REASON]
        raise BenchmarkError(f"{shown} is not a table of labels ({reason}): import or fetch it again") from error


def _check_size(metadata: parquet.FileMetaData, packed: int) -> None:
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    if metadata.num_rows > MOST_ROWS or sum(group.total_byte_size for group in groups) > most_unpacked(packed):
        raise ValueError(f"it says that it has {metadata.num_rows} rows, more than measured networks fill")


def _is_text(kind: pyarrow.DataType) -> bool:
    plain = kind.value_type if types.is_dictionary(kind) else kind
    return bool(types.is_string(plain) or types.is_large_string(plain))


def _is_number(kind: pyarrow.DataType) -> bool:
    return bool(types.is_integer(kind) or types.is_floating(kind))
