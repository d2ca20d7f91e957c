"""Files of NAS-Bench-201 and NATS-Bench, made small with the classes of their own packages."""

from __future__ import annotations

import bz2
import pickle
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from zcproxy.benchmarks.nasbench201 import NASBench201Space
from zcproxy.benchmarks.nats_sss import NATSSizeSpace
from zcproxy.errors import BenchmarkError
from zcproxy.random import array_generator

TSS, SSS = "NATS-tss-v1_0-3ffb9", "NATS-sss-v1_0-50262"
TORCH = "NAS-Bench-201-v1_1-096897.pth"
INDICES = (0, 11, 284, 6111)
SEEDS = (777, 888, 999)
COLUMNS = {"cifar10": "cifar10", "cifar100": "cifar100", "ImageNet16-120": "imagenet16"}


def cell_table() -> pd.DataFrame:
    """Return all cells with numbers that were drawn; some lack the third training on CIFAR-10."""
    space, rng = NASBench201Space(), array_generator("made cells")
    cells = list(space.enumerate())
    places = {cell: index for index, cell in enumerate(cells)}
    columns: dict[str, Any] = {"arch": cells, "pruned_index": [places[space.prune(cell)] for cell in cells]}
    for dataset in COLUMNS.values():
        columns |= {
            f"{dataset}/{label}": rng.uniform(10, 90, len(cells)) for label in ("test_200", "val_200", "test_12")
        }
        columns[f"params_{dataset}"] = rng.integers(70_000, 1_500_000, len(cells))
        columns[f"flops_M_{dataset}_derived"] = rng.uniform(8, 220, len(cells))
    trials = rng.uniform(10, 90, (len(cells), len(SEEDS)))
    trials[11::2, 2] = np.nan
    columns |= {f"cifar10/test_200_trial{number}": trials[:, number] for number in range(len(SEEDS))}
    columns["cifar10/test_200"] = np.nanmean(trials, axis=1)
    return pd.DataFrame(columns)


def size_table() -> pd.DataFrame:
    """Return all networks of the size space with numbers that were drawn."""
    rng = array_generator("made sizes")
    texts = list(NATSSizeSpace().enumerate())
    columns: dict[str, Any] = {"arch_str": texts}
    for dataset in COLUMNS.values():
        columns[f"{dataset}_test_90_natsv10"] = rng.uniform(10, 90, len(texts))
        columns[f"params_{dataset}"] = rng.integers(9_000, 400_000, len(texts))
    return pd.DataFrame(columns)


def training(
    package: Any, dataset: str, seed: int, epochs: int, accuracies: Mapping[str, float], config: dict[str, Any],
    params: int, flops: float,
) -> Any:  # fmt: skip
    """One training as the authors' scripts store it: accuracies of the last epoch, times of all, numpy's numbers."""
    curve = OrderedDict((epoch, 99.0) for epoch in range(epochs))
    count = package.ResultsCount(
        dataset, None, curve, curve, np.float64(params / 1e6), float(flops), config, str(seed), epochs, [0.01]
    )
    for subset, accuracy in accuracies.items():
        count.update_OLD_eval(subset, {epochs - 1: accuracy}, {epochs - 1: np.float64(0.5)})
        count.reset_pseudo_eval_times(subset, np.float64(2.5))
    count.reset_pseudo_train_times(1.5)
    return count


def cell_record(package: Any, row: pd.Series, index: int) -> dict[str, Any]:
    """A record of the schedules `12` and `200`; CIFAR-100 is trained twice, a point above and below the mean."""
    config = {"channel": 16, "num_cells": 5, "arch_str": row["arch"], "class_num": 10}
    states = {}
    for schedule in ("12", "200"):
        results = package.ArchResults(index, row["arch"])
        for dataset, column in COLUMNS.items():
            mean = float(row[f"{column}/test_{schedule}"])
            trials = {777: mean}
            if schedule == "200" and column == "cifar10":
                stored = {seed: row[f"cifar10/test_200_trial{number}"] for number, seed in enumerate(SEEDS)}
                trials = {seed: accuracy for seed, accuracy in stored.items() if np.isfinite(accuracy)}
            elif schedule == "200" and column == "cifar100":
                trials = {777: mean - 1, 888: mean + 1}
            for seed, accuracy in trials.items():
                cost = row[f"params_{column}"], row[f"flops_M_{column}_derived"]
                subsets = {"ori-test": float(accuracy)}
                if column != "cifar10":
                    subsets = {"ori-test": 1.0, "x-valid": float(row[f"{column}/val_200"]), "x-test": float(accuracy)}
                one = training(package, dataset, seed, int(schedule), subsets, config, *cost)
                results.update(dataset, seed, one)
        subsets = {"x-valid": row["cifar10/val_200"], "ori-test": 2.0}
        cost = row["params_cifar10"], row["flops_M_cifar10_derived"]
        results.update(
            "cifar10-valid", 777, training(package, "cifar10-valid", 777, int(schedule), subsets, config, *cost)
        )
        states[schedule] = results.state_dict()
    return states


def size_record(package: Any, row: pd.Series, index: int) -> dict[str, Any]:
    text, space = row["arch_str"], NATSSizeSpace()
    config = {"name": "infer.shape.tiny", "channels": text, "arch_str": text, "genotype": "", "class_num": 10}
    results = package.ArchResults(index, text)
    for dataset, column in COLUMNS.items():
        side, classes = (16, 120) if column == "imagenet16" else (32, 10 if column == "cifar10" else 100)
        accuracy = row[f"{column}_test_90_natsv10"]
        subsets = (
            {"ori-test": accuracy} if column == "cifar10" else {"ori-test": 1.0, "x-valid": 2.0, "x-test": accuracy}
        )
        flops = space.macs(text, (3, side, side), classes) / 1e6
        one = training(package, dataset, 777, 90, subsets, config, row[f"params_{column}"], flops)
        results.update(dataset, 777, one)
    return {"90": results.state_dict()}


def dump(content: Any, path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(bz2.compress(pickle.dumps(content, protocol=4), 1))
    return path


def release(architectures: list[str], records: Mapping[Any, Any]) -> dict[str, Any]:
    total = len(architectures)
    return {
        "meta_archs": architectures, "total_archs": total, "arch2infos": records, "evaluated_indexes": set(records)
    }  # fmt: skip


def write_folder(folder: Path, architectures: list[str], records: Mapping[int, Any]) -> Path:
    dump({**release(architectures, {}), "arch2infos": None}, folder / "meta.pickle.pbz2")
    for index, record in records.items():
        dump(record, folder / f"{index:06d}.pickle.pbz2")
    return folder


def write_torch(path: Path, architectures: list[str], records: Mapping[int, Any], *, zipped: bool = False) -> Path:
    named = {index: {"less": record["12"], "full": record["200"]} for index, record in records.items()}
    torch.save(release(architectures, named), path, _use_new_zipfile_serialization=zipped)
    return path


def one_line(error: pytest.ExceptionInfo[BenchmarkError]) -> str:
    assert "\n" not in str(error.value)
    return str(error.value)
