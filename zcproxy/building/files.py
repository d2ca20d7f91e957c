"""The files of a finished benchmark, which is a folder: read by `zcproxy.benchmarks.shared.built`.

`manifest.json` says what it is, how it was made and how well two labels agree; it is written last. `labels.parquet` has
one row per architecture (`arch`, `accuracy`, `accuracy_0`, ..., `params`, `flops`, `convolutions`), `curves.parquet`
one row per epoch of a training (`arch`, `seed`, `epoch`, `train_loss`, `test_accuracy`), and `images.npz` the images
for probes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from zcproxy import __version__
from zcproxy.benchmarks.shared.built import CURVES, FORMAT, IMAGES, LABELS, MANIFEST
from zcproxy.building.directory import Plan
from zcproxy.building.job import Trained
from zcproxy.contracts.dataset import ImageDataset, alternating_order
from zcproxy.correlation import kendall_tau
from zcproxy.random import array_generator
from zcproxy.storage.files import replacing
from zcproxy.storage.records import write_record_file

PROBE_IMAGES = 64
"""Training images that a benchmark carries for the probes that need some."""


def write_benchmark(path: Path, plan: Plan, dataset: ImageDataset, trained: Sequence[Trained]) -> None:
    """Write the files of a benchmark. Raises `StorageError`."""
    labels = label_table(trained)
    with replacing(path / LABELS) as temporary:
        labels.to_parquet(temporary, index=False)
    with replacing(path / CURVES) as temporary:
        curve_table(trained).to_parquet(temporary, index=False, compression="zstd")
    order = alternating_order(dataset.train_targets.numpy(), array_generator("images", dataset.name))[:PROBE_IMAGES]
    with replacing(path / IMAGES) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(
            stream, inputs=dataset.train_inputs[order].numpy(), targets=dataset.train_targets[order].numpy()
        )
    write_record_file(path / MANIFEST, _manifest(path, plan, dataset, trained, labels))


def label_table(trained: Sequence[Trained]) -> pd.DataFrame:
    """Return one row per architecture: accuracies in percent, NaN for a training that diverged; flops in millions."""
    return pd.DataFrame(
        {
            "arch": item.arch,
            "accuracy": item.label,
            **{f"accuracy_{seed}": training.accuracy for seed, training in enumerate(item.trainings)},
            "params": item.params,
            "flops": item.macs / 1e6,
            "convolutions": item.convolutions,
        }
        for item in trained
    )


def curve_table(trained: Sequence[Trained]) -> pd.DataFrame:
    """Return one row per epoch; the test accuracy of an epoch in which a training diverged is NaN."""
    rows = [
        (item.arch, seed, epoch, loss, [*training.test_accuracy, np.nan][epoch])
        for item in trained
        for seed, training in enumerate(item.trainings)
        for epoch, loss in enumerate(training.train_loss)
    ]
    table = pd.DataFrame(rows, columns=["arch", "seed", "epoch", "train_loss", "test_accuracy"])
    narrow = {"seed": "int16", "epoch": "int16", "train_loss": "float32", "test_accuracy": "float32"}
    return table.astype({"arch": "category", **narrow})


def agreement(labels: pd.DataFrame) -> float | None:
    """Return Kendall's tau between the means of two halves of the trainings; None where each was trained once.

    It is the mean over as many divisions as there are trainings, of the architectures that no training diverged of;
    with an odd number one training is left out in turn. A label averages all trainings, so two whole labels agree
    better than this.
    """
    accuracies = labels.filter(regex=r"^accuracy_\d+$").dropna().to_numpy()
    trainings = accuracies.shape[1]
    if trainings < 2 or len(accuracies) < 2:
        return None
    half = trainings // 2
    orders = [np.roll(np.arange(trainings), shift)[: 2 * half] for shift in range(trainings)]
    taus = [kendall_tau(accuracies[:, order[::2]].mean(1), accuracies[:, order[1::2]].mean(1)) for order in orders]
    return float(np.mean(taus))


def _manifest(
    path: Path, plan: Plan, dataset: ImageDataset, trained: Sequence[Trained], labels: pd.DataFrame
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        **plan.configuration.as_dict(),
        "dataset_fingerprint": plan.dataset_fingerprint,
        "input_shape": list(dataset.input_shape),
        "classes": dataset.classes,
        "label": "test accuracy after the last epoch in percent, mean over the trainings that did not diverge",
        "diverged_trainings": sum(training.diverged for item in trained for training in item.trainings),
        "agreement_of_halves": agreement(labels),
        "training_seconds": round(sum(item.seconds for item in trained)),
        "sha256": {name: hashlib.sha256((path / name).read_bytes()).hexdigest() for name in (LABELS, IMAGES)},
        "versions": {"zcproxy": __version__, "torch": torch.__version__},
    }
