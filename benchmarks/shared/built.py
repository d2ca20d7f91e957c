"""A benchmark that `zcproxy benchmark build` or `benchmark from-table` made: a folder with a table of labels."""

from __future__ import annotations

import hashlib
import json
import math
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow
import torch
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype
from torch import nn

from zcproxy.benchmarks.shared.populations import check_population
from zcproxy.contracts.batch import Batch, noise_batch
from zcproxy.contracts.choice_space import Option
from zcproxy.contracts.task import SearchSpace
from zcproxy.errors import BenchmarkError
from zcproxy.reading.data_directory import check_digest
from zcproxy.storage.fields import read_fields
from zcproxy.storage.records import read_record_file

FORMAT = 1
MANIFEST, LABELS, CURVES, IMAGES = "manifest.json", "labels.parquet", "curves.parquet", "images.npz"
BASELINES = ("params", "flops", "convolutions")


@dataclass(frozen=True)
class Manifest:
    """The fields that are read from `manifest.json`, see `zcproxy.building.files`.

    Networks are those of a `space`, or what the `model` makes, see `zcproxy.names.own_models`. A table of labels has
    `data`, empty where it carries no images: minibatches are then noise.
    """

    format: int
    space_options: dict[str, Option]
    input_shape: tuple[int, ...]
    classes: int
    seeds: int
    agreement_of_halves: float | None
    sha256: dict[str, str]
    space: str = ""
    model: str = ""
    data: str | None = None

    def __post_init__(self) -> None:
        if self.format < 1 or self.classes < 2 or self.seeds < 1 or not self.input_shape or min(self.input_shape) < 1:
            raise BenchmarkError("'format', 'classes', 'seeds' and 'input_shape' must be positive, classes 2 or more")
        if self.agreement_of_halves is not None and (self.seeds < 2 or not -1 <= self.agreement_of_halves <= 1):
            raise BenchmarkError("'agreement_of_halves' is not a correlation of two trainings or more")
        if bool(self.space) == bool(self.model):
            raise BenchmarkError("'space' is missing, or 'model': one of them says what makes the networks")
        for name in (LABELS, *self.sha256) if self.data == "" else (LABELS, IMAGES):
            if not re.fullmatch("[0-9a-f]{64}", self.sha256.get(name, "")):
                raise BenchmarkError(f"'sha256' has no digest of {name}")


