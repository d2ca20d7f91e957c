"""The three tasks of NATS-Bench's size space: rank its networks by test accuracy after 90 epochs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from zcproxy.benchmarks.nats_sss.space import NATSSizeSpace
from zcproxy.benchmarks.shared.label_table import KnownFile, TableSource, convert_parquet
from zcproxy.benchmarks.shared.nats.datasets import DATASETS
from zcproxy.benchmarks.shared.table_task import TableTask

TABLE_FILE = "nats_sss.parquet"
TABLE_SHA256 = "93bfd81e5211caf8763a58c96f577ca572d6f5e13fc9cdff62bbac9db66aa0b5"
COLUMNS = tuple(
    name for dataset in DATASETS.values() for name in (f"{dataset.column}_test_90_natsv10", f"params_{dataset.column}")
)
TABLE = TableSource(
    "nats_sss",
    "labels",
    (KnownFile(TABLE_FILE, TABLE_SHA256),),
    partial(convert_parquet, "arch_str", COLUMNS),
    COLUMNS,
    labels=COLUMNS[::2],
    parse=NATSSizeSpace().parse,
)


@cache
def load_task(dataset: str) -> NATSSizeTask:
    """Return the task of one dataset: `cifar10`, `cifar100` or `imagenet16-120`."""
    return NATSSizeTask(dataset)


class NATSSizeTask(TableTask):
    """Networks labelled with their test accuracy after 90 epochs (release NATS-sss-v1_0, one training each)."""

    def __init__(self, dataset: str) -> None:
        known = DATASETS[dataset]
        self._sizes, self._params = NATSSizeSpace(), f"params_{known.column}"
        label = f"{known.column}_test_90_natsv10"
        super().__init__(f"nats_sss/{dataset}", self._sizes, TABLE, label, known.images, known.classes)

    def baselines(self, architectures: Sequence[str]) -> dict[str, NDArray[np.float64]]:
        """Return `params` and `flops` (millions of multiply-adds); all networks have as many convolutions."""
        macs = [self._sizes.macs(architecture, self.input_shape, self.classes) for architecture in architectures]
        return {"params": self.values(self._params, architectures), "flops": np.array(macs, np.float64) / 1e6}
