"""The measured accuracies, sizes and costs of all 15,625 cells, read from one table in official index order."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial

from zcproxy.benchmarks.nasbench201.space import NASBench201Space
from zcproxy.benchmarks.shared.label_table import KnownFile, LabelTable, TableSource, convert_parquet

TABLE_FILE = "nasbench201.parquet"
TABLE_SHA256 = "a41b7d18d74674a6edf19be8fdb38c652443469326ef4f17e56e1eb5de76450c"
TRIALS = ("cifar10/test_200_trial0", "cifar10/test_200_trial1")
_PREFIXES = ("cifar10", "cifar100", "imagenet16")
COLUMNS = (
    *(f"{prefix}/test_200" for prefix in _PREFIXES),
    *(f"params_{prefix}" for prefix in _PREFIXES),
    *(f"flops_M_{prefix}_derived" for prefix in _PREFIXES),
    *TRIALS,
)
TABLE = TableSource(
    "nasbench201",
    "labels",
    (KnownFile(TABLE_FILE, TABLE_SHA256),),
    partial(convert_parquet, "arch", COLUMNS),
    COLUMNS,
    labels=tuple(f"{prefix}/test_200" for prefix in _PREFIXES),
    trials=TRIALS,
    parse=NASBench201Space().parse,
)


@lru_cache(maxsize=2)
def populations(table: LabelTable) -> Mapping[str, tuple[str, ...]]:
    """Return the architectures of each population.

    `all` is every cell; `pruned` is every cell without dead edges, the population that published correlations use (a
    cell with dead edges has the parameters of unused convolutions).
    """
    space = NASBench201Space()
    return {"all": tuple(table.rows), "pruned": tuple(cell for cell in table.rows if space.prune(cell) == cell)}
