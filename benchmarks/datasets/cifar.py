"""CIFAR-10 and CIFAR-100 (Krizhevsky, 2009) from a folder: the original Python batches, or one npz file.

The original batches are pickles, read as plain data (`zcproxy.reading.safe_pickle`).
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zcproxy.contracts.dataset import ImageDataset, dataset_of
from zcproxy.errors import BenchmarkError
from zcproxy.reading.npz import read_npz
from zcproxy.reading.safe_pickle import read_pickle
from zcproxy.reading.unpacking import content_of

FOLDERS = {10: "cifar-10-batches-py", 100: "cifar-100-python"}
"""The folder that each official archive unpacks to, by the number of classes."""

_TRAINING = {10: tuple(f"data_batch_{number}" for number in range(1, 6)), 100: ("train",)}
_TEST = {10: ("test_batch",), 100: ("test",)}
_TARGETS = {10: b"labels", 100: b"fine_labels"}
_NPZ_FIELDS = ("X_train", "y_train", "X_test", "y_test")


def load_cifar(place: str, classes: int) -> ImageDataset:
    """Return CIFAR-10 or CIFAR-100.

    Args:
        place: the folder of the original batches (`cifar-10-batches-py`, `cifar-100-python`), or an npz file with
            `X_train`, `y_train`, `X_test`, `y_test` (uint8 images, samples x 32 x 32 x 3).
        classes: 10 or 100.

    Raises:
        BenchmarkError: a batch is missing or corrupt.
    """
    path = Path(place).expanduser()
    if path.is_file():
        train, test = _from_npz(path)
    else:
        train = _from_batches(path, _TRAINING[classes], _TARGETS[classes])
        test = _from_batches(path, _TEST[classes], _TARGETS[classes])
    return dataset_of(f"cifar{classes}", train, test, augmentation="crop-flip")


Part = tuple[NDArray[np.uint8], NDArray[np.int64]]


def _from_npz(path: Path) -> tuple[Part, Part]:
    arrays = read_npz(path, _NPZ_FIELDS, str(path))
    train, test = ((arrays[f"X_{part}"], arrays[f"y_{part}"]) for part in ("train", "test"))
    for images, targets in (train, test):
        if targets.ndim != 1 or len(targets) != len(images):
            raise BenchmarkError(f"{path} has classes of shape {targets.shape} for {len(images)} images")
        if images.dtype != np.uint8 or images.shape[1:] != (32, 32, 3):
            raise BenchmarkError(f"{path} has {images.dtype} images of shape {images.shape}, not samples x 32 x 32 x 3")
    return train, test


def first_training_file(directory: Path, classes: int) -> Path:
    """Return where the first file of training images lies in a directory with the extracted archive."""
    return directory / FOLDERS[classes] / _TRAINING[classes][0]


def read_batch(path: Path, classes: int) -> Part:
    """Return the images (samples x 32 x 32 x 3) and classes of one original batch.

    Raises:
        BenchmarkError: it is missing or corrupt.
    """
    return _read_batch(path, _TARGETS[classes])


def _from_batches(folder: Path, names: tuple[str, ...], field: bytes) -> Part:
    batches = [_read_batch(folder / name, field) for name in names]
    images = np.concatenate([images for images, _ in batches])
    return images, np.concatenate([targets for _, targets in batches])


def _read_batch(path: Path, field: bytes) -> Part:
    if not os.path.exists(path):  # unlike Path.exists, also where the folder may not be read
        raise BenchmarkError(f"{path} is missing: give the folder that holds the extracted CIFAR batches")
    try:
        content = read_pickle(io.BytesIO(content_of(path)), "it", encoding="bytes")
        pixels, targets = content[b"data"], np.asarray(content[field])
        if not isinstance(pixels, np.ndarray) or targets.dtype.kind not in "iu" or targets.ndim != 1:
            raise TypeError("its pixels are not an array, or its classes are not whole numbers")
        if pixels.dtype != np.uint8 or pixels.shape != (len(targets), 3 * 32 * 32):
            raise ValueError(f"{pixels.dtype} pixels of shape {pixels.shape} for {targets.shape} classes")
    except (BenchmarkError, LookupError, OverflowError, TypeError, ValueError) as error:
        raise BenchmarkError(f"{path} is not a CIFAR batch ({error}): extract the archive again") from error
    return pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), targets.astype(np.int64)
