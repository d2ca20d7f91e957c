"""The task of Once-for-All MobileNetV3: rank sub-networks by the ImageNet accuracy of their inherited weights."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pandas as pd

from zcproxy.benchmarks.once_for_all.latency import predicted_latencies
from zcproxy.benchmarks.once_for_all.mobilenetv3_space import MobileNetV3Space
from zcproxy.benchmarks.shared.label_table import ARCHITECTURE, Converted, KnownFile, TableSource
from zcproxy.benchmarks.shared.table_task import TableTask
from zcproxy.contracts.measurements import Measurements
from zcproxy.errors import BenchmarkError
from zcproxy.images.published import Images
from zcproxy.reading.plain_values import finite_number, read_csv, read_literal

SIDE = 96
"""Height and width of the images that networks are probed with; accuracies were measured at 224."""

COLUMNS = ("accuracy", "params", "flops")
DATASETS = ("imagenet",)
_NAMES = {"Top-1 Acc (%)": "accuracy", "Model Parameters": "params", "MACs": "flops"}


class SubNetworkTask(TableTask):
    """Sub-networks that two searches evaluated, labelled with the accuracy of their inherited weights."""

    def measurements(self) -> Measurements:
        """Return the latencies of the sub-networks."""
        return predicted_latencies()


@cache
def load_task(dataset: str, side: int | None = None) -> SubNetworkTask:
    """Return the task.

    Args:
        dataset: `imagenet`.
        side: height and width of the images instead of `SIDE`.
    """
    name = f"ofa_mobilenetv3/{dataset}{f'@{side}' if side else ''}"
    return SubNetworkTask(name, MobileNetV3Space(), TABLE, "accuracy", Images("imagenet", side or SIDE), 1000)


def convert_rows(contents: Sequence[bytes]) -> Converted:
    """Return the table of the trajectories of searches: top-1 in percent, params, millions of multiply-adds at 224.

    Raises:
        BenchmarkError: one of them is not such a table.
    """
    rows, left_out = [], []
    for file, content in enumerate(contents):
        for number, row in enumerate(_trajectory(content).itertuples(index=False)):
            try:
                architecture = MobileNetV3Space().from_official(read_literal(str(row[0])))
                accuracy, params, flops = map(finite_number, (row.accuracy, row.params, row.flops))
                rows.append((architecture, accuracy, params, flops / 1e6))
            except (BenchmarkError, TypeError, ValueError) as error:
                left_out.append(f"file {file}, row {number}: {error}")
    frame = pd.DataFrame(rows, columns=[ARCHITECTURE, *COLUMNS])
    return Converted(frame.groupby(ARCHITECTURE, sort=False).mean().reset_index(), tuple(left_out))


def _trajectory(content: bytes) -> pd.DataFrame:
    try:
        return read_csv(content, ("Sub-network", *_NAMES)).rename(columns=_NAMES)
    except ValueError as error:
        raise BenchmarkError(f"this is not a table of sub-networks: {error}") from error


TABLE = TableSource(
    "ofa_mobilenetv3",
    "labels",
    (
        KnownFile("mbnv3w10_evonsga2_acc_macs.csv", "26382008e3311c93cbb1f8de3310ac69a37c650c9692e032c90e04805e523cbe"),
        KnownFile(
            "mbnv3w10_linasnsga2_acc_macs.csv", "cc49278a179df47e6a8f5906e0bd32a6d2f4d29c0d0424ab0ac14eb4a10f8962"
        ),
    ),
    convert_rows,
    COLUMNS,
    labels=COLUMNS[:1],
)
