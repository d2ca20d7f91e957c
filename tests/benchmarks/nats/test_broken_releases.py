"""Releases that are truncated, broken or something else: one line that says which record and why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from zcproxy.benchmarks.nasbench201 import official as cells
from zcproxy.benchmarks.nats_sss import official as sizes
from zcproxy.errors import BenchmarkError

from .releases import (
    SEEDS,
    SSS,
    TORCH,
    TSS,
    dump,
    one_line,
    release,
    write_folder,
    write_torch,
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"state_dict": {}, "epoch": 3}, "has no 'meta_archs', it holds state_dict, epoch"),
        ({}, "it holds nothing"),
        ([1, 2], "holds a list, not a dictionary"),
        ({"meta_archs": {}, "arch2infos": {}}, "architectures are not a list"),
        ({"meta_archs": [], "arch2infos": {}}, "has no record of an architecture"),
    ],
)
@pytest.mark.parametrize("name", [TORCH, f"{TSS}.pickle.pbz2"])
def test_files_of_something_else(name: str, content: Any, message: str, tmp_path: Path, nats: Any) -> None:
    path = tmp_path / name
    if name == TORCH:
        torch.save(content, path)
    else:
        dump(content, path)
    with pytest.raises(BenchmarkError, match=message) as raised:
        cells.read_official(path)
    assert "NAS-Bench-201" in one_line(raised)


def test_a_release_of_the_other_space(
    tmp_path: Path, sss: pd.DataFrame, cell_texts: list[str], size_records: dict[int, Any], cell_records: dict[int, Any]
) -> None:
    size = dump(release(sss["arch_str"].tolist(), size_records), tmp_path / f"{SSS}.pickle.pbz2")
    with pytest.raises(BenchmarkError, match=r"not a release of NAS-Bench-201.*architecture 0: '8:8:8:8:8'") as raised:
        cells.read_official(size)
    one_line(raised)
    topology = write_folder(tmp_path / f"{TSS}-simple", cell_texts, cell_records)
    with pytest.raises(BenchmarkError, match=r"not the size release of NATS-Bench.*architecture 0") as raised:
        sizes.read_official(topology)
    one_line(raised)
    for damaged in (tmp_path / TORCH, tmp_path):
        if damaged.name == TORCH:
            torch.save({}, damaged)
        with pytest.raises(BenchmarkError, match=r"not compressed with bz2|has no meta.pickle.pbz2") as raised:
            sizes.read_official(damaged)
        one_line(raised)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("kept", [0, 1, 500, 5_000, -10])
def test_truncated_torch_file(
    zipped: bool, kept: int, tmp_path: Path, cell_texts: list[str], torch_records: dict[int, Any]
) -> None:
    path = write_torch(tmp_path / TORCH, cell_texts, torch_records, zipped=zipped)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(BenchmarkError, match="is truncated or not a release of NAS-Bench-201") as raised:
        cells.read_official(path)
    one_line(raised)


@pytest.mark.parametrize("kept", [3, 100, -10])
def test_truncated_archive(kept: int, tmp_path: Path, cell_texts: list[str], cell_records: dict[int, Any]) -> None:
    folder = write_folder(tmp_path / f"{TSS}-simple", cell_texts, cell_records)
    record = folder / "000284.pickle.pbz2"
    record.write_bytes(record.read_bytes()[:kept])
    with pytest.raises(BenchmarkError, match=r"000284\.pickle\.pbz2 is truncated or not a pickle") as raised:
        cells.read_official(folder)
    one_line(raised)


def missing_dataset(record: dict[str, Any]) -> None:
    del record["200"]["dataset_seed"]["cifar100"]


def missing_schedule(record: dict[str, Any]) -> None:
    del record["200"]


def missing_training(record: dict[str, Any]) -> None:
    del record["200"]["all_results"]["cifar10", 777]


def missing_epoch(record: dict[str, Any]) -> None:
    record["200"]["all_results"]["cifar10", 777]["eval_acc1es"] = {}


def no_seeds(record: dict[str, Any]) -> None:
    record["200"]["dataset_seed"]["cifar10"] = []


def impossible_accuracy(record: dict[str, Any]) -> None:
    record["200"]["all_results"]["cifar10", 777]["eval_acc1es"]["ori-test@199"] = float("nan")


def no_state(record: dict[str, Any]) -> None:
    record["200"] = 3


def of_another_architecture(record: dict[str, Any]) -> None:
    record["200"]["arch_index"] = 12


@pytest.mark.parametrize("kind", ["torch", "nats"])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (missing_dataset, "it lacks 'cifar100'"),
        (missing_schedule, "it lacks '(200|full)'"),
        (missing_training, r"it lacks .*cifar10.*777"),
        (missing_epoch, "it lacks 'ori-test@199'"),
        (no_seeds, ""),
        (impossible_accuracy, "the accuracy on cifar10 is nan"),
        (no_state, ""),
        (of_another_architecture, "it is that of architecture 12"),
    ],
)
def test_broken_records(
    kind: str, damage: Callable[[dict[str, Any]], None], message: str, tmp_path: Path, cell_texts: list[str],
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    records = request.getfixturevalue("torch_records" if kind == "torch" else "cell_records")
    for seed in SEEDS:
        records[11]["200"]["all_results"].setdefault(("cifar10", seed), {})
    damage(records[11])
    path = tmp_path / (TORCH if kind == "torch" else f"{TSS}-simple")
    if kind == "torch" and "200" not in records[11]:
        torch.save(release(cell_texts, {11: {"less": records[11]["12"]}}), path)
    else:
        (write_torch if kind == "torch" else write_folder)(path, cell_texts, records)
    with pytest.raises(BenchmarkError, match=f"the record of architecture 11 is broken: {message}") as raised:
        cells.read_official(path)
    one_line(raised)


def test_architectures_outside_the_space(tmp_path: Path, cell_texts: list[str], torch_records: dict[int, Any]) -> None:
    texts = [*cell_texts[:7], cell_texts[7].replace("nor_conv", "conv"), *cell_texts[8:]]
    assert texts != cell_texts
    with pytest.raises(BenchmarkError, match=r"architecture 7: .* is not a NAS-Bench-201 cell"):
        cells.read_official(write_torch(tmp_path / TORCH, texts, torch_records))
    with pytest.raises(BenchmarkError, match="the record of architecture 284 is broken: list index out of range"):
        cells.read_official(write_torch(tmp_path / TORCH, cell_texts[:100], {284: torch_records[284]}))
