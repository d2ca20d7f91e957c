"""CIFAR-10 and CIFAR-100 (Krizhevsky, 2009) from a folder: the original Python batches, or one npz file.

The original batches are pickles. They are read by an unpickler that knows five names and nothing else, so that a file
that is not a batch cannot run code.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zcproxy.errors import BenchmarkError
from zcproxy.training.dataset import ImageDataset, dataset_of

FOLDERS = {10: "cifar-10-batches-py", 100: "cifar-100-python"}
"""What the official archives unpack to, by the number of classes."""

_TRAINING = {10: tuple(f"data_batch_{number}" for number in range(1, 6)), 100: ("train",)}
_TEST = {10: ("test_batch",), 100: ("test",)}
_TARGETS = {10: b"labels", 100: b"fine_labels"}
_NPZ_FIELDS = ("X_train", "y_train", "X_test", "y_test")


def _bytes_of(text: str, _: str) -> bytes:
    """Stand in for `_codecs.encode`, by which Python 3 writes bytes in the old protocol."""
    return text.encode("latin1")


_ALLOWED = {
    ("_codecs", "encode"): _bytes_of,
    ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
    ("numpy._core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


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
    try:
        with np.load(path, allow_pickle=False) as content:
            images, targets, test_images, test_targets = (content[name] for name in _NPZ_FIELDS)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise BenchmarkError(f"{path} is no npz file with {', '.join(_NPZ_FIELDS)}: {error}") from error
    return (images, targets.astype(np.int64)), (test_images, test_targets.astype(np.int64))


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
    try:
        content: Any = _BatchReader(io.BytesIO(path.read_bytes()), encoding="bytes").load()
        pixels, targets = np.asarray(content[b"data"]), np.asarray(content[field])
        if pixels.dtype != np.uint8 or pixels.shape != (len(targets), 3 * 32 * 32):
            raise ValueError(f"{pixels.dtype} pixels of shape {pixels.shape} for {targets.shape} classes")
    except FileNotFoundError as error:
        raise BenchmarkError(f"{path} is missing: give the folder that holds the extracted CIFAR batches") from error
    except (OSError, EOFError, ValueError, LookupError, TypeError, pickle.UnpicklingError) as error:
        raise BenchmarkError(f"{path} is no CIFAR batch ({error}): extract the archive again") from error
    return pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), targets.astype(np.int64)


class _BatchReader(pickle.Unpickler):
    """Reads dictionaries, lists, numbers, bytes and arrays; refuses every other name."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}") from None
