"""The official releases of NAS-Bench-201, and of NATS-Bench's topology space, which has the same cells, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from zcproxy.benchmarks.nasbench201.space import NASBench201Space
from zcproxy.benchmarks.shared.nats import releases as nats_releases
from zcproxy.benchmarks.shared.nats.records import (
    TEST,
    accuracy,
    accuracy_if_stored,
    costs,
    nats_bench_results,
    tabulate,
)
from zcproxy.benchmarks.shared.nats.releases import BZ2
from zcproxy.errors import BenchmarkError
from zcproxy.reading.safe_pickle import load_torch
from zcproxy.workers.progress import Progress

RELEASES = {"NAS-Bench-201-v1_1": "096897", "NAS-Bench-201-v1_0": "e61699", "NATS-tss-v1_0": "3ffb9"}
"""Release -> the last digits of the md5 of its file."""

SEEDS = (777, 888, 999)
"""The seeds of the columns `cifar10/test_200_trial0` and so on."""

_WHAT = "a release of NAS-Bench-201 or NATS-Bench's topology space (NATS-tss)"
_VALIDATION = {
    "cifar10": ("cifar10-valid", "x-valid"),
    "cifar100": ("cifar100", "x-valid"),
    "imagenet16": ("ImageNet16-120", "x-valid"),
}


def release_of(path: Path) -> str:
    """Return the release that a path names. Raises `BenchmarkError` if it is not one of `RELEASES`."""
    return nats_releases.release_of(path, RELEASES)


def not_known(path: Path) -> BenchmarkError:
    """Return why a release is read only with `trust`: see `nats_releases.not_known`."""
    return nats_releases.not_known(path, RELEASES)


def read_official(path: Path, *, progress: Progress | None = None) -> pd.DataFrame:
    """Return what a release holds: one row per cell, in official order.

    Columns are `arch`; `pruned_index`, the official index of the cell without its dead edges; for each dataset
    `DATASET/test_200` and `DATASET/val_200`, `DATASET/test_12` (accuracy in percent after the schedule of 200 or 12
    epochs, mean over the trainings stored), `params_DATASET` and `flops_M_DATASET_derived` (millions of multiply-adds);
    and `cifar10/test_200_trialN`, the single training with the Nth of `SEEDS`. The index is the official one. Numbers
    that a release does not have are NaN, except the test accuracy after 200 epochs, which must be there.

    Args:
        path: `NAS-Bench-201-v1_1-096897.pth` or `v1_0-e61699`, `NATS-tss-v1_0-3ffb9.pickle.pbz2`, or the folder
            `NATS-tss-v1_0-3ffb9-simple`. Its content is not known.
        progress: called after each record with the number read and their total.

    Raises:
        BenchmarkError: nats-bench is needed and not installed, or the path holds something else, a cell outside the
            space, a broken record, or more than plain data.
    """
    if path.is_dir() or _starts_with_bz2(path):
        create, schedules = nats_bench_results(), {"short": "12", "full": "200"}
        contents = nats_releases.read_archive(path, _WHAT)
    else:
        from nas_201_api import ArchResults

        create, schedules = ArchResults.create_from_state_dict, {"short": "less", "full": "full"}
        contents = nats_releases.contents_of(load_torch(path, _WHAT), path, _WHAT)
    space = NASBench201Space()
    positions = {text: index for index, text in enumerate(contents.architectures)}
    row = partial(_row, space, positions)
    return tabulate(
        contents, path, _WHAT, parse=space.parse, create=create, schedules=schedules, row=row, progress=progress
    )


def _row(space: NASBench201Space, positions: Mapping[str, int], cell: str, short: Any, full: Any) -> dict[str, Any]:
    trials = [accuracy_if_stored(full, *TEST["cifar10"], seed) for seed in SEEDS]
    sizes = {column: costs(full, dataset) for column, (dataset, _) in TEST.items()}
    return {
        "arch": cell,
        "pruned_index": positions[space.prune(cell)],
        **{f"{column}/test_200": accuracy(full, *source) for column, source in TEST.items()},
        **{f"{column}/val_200": accuracy_if_stored(full, *source) for column, source in _VALIDATION.items()},
        **{f"{column}/test_12": accuracy_if_stored(short, *source) for column, source in TEST.items()},
        **{f"cifar10/test_200_trial{number}": trial for number, trial in enumerate(trials)},
        **{f"params_{column}": parameters for column, (parameters, _) in sizes.items()},
        **{f"flops_M_{column}_derived": flops for column, (_, flops) in sizes.items()},
    }


def _starts_with_bz2(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(len(BZ2)) == BZ2
    except OSError as error:
        raise BenchmarkError(f"{path} cannot be read ({error.strerror or error})") from error
