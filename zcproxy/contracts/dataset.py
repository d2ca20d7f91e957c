"""Image datasets: normalised images and classes, checked once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zcproxy.errors import BenchmarkError, ConfigurationError


@dataclass(frozen=True)
class ImageDataset:
    """Images for training and testing.

    Attributes:
        name: as shown to users.
        train_inputs: float32, samples x channels x height x width; mean 0 and standard deviation 1 per channel.
        train_targets: int64, samples.
        test_inputs: as `train_inputs`, normalised by the training images' moments.
        test_targets: int64, samples.
        classes: number of classes.
        augmentation: the one of `zcproxy.training.augmentation` that fits the images.

    Raises:
        BenchmarkError: inputs and targets do not fit each other, or the classes.
    """

    name: str
    train_inputs: Tensor
    train_targets: Tensor
    test_inputs: Tensor
    test_targets: Tensor
    classes: int
    augmentation: str = "none"

    def __post_init__(self) -> None:
        self._check("train", self.train_inputs, self.train_targets)
        self._check("test", self.test_inputs, self.test_targets)
        train, test = tuple(self.train_inputs.shape[1:]), tuple(self.test_inputs.shape[1:])
        if train != test:
            raise BenchmarkError(
                f"{self.name}: train_inputs have shape {train}, test_inputs {test}: they must be alike"
            )

    def _check(self, part: str, inputs: Any, targets: Any) -> None:
        for name, given in ((f"{part}_inputs", inputs), (f"{part}_targets", targets)):
            if not isinstance(given, Tensor) or given.dim() == 0:
                raise BenchmarkError(f"{self.name}: {name} is {type(given).__name__}, expected a tensor of samples")
        if targets.shape != inputs.shape[:1]:
            raise BenchmarkError(
                f"{self.name}: {len(inputs)} {part}_inputs come with {part}_targets of shape {tuple(targets.shape)}: "
                "give one class per sample"
            )
        if targets.dtype != torch.int64 or bool(((targets < 0) | (targets >= self.classes)).any()):
            raise BenchmarkError(
                f"{self.name}: {part}_targets ({targets.dtype}) are not all int64 classes from 0 to {self.classes - 1}"
            )

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Channels x height x width."""
        return tuple(self.train_inputs.shape[1:])

    def check_batch(self, batch_size: int) -> None:
        """Raise `ConfigurationError` if there are fewer training images than a minibatch has."""
        images = len(self.train_targets)
        if batch_size > images:
            raise ConfigurationError(
                f"batch_size={batch_size} is more than the {images} training images of {self.name}"
            )

    def fingerprint(self) -> str:
        """Return a hash of all images and classes: 16 hexadecimal digits."""
        digest = hashlib.sha256()
        for tensor in (self.train_inputs, self.train_targets, self.test_inputs, self.test_targets):
            digest.update(str(tuple(tensor.shape)).encode())
            digest.update(tensor.numpy().tobytes())
        return digest.hexdigest()[:16]


def dataset_of(
    name: str,
    train: tuple[NDArray[np.generic], NDArray[np.generic]],
    test: tuple[NDArray[np.generic], NDArray[np.generic]],
    *,
    augmentation: str = "none",
) -> ImageDataset:
    """Return a dataset of arrays.

    Args:
        name: as shown to users.
        train: images (samples x height x width x channels, any real type and range) and their classes (0, 1, ...).
        test: the same for testing.
        augmentation: see `ImageDataset`.

    Raises:
        BenchmarkError: the arrays do not fit each other, hold NaN, or have one class only.
    """
    for part, (images, targets) in (("training", train), ("test", test)):
        _check(name, part, images, targets)
    if train[0].shape[1:] != test[0].shape[1:]:
        raise BenchmarkError(
            f"{name}: training images are {_sides(train[0])} and test images {_sides(test[0])}: they must be alike"
        )
    classes = np.unique(train[1])
    if len(classes) < 2:
        raise BenchmarkError(f"{name}: the training images show one class only: there is nothing to tell apart")
    if int(classes[-1]) != len(classes) - 1 or int(test[1].max()) >= len(classes):
        raise BenchmarkError(f"{name}: classes must be numbered 0, 1, ... without a gap, and all occur in training")
    pixels = train[0].astype(np.float32)
    mean, std = pixels.mean((0, 1, 2)), pixels.std((0, 1, 2))
    if not std.all():
        raise BenchmarkError(f"{name}: a channel of the training images is constant: leave it out")

    def normalised(images: NDArray[np.generic]) -> Tensor:
        scaled = (images.astype(np.float32) - mean) / std
        return torch.from_numpy(np.ascontiguousarray(scaled.transpose(0, 3, 1, 2)))

    return ImageDataset(
        name,
        normalised(train[0]),
        torch.from_numpy(train[1].astype(np.int64)),
        normalised(test[0]),
        torch.from_numpy(test[1].astype(np.int64)),
        len(classes),
        augmentation,
    )


def _check(name: str, part: str, images: NDArray[np.generic], targets: NDArray[np.generic]) -> None:
    if images.ndim != 4:
        raise BenchmarkError(f"{name}: {part} images are an array of shape {images.shape}, not samples x h x w x c")
    if len(images) == 0 or targets.shape != (len(images),):
        raise BenchmarkError(f"{name}: {len(images)} {part} images come with classes of shape {targets.shape}")
    if not np.issubdtype(targets.dtype, np.integer) or int(targets.min()) < 0:
        raise BenchmarkError(f"{name}: the {part} classes are not whole numbers from 0 on")
    if np.issubdtype(images.dtype, np.floating) and not np.isfinite(images).all():
        raise BenchmarkError(f"{name}: a {part} image holds NaN or infinity")


def _sides(images: NDArray[np.generic]) -> str:
    return " x ".join(map(str, images.shape[1:]))


def alternating_order(targets: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return a random order of the samples in which the classes take turns."""
    order = rng.permutation(len(targets))
    shuffled = targets[order]
    turn = np.empty(len(targets), dtype=np.int64)
    for label in np.unique(targets):
        positions = np.flatnonzero(shuffled == label)
        turn[positions] = np.arange(len(positions))
    return order[np.argsort(turn, kind="stable")]
