"""The measured accuracies, sizes and costs of all 15,625 cells, read from one table in official index order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
from numpy.typing import NDArray

from zcproxy.benchmarks.data import verified_file
from zcproxy.errors import BenchmarkError

TABLE_FILE = "nasbench201/nasbench201.parquet"
TABLE_SHA256 = "a41b7d18d74674a6edf19be8fdb38c652443469326ef4f17e56e1eb5de76450c"
TRIALS = ("cifar10/test_200_trial0", "cifar10/test_200_trial1")
_PREFIXES = ("cifar10", "cifar100", "imagenet16")
_COLUMNS = (
    *(f"{prefix}/test_200" for prefix in _PREFIXES),
    *(f"params_{prefix}" for prefix in _PREFIXES),
    *(f"flops_M_{prefix}_derived" for prefix in _PREFIXES),
    *TRIALS,
)


@dataclass(frozen=True)
class LabelTable:
    """The table in memory.

    Attributes:
        rows: architecture -> row, in official index order.
        populations: `all` is every cell; `pruned` is every cell without dead edges, the one of its `pruned_index` that
            published correlations use (a cell with dead edges has the parameters of unused convolutions).
        columns: column name -> one number per row; accuracies in percent, FLOPs in millions of multiply-adds.
    """

    rows: Mapping[str, int]
    populations: Mapping[str, tuple[str, ...]]
    columns: Mapping[str, NDArray[np.float64]]


def load_labels() -> LabelTable:
    """Return the label table; it is read once per process.

    Raises:
        BenchmarkError: the file is missing, changed, or no table.
    """
    return read_labels(verified_file(TABLE_FILE, TABLE_SHA256))


@lru_cache(maxsize=1)
def read_labels(path: Path) -> LabelTable:
    """Return the label table in a file whose content has not been verified.

    Raises:
        BenchmarkError: the file is not a Parquet table or lacks a column.
    """
    try:
        table = pyarrow.parquet.read_table(path, columns=["arch", "pruned_index", *_COLUMNS])
        architectures = tuple(table["arch"].to_pylist())
        pruned = set(table["pruned_index"].to_pylist())
        columns = {name: table[name].to_numpy().astype(np.float64) for name in _COLUMNS}
    except (OSError, pyarrow.ArrowException, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise BenchmarkError(f"{path} is not the NAS-Bench-201 table ({reason}): fetch the file again") from error
    return LabelTable(
        rows={architecture: row for row, architecture in enumerate(architectures)},
        populations={"all": architectures, "pruned": tuple(architectures[row] for row in sorted(pruned))},
        columns=columns,
    )
