"""The official release of NATS-Bench's size space as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from zcproxy.benchmarks.nats_sss.space import NATSSizeSpace
from zcproxy.benchmarks.shared.nats import releases as nats_releases
from zcproxy.benchmarks.shared.nats.records import TEST, accuracy, costs, nats_bench_results, tabulate
from zcproxy.errors import BenchmarkError
from zcproxy.workers.progress import Progress

RELEASES = {"NATS-sss-v1_0": "50262"}
"""Release -> the last digits of the md5 of its file."""

_WHAT = "the size release of NATS-Bench (NATS-sss)"


def release_of(path: Path) -> str:
    """Return the release that a path names. Raises `BenchmarkError` if it is not one of `RELEASES`."""
    return nats_releases.release_of(path, RELEASES)


def not_known(path: Path) -> BenchmarkError:
    """Return why a release is read only with `trust`: see `nats_releases.not_known`."""
    return nats_releases.not_known(path, RELEASES)


def read_official(path: Path, *, progress: Progress | None = None) -> pd.DataFrame:
    """Return what a release holds: one row per architecture, in official order.

    Columns are `arch_str`, `DATASET_test_90_natsv10` (test accuracy in percent, mean over the trainings stored),
    `params_DATASET`, and `flops_M_DATASET` (millions of multiply-adds); the index is the official one.

    Args:
        path: `NATS-sss-v1_0-50262.pickle.pbz2`, or the folder `NATS-sss-v1_0-50262-simple`. Its content is not
            known.
        progress: called after each record with the number read and their total.

    Raises:
        BenchmarkError: nats-bench is not installed, or the path holds something else, an architecture outside the
            space, a broken record, or more than plain data.
    """
    create = nats_bench_results()
    contents = nats_releases.read_archive(path, _WHAT)
    parse = NATSSizeSpace().decode
    schedules = {"full": "90"}
    return tabulate(contents, path, _WHAT, parse=parse, create=create, schedules=schedules, row=_row, progress=progress)


def _row(architecture: str, full: Any) -> dict[str, Any]:
    sizes = {column: costs(full, dataset) for column, (dataset, _) in TEST.items()}
    return {
        "arch_str": architecture,
        **{f"{column}_test_90_natsv10": accuracy(full, *source) for column, source in TEST.items()},
        **{f"params_{column}": parameters for column, (parameters, _) in sizes.items()},
        **{f"flops_M_{column}": flops for column, (_, flops) in sizes.items()},
    }
