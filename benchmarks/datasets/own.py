"""A user's own dataset: a function that returns two torch datasets."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from zcproxy.errors import BenchmarkError, ConfigurationError
from zcproxy.own_code import running
from zcproxy.reference import load_object
from zcproxy.training.dataset import ImageDataset, dataset_of

Part = tuple[NDArray[np.generic], NDArray[np.generic]]


def load_own(reference: str) -> ImageDataset:
    """Return the dataset that `package.module:function` makes.

    The function takes nothing and returns a training and a test dataset: anything with a length whose items are an
    image (a tensor or array of channels x height x width, or a PIL image) and a class.

    Raises:
        ConfigurationError: there is no such function.
        ModelError: it fails.
        BenchmarkError: it returns something else, or images vary in shape.
    """
    function = load_object(reference)
    if not callable(function):
        raise ConfigurationError(f"{reference} is a {type(function).__name__} that cannot be called: name a function")
    with running(f"the dataset function {reference} failed"):
        made = function()
    if not isinstance(made, tuple) or len(made) != 2:
        raise BenchmarkError(f"{reference} returned a {type(made).__name__}, expected (training set, test set)")
    with running(f"the dataset of {reference} failed"):
        train, test = (_collected(reference, part) for part in made)
    return dataset_of(reference, train, test)


def _collected(reference: str, items: Any) -> Part:
    if not hasattr(items, "__len__") or not hasattr(items, "__getitem__"):
        raise BenchmarkError(f"{reference}: a {type(items).__name__} is no torch dataset with a length and items")
    pairs = [items[index] for index in range(len(items))]
    try:
        images, targets = zip(*pairs, strict=True)
    except (TypeError, ValueError) as error:
        raise BenchmarkError(f"{reference}: an item of a dataset is a pair of an image and a class") from error
    return stack_images(reference, images), np.asarray([int(target) for target in targets])


def stack_images(name: str, images: Any) -> NDArray[np.generic]:
    """Return images as one array: samples x height x width x channels. Raises `BenchmarkError` if shapes vary."""
    arrays = [_channels_last(image) for image in images]
    for index, array in enumerate(arrays):
        if array.shape != arrays[0].shape:
            raise BenchmarkError(
                f"{name}: image {index} is {array.shape}, image 0 is {arrays[0].shape}: resize them to one shape"
            )
    return np.stack(arrays) if arrays else np.empty((0, 0, 0, 0))


def _channels_last(image: Any) -> NDArray[np.generic]:
    """Return height x width x channels: torch tensors and arrays have the channels first, PIL images last."""
    array = np.asarray(image)
    if array.ndim == 2:
        return array[:, :, None]
    return array if hasattr(image, "getbands") else array.transpose(1, 2, 0)
