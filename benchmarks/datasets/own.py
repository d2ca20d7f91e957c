"""A user's own dataset: a function that returns two torch datasets."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zcproxy.contracts.dataset import ImageDataset, dataset_of
from zcproxy.errors import BenchmarkError, ConfigurationError
from zcproxy.text.visible import shortened
from zcproxy.user_code.border import running
from zcproxy.user_code.references import load_object

Part = tuple[NDArray[np.generic], NDArray[np.generic]]

IMAGE_KEYS = ("image", "img", "pixel_values")
CLASS_KEYS = ("label", "labels", "target", "fine_label")
"""Keys of the image and the class in items that are dictionaries."""


def load_own(reference: str) -> ImageDataset:
    """Return the dataset that `package.module:function` makes.

    The function takes nothing and returns a training and a test dataset: anything with a length whose items are an
    image (a tensor or array of channels x height x width, or a PIL image) and a class (a whole number), as a pair or as
    a dictionary with the keys `image` and `label`.

    Raises:
        ConfigurationError: there is no such function.
        ModelError: it fails.
        BenchmarkError: it returns something else, an item is not an image with a class, or images vary in shape.
    """
    function = load_object(reference)
    if not callable(function):
        raise ConfigurationError(f"{reference} is a {type(function).__name__} that cannot be called: name a function")
    with running(f"the dataset function {reference} failed"):
        made = function()
    if not isinstance(made, (tuple, list)) or len(made) != 2:
        raise BenchmarkError(f"{reference} returned a {type(made).__name__}, expected (training set, test set)")
    train, test = (
        _collected(f"{reference}: {part}", items) for part, items in zip(("training", "test"), made, strict=True)
    )
    return dataset_of(reference, train, test)


def _collected(name: str, items: Any) -> Part:
    """Return the images and classes of a dataset, `name` in messages."""
    if not hasattr(items, "__len__") or not hasattr(items, "__getitem__"):
        raise BenchmarkError(f"{name} set is a {type(items).__name__}, no torch dataset with a length and items")
    images, targets = [], []
    for index in range(len(items)):
        place = f"{name} item {index}"
        with running(f"{place} cannot be read"):
            item = items[index]
        image, target = _pair(place, item)
        images.append(_channels_last(place, image))
        targets.append(_class(place, target))
    return _stacked(name, images), np.asarray(targets, dtype=np.int64)


def _pair(place: str, item: Any) -> tuple[Any, Any]:
    """Return the image and the class of an item: a pair, or a dictionary as the Hugging Face hub has them."""
    if isinstance(item, Mapping):
        found = [[key for key in keys if key in item] for keys in (IMAGE_KEYS, CLASS_KEYS)]
        if all(len(keys) == 1 for keys in found):
            return item[found[0][0]], item[found[1][0]]
        shown = shortened(", ".join(map(str, item)), 100)
        raise BenchmarkError(f"{place} is a dictionary of {shown}, expected one image and one label: return pairs")
    if isinstance(item, (tuple, list)) and len(item) == 2:
        return item[0], item[1]
    what = f"{type(item).__name__} of {len(item)}" if isinstance(item, (tuple, list)) else type(item).__name__
    raise BenchmarkError(f"{place} is a {what}, expected a pair of an image and a class")


def _class(place: str, target: Any) -> int:
    """Return a class; raise `BenchmarkError` for what is not a single whole number."""
    if isinstance(target, (str, bytes)) or target is None:
        raise BenchmarkError(f"{place} has the label {shortened(repr(target), 60)}: number the classes 0, 1, ...")
    values = _array(place, target)
    if values.size != 1:
        raise BenchmarkError(
            f"{place} has a label of shape {values.shape}: give one class (of one-hot labels the argmax), 0, 1, ..."
        )
    value = values.reshape(()).item()
    if not isinstance(value, (bool, int, float)) or not math.isfinite(value) or value % 1:
        raise BenchmarkError(f"{place} has the label {shortened(str(value), 60)}: a class is a whole number 0, 1, ...")
    return int(value)


def stack_images(name: str, images: Any) -> NDArray[np.generic]:
    """Return images as one array: samples x height x width x channels. Raises `BenchmarkError` if shapes vary."""
    return _stacked(name, [_channels_last(f"{name}: item {index}", image) for index, image in enumerate(images)])


def _stacked(name: str, arrays: list[NDArray[np.generic]]) -> NDArray[np.generic]:
    for index, array in enumerate(arrays):
        if array.shape != arrays[0].shape:
            raise BenchmarkError(
                f"{name}: image {index} is {array.shape}, image 0 is {arrays[0].shape}: resize them to one shape"
            )
    return np.stack(arrays) if arrays else np.empty((0, 0, 0, 0))


def _channels_last(place: str, image: Any) -> NDArray[np.generic]:
    """Return height x width x channels: torch tensors and arrays have the channels first, PIL images last."""
    array = _array(place, image)
    if array.dtype.kind not in "biuf":
        raise BenchmarkError(f"{place} has a {type(image).__name__} for an image: give a tensor, array or PIL image")
    if array.ndim not in (2, 3) or array.size == 0:
        raise BenchmarkError(f"{place} has an image of shape {array.shape}, expected channels x height x width")
    if array.ndim == 2:
        return array[:, :, None]
    if hasattr(image, "getbands"):
        return array
    if _has_channels_last(array.shape):
        raise BenchmarkError(
            f"{place} has an image of shape {array.shape}, which looks like height x width x channels, expected "
            "channels x height x width: transpose it"
        )
    return array.transpose(1, 2, 0)


def _has_channels_last(shape: tuple[int, ...]) -> bool:
    """Whether an image has few channels on the last axis, and an unusual number of them on the first."""
    first, second, last = shape
    return last in (1, 3, 4) and first not in (1, 3) and first > last and second != last


def _array(place: str, value: Any) -> NDArray[np.generic]:
    """Return an array of what an item holds; numbers that numpy does not know become float32."""
    with running(f"{place} holds a {type(value).__name__} that is not an array"):
        if isinstance(value, Tensor):
            dense = (value.to_dense() if value.layout != torch.strided else value).detach().cpu()
            return (dense.float() if dense.dtype == torch.bfloat16 else dense).numpy()
        return np.asarray(value)