class BuiltTask:
    """Implements `zcproxy.Task` on the folder of a built benchmark: see `zcproxy.building.files` for what is in it.

    Args:
        path: the folder.
        manifest: what `read_manifest` returned for it.
        space: what its manifest names.
        name: name of the task; the full path of the folder if not given, so that other processes find it.
        contents: returns a digest of what makes a network, where that may change.
    """

    def __init__(
        self,
        path: Path,
        manifest: Manifest,
        space: SearchSpace,
        name: str | None = None,
        contents: Callable[[str], str] | None = None,
    ) -> None:
        self._contents = contents
        self._path = path.resolve()
        self.name, self.space, self._manifest = name or str(self._path), space, manifest
        self.input_shape = manifest.input_shape
        self.classes = manifest.classes
        identity = [manifest.space or manifest.model, manifest.space_options, manifest.sha256.get(IMAGES)]
        self.fingerprint = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def shows_noise(self) -> bool:
        """Whether minibatches are Gaussian noise: the benchmark carries no images."""
        return IMAGES not in self._manifest.sha256

    def stored_as(self, architecture: str) -> str:
        """Return the text under which what is measured of a network is kept."""
        return architecture if self._contents is None else f"{architecture} #{self._contents(architecture)}"

    def architectures(self, population: str) -> Sequence[str]:
        """Return the labelled architectures in the order they were drawn; `all` and `pruned` are the same here."""
        check_population(self.name, population)
        table = self._table()
        return tuple(table.index[table["accuracy"].notna()])

    def labels(self, architectures: Sequence[str]) -> NDArray[np.float64]:
        """Return the mean test accuracy of each architecture in percent."""
        return self._rows(architectures)["accuracy"].to_numpy(np.float64)

    def build(self, architecture: str) -> nn.Module:
        """Return the untrained network, initialised from torch's current random state."""
        return self.space.build(architecture, self.input_shape, self.classes)

    def batch(self, size: int) -> Batch:
        """Return the first `size` of the images that the benchmark carries, classes taking turns; else noise."""
        if self.shows_noise:
            return noise_batch(self.input_shape, self.classes, size)
        inputs, targets = _read_images(self._path / IMAGES, self._manifest.sha256[IMAGES])
        if not 1 <= size <= len(inputs):
            raise BenchmarkError(f"a batch of {size} images is not available: {self.name} has 1 to {len(inputs)}")
        return Batch(torch.from_numpy(inputs[:size]), torch.from_numpy(targets[:size]))

    def baselines(self, architectures: Sequence[str]) -> dict[str, NDArray[np.float64]]:
        """Return `params`, `flops` (millions of multiply-adds) and `convolutions` (convolutional layers)."""
        rows = self._rows(architectures)
        return {name: rows[name].to_numpy(np.float64) for name in BASELINES}

    def noise_ceiling(self) -> float | None:
        """Return an estimate of Kendall's tau between two independent labels; None where each was trained once.

        Measured is the agreement of two halves of the trainings. A label averages all of them: the Spearman-Brown
        formula, on the correlation of normal variables that has this tau, gives the agreement of two labels.
        """
        measured, trainings = self._manifest.agreement_of_halves, self._manifest.seeds
        if measured is None:
            return None
        correlation = math.sin(math.pi / 2 * measured)
        longer = trainings / (trainings // 2)
        return 2 / math.pi * math.asin(longer * correlation / (1 + (longer - 1) * correlation))

    def _rows(self, architectures: Sequence[str]) -> pd.DataFrame:
        table = self._table()
        names = [self.space.parse(architecture) for architecture in architectures]
        unknown = next((name for name in names if name not in table.index), None)
        if unknown is not None:
            raise BenchmarkError(f"{self.name} has no label of '{unknown}'")
        return table.loc[names]

    def _table(self) -> pd.DataFrame:
        return _read_labels(self._path / LABELS, self._manifest.sha256[LABELS])


def read_manifest(path: Path) -> Manifest:
    """Return the manifest of a finished benchmark. Raises `BenchmarkError` where there is none, or it is wrong."""
    place = path / MANIFEST
    try:
        content = read_record_file(place, BenchmarkError)
    except FileNotFoundError as error:
        raise BenchmarkError(
            f"{path} is not a finished benchmark, it has no {MANIFEST}: finish it with the same "
            "`zcproxy benchmark build`"
        ) from error
    newest = content.get("format")
    if isinstance(newest, int) and newest > FORMAT:
        raise BenchmarkError(f"{place} has format {newest}, this version reads up to {FORMAT}: upgrade")
    return read_fields(Manifest, content, f"cannot read {place}", BenchmarkError, others=True)


def listed_architectures(path: Path, manifest: Manifest) -> tuple[str, ...]:
    """Return all architectures in the table of a benchmark. Raises `BenchmarkError` if it was changed."""
    return tuple(_read_labels(path / LABELS, manifest.sha256[LABELS]).index)


@lru_cache(maxsize=16)
def _read_labels(path: Path, sha256: str) -> pd.DataFrame:
    check_digest(path, sha256, "build the benchmark again")
    try:
        table = pd.read_parquet(path, columns=["arch", "accuracy", *BASELINES])
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise BenchmarkError(f"{path} is not a table of labels: {' '.join(str(error).split())}") from error
    if not all(isinstance(name, str) for name in table["arch"]) or table["arch"].duplicated().any():
        raise BenchmarkError(f"{path} is not a table of labels: 'arch' is not text, or repeated")
    wrong = next((name for name in ("accuracy", *BASELINES) if not is_numeric_dtype(table[name])), None)
    if wrong is not None:
        raise BenchmarkError(f"{path} is not a table of labels: '{wrong}' is not a number")
    return table.set_index("arch")


@lru_cache(maxsize=16)
def _read_images(path: Path, sha256: str) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    check_digest(path, sha256, "build the benchmark again")
    try:
        with np.load(path, allow_pickle=False) as content:
            inputs, targets = content["inputs"], content["targets"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise BenchmarkError(f"{path} holds no images: {error}") from error
    if inputs.dtype != np.float32 or targets.dtype != np.int64 or targets.shape != inputs.shape[:1]:
        raise BenchmarkError(f"{path} holds no images: float32 inputs and as many int64 classes are expected")
    return inputs, targets
