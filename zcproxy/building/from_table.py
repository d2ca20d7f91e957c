"""Makes a benchmark of networks that a user trained: a table of their labels, and what builds them untrained."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from zcproxy import __version__
from zcproxy.benchmarks.shared.built import FORMAT, IMAGES, LABELS, MANIFEST
from zcproxy.building.checking import Checked, check_networks
from zcproxy.contracts.batch import batch_of
from zcproxy.contracts.choice_space import Option
from zcproxy.contracts.own_labels import labels_of_frame
from zcproxy.contracts.own_models import Factory, Models
from zcproxy.contracts.own_task import checked_shape
from zcproxy.errors import BenchmarkError, ConfigurationError, RunError, StorageError
from zcproxy.names.own_models import own_models
from zcproxy.names.spaces import get_space
from zcproxy.storage.files import read_small_file, replacing
from zcproxy.storage.records import read_record_file, write_record_file
from zcproxy.text.visible import shortened
from zcproxy.user_code.references import load_object
from zcproxy.workers.progress import Progress, silent

LARGEST_FILE = 100_000_000
"""Bytes of a table."""

ARCHITECTURE, ACCURACY = "architecture", "accuracy"
"""The columns that are read unless others are named."""


@dataclass(frozen=True)
class TableSource:
    """What a benchmark is made from.

    Either `model` or `space` says what makes the networks.

    Attributes:
        table: CSV file.
        model: reference of what makes the networks, see `zcproxy.names.own_models`; empty for those of a space.
        input_shape: shape of one sample.
        classes: number of logits; None for as many as the first network gives, which a space does not say.
        data: reference of samples, see `zcproxy.contracts.batch.batch_of`; empty for noise.
        architecture: the column of names.
        accuracy: the column of numbers, see `zcproxy.contracts.own_labels`.
        lower_is_better: whether they are losses or errors.
        space: reference of the space of the networks, see `zcproxy.names.spaces.get_space`; empty for a `model`.
        space_options: arguments of the space.
    """

    table: Path
    model: str
    input_shape: tuple[int, ...]
    classes: int | None = None
    data: str = ""
    architecture: str = ARCHITECTURE
    accuracy: str = ACCURACY
    lower_is_better: bool = False
    space: str = ""
    space_options: Mapping[str, Option] = field(default_factory=dict)


def benchmark_from_table(
    source: TableSource, out: Path, *, least: int = 2, progress: Progress = silent
) -> tuple[dict[str, float], Checked]:
    """Write a folder that `get_task` takes; return its labels, and what was found of the networks.

    Networks without a number, and those that cannot be built or run, are left out, which is said.

    Args:
        source: what it is made from.
        out: the folder: new, empty, or with the same benchmark.
        least: networks that are needed.
        progress: called after each network that is checked.

    Raises:
        BenchmarkError: the table cannot be read, has no such columns or names a network twice; too few networks can be
            used; all labels are equal; the data do not fit; an architecture is outside the space.
        ConfigurationError: there are no such models, space or data; a model and a space are named, or neither; a space
            comes without `classes`.
        RunError: `out` holds something else.
        StorageError: something cannot be written.
    """
    shape = checked_shape(source.input_shape)
    labels = labels_of_frame(
        read_table(source.table),
        source.architecture,
        source.accuracy,
        lower_is_better=source.lower_is_better,
        where=shortened(str(source.table), 100),
    )
    labels, models = _networks(source, labels, shape)
    batch = batch_of(load_object(source.data), shape) if source.data else None
    checked = check_networks(models, list(labels), shape, source.classes, least=least, progress=progress)
    known = {name: labels[name] for name in checked.costs}
    check_not_equal(known)
    _check_free(out)
    frame = _label_frame(known, checked)
    arrays = None if batch is None else {"inputs": batch.inputs.numpy(), "targets": batch.targets.numpy()}
    stored = {LABELS: _parquet(frame), **({} if arrays is None else {IMAGES: _npz(arrays)})}
    manifest = _manifest(source, checked.classes, stored)
    if _is_same(out, manifest):
        return known, checked
    for name, content in stored.items():
        with replacing(out / name) as temporary:
            temporary.write_bytes(content)
    write_record_file(out / MANIFEST, manifest)
    return known, checked


def _networks(source: TableSource, labels: dict[str, float], shape: tuple[int, ...]) -> tuple[dict[str, float], Models]:
    """Return labels by the texts that networks are known by, and what makes the networks."""
    if bool(source.model) == bool(source.space):
        raise ConfigurationError("give either `model` or `space`: it makes the networks of the table")
    if source.model:
        return labels, own_models(source.model)
    if source.classes is None:
        raise ConfigurationError(f"give `classes`, the logits of the networks of {source.space}")
    space = get_space(source.space, source.space_options)
    canonical: dict[str, float] = {}
    for text, label in labels.items():
        architecture = space.parse(text)
        if architecture in canonical:
            raise BenchmarkError(
                f"{shortened(str(source.table), 100)} has '{shortened(architecture, 80)}' twice: give it once"
            )
        canonical[architecture] = label
    return canonical, Factory(partial(space.build, input_shape=shape, classes=source.classes))


def read_table(path: Path) -> pd.DataFrame:
    """Return the table in a CSV file, all of its cells as text. Raises `BenchmarkError`."""
    try:
        content = read_small_file(path, LARGEST_FILE)
        return pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False, skipinitialspace=True)
    except OSError as error:
        raise BenchmarkError(f"cannot read the table {path}: {error.strerror or error}") from error
    except (StorageError, ValueError) as error:  # errors of pandas' parser are ValueErrors
        raise BenchmarkError(f"{path} is not a CSV file: {' '.join(str(error).split())}") from error


def check_not_equal(labels: Mapping[str, float]) -> None:
    """Raise `BenchmarkError` where all labels are equal."""
    first = next(iter(labels.values()))
    if all(value == first for value in labels.values()):
        raise BenchmarkError(f"all {len(labels)} labels equal {first:g}: there is no ranking to learn")


def _check_free(out: Path) -> None:
    """Raise `RunError` where a folder holds something that is no benchmark."""
    if os.path.isdir(out) and os.listdir(out) and not (out / MANIFEST).is_file():
        raise RunError(f"{out} holds other files: choose another `out`")


def _is_same(out: Path, manifest: Mapping[str, Any]) -> bool:
    """Whether a folder holds this benchmark already. Raises `RunError` where it holds another one."""
    try:
        known = read_record_file(out / MANIFEST)
    except FileNotFoundError:
        return False
    differing = [name for name in manifest if name != "versions" and known.get(name) != manifest[name]]
    if differing:
        raise RunError(f"{out} holds another benchmark, its '{differing[0]}' differs: choose another `out`")
    return all((out / name).is_file() for name in manifest["sha256"])


def _label_frame(labels: Mapping[str, float], checked: Checked) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "arch": name,
            "accuracy": label,
            "params": checked.costs[name].params,
            "flops": checked.costs[name].macs / 1e6,
            "convolutions": checked.costs[name].convolutions,
        }
        for name, label in labels.items()
    )


def _parquet(frame: pd.DataFrame) -> bytes:
    stream = io.BytesIO()
    frame.to_parquet(stream, index=False)
    return stream.getvalue()


def _npz(arrays: Mapping[str, np.ndarray[Any, Any]]) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    return stream.getvalue()


def _manifest(source: TableSource, classes: int, stored: Mapping[str, bytes]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        **({"space": source.space} if source.space else {"model": source.model}),
        "space_options": dict(source.space_options),
        "input_shape": list(source.input_shape),
        "classes": classes,
        "seeds": 1,
        "agreement_of_halves": None,
        "label": f"{'minus ' if source.lower_is_better else ''}'{source.accuracy}' of {source.table.name}",
        "data": source.data,
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in stored.items()},
        "versions": {"zcproxy": __version__, "torch": torch.__version__},
    }
