"""The official file of TransNAS-Bench-101, and the tables that were made of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from zcproxy.benchmarks.shared.label_table import ARCHITECTURE, Converted
from zcproxy.benchmarks.shared.official import Reading, read_known_files
from zcproxy.benchmarks.transnas101.tasks import HEADS, LABEL, SPACES, table_of
from zcproxy.errors import BenchmarkError
from zcproxy.reading.data_directory import sha256_of
from zcproxy.reading.plain_values import dictionary, finite_number
from zcproxy.reading.safe_pickle import load_torch
from zcproxy.workers.progress import Progress

TABLES = tuple(table_of(space, head) for space in SPACES for head in HEADS)
_LONGEST, _SHOWN = 160, 60
_WHAT = "the release of TransNAS-Bench-101 (transnas-bench_v10141024.pth)"


def read(path: Path, trust: bool, progress: Progress) -> Iterator[Reading]:
    """Yield the tables at a path: the official `.pth`, or files or a folder of the tables.

    The digest of the `.pth` is not known, so it is read only with `trust`; code in it is never run. The label is the
    best test accuracy of all epochs, as in the tables.

    Raises:
        BenchmarkError: the path holds neither, or a file that is not trusted.
    """
    if path.suffix != ".pth":
        yield from read_known_files(TABLES, path, trust, progress)
        return
    if not trust:
        raise BenchmarkError(
            f"the digest of {path.name} is not known: import it with `trust`, it is read as plain data"
        )
    try:
        data = dictionary(dictionary(load_torch(path, _WHAT))["data"])
    except (KeyError, TypeError) as error:
        raise BenchmarkError(f"{path} is not {_WHAT}: it has no 'data'") from error
    total, digests = len(TABLES), {path.name: sha256_of(path)}
    for number, (space, head) in enumerate((space, head) for space in SPACES for head in HEADS):
        progress(number, total)
        found = _convert(data.get(space), space, head)
        yield Reading(table_of(space, head), digests, False, found)
    progress(total, total)


def _convert(records: Any, space: str, head: str) -> Converted | BenchmarkError:
    if type(records) is not dict:
        return BenchmarkError(f"it has no architectures of the space '{space}'")
    task = HEADS[head].task
    rows, left_out = [], []
    for place, (text, record) in enumerate(records.items()):
        try:
            if not isinstance(text, str):
                raise TypeError("its name is not text")
            metrics = [finite_number(value) for value in dictionary(dictionary(record)[task])["metrics"][LABEL]]
            rows.append((SPACES[space].parse(text), max(metrics)))
        except (BenchmarkError, LookupError, RuntimeError, TypeError, ValueError) as error:
            shown = f"'{text[:_SHOWN]}'" if isinstance(text, str) else f"record {place}"
            left_out.append(f"{shown} has no {LABEL} of {task}: {str(error)[:_LONGEST]}")
    if not rows:
        return BenchmarkError(f"no architecture of '{space}' has a {LABEL} of {task}; {''.join(left_out[:1])}")
    return Converted(pd.DataFrame(rows, columns=[ARCHITECTURE, LABEL]), tuple(left_out))
