"""Minibatches of real images for the probes that need them: CIFAR-10, CIFAR-100 and ImageNet16-120 samples.

Images come in one fixed order per dataset, seeded by its name: a smaller batch is the beginning of a larger one.
Classes take turns, so that no class appears a second time before every class has appeared once.
"""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from zcproxy.benchmark import Batch
from zcproxy.benchmarks.data import verified_file
from zcproxy.errors import BenchmarkError, nearest_names
from zcproxy.random import array_generator
from zcproxy.training.dataset import alternating_order


@dataclass(frozen=True)
class _Source:
    """A file of images, and the mean and standard deviation of its dataset in units of 0..255 per RGB channel.

    The two moments are those of NAS-Bench-201's training pipeline (github.com/D-X-Y/AutoDL-Projects).
    """

    file: str
    sha256: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


_SOURCES = {
    "cifar10": _Source(
        "images/cifar10_sample.npz",
        "87e17e7922a7e9e688aa2038d3788256a130cd8d20524aafa13f2103fb80708a",
        (125.3, 123.0, 113.9),
        (63.0, 62.1, 66.7),
    ),
    "cifar100": _Source(
        "images/cifar100_sample.npz",
        "0e0ce0eefddf857b743d00135b50d69add3a421e5a53afab968ba8b3ed4a5d6d",
        (129.3, 124.1, 112.4),
        (68.2, 65.4, 70.4),
    ),
    "imagenet16-120": _Source(
        "images/imagenet_64x224_jpeg.tar",
        "1e057c62ad5ce7a9f47e40d3f16ae51232e202034194527ea6e094f96ec1f47e",
        (122.68, 116.66, 104.01),
        (63.22, 61.26, 65.09),
    ),
}
_IMAGENET16_SIDE = 16


def image_batch(dataset: str, size: int) -> Batch:
    """Return the first `size` images of a dataset's sample, normalised per channel, and their classes.

    CIFAR images are training images, size x 3 x 32 x 32. ImageNet16-120 images are photographs shrunk to 16 x 16 by a
    box filter, as Chrabaszcz et al. (arXiv 1707.08819) made that dataset. The 64 photographs show one class each and
    are not confined to the benchmark's 120 classes: a target is the rank of the photograph's synset among the 64.

    Raises:
        BenchmarkError: the dataset is unknown, `size` is out of range, or the file is missing or changed.
    """
    if dataset not in _SOURCES:
        raise BenchmarkError(
            f"no images of dataset {dataset!r}{nearest_names(dataset, _SOURCES)}; known datasets: {', '.join(_SOURCES)}"
        )
    source = _SOURCES[dataset]
    path = verified_file(source.file, source.sha256)
    images, targets = _imagenet16(path) if path.suffix == ".tar" else _cifar(path)
    if not 1 <= size <= len(images):
        raise BenchmarkError(f"a batch of {size} {dataset} images was asked for, {path.name} has 1 to {len(images)}")
    chosen = alternating_order(targets, array_generator("images", dataset))[:size]
    pixels = (images[chosen] - np.array(source.mean)) / np.array(source.std)
    inputs = torch.from_numpy(pixels.astype(np.float32).transpose(0, 3, 1, 2).copy())
    return Batch(inputs=inputs, targets=torch.from_numpy(targets[chosen]))


@cache
def _cifar(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the training images of a sample (samples x height x width x 3) and their classes."""
    with np.load(path, allow_pickle=False) as arrays:
        return arrays["X_train"], arrays["y_train"].astype(np.int64)


@cache
def _imagenet16(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the photographs of an archive at 16 x 16 (samples x 16 x 16 x 3), ordered by synset, and their ranks."""
    images = []
    with tarfile.open(path) as archive:
        for member in sorted(archive.getmembers(), key=lambda member: member.name):
            with Image.open(archive.extractfile(member)) as photograph:  # type: ignore[arg-type]  # members are files
                side = (_IMAGENET16_SIDE, _IMAGENET16_SIDE)
                images.append(np.asarray(photograph.convert("RGB").resize(side, Image.Resampling.BOX)))
    return np.stack(images), np.arange(len(images), dtype=np.int64)
