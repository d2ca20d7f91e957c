"""Reads pictures that a user names: a folder of files, an npz file, or what a function returns."""

from __future__ import annotations

import os
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zcproxy.contracts.dataset import alternating_order
from zcproxy.errors import BenchmarkError, ConfigurationError
from zcproxy.extras import extra
from zcproxy.random import array_generator
from zcproxy.reading.npz import read_npz
from zcproxy.reading.unpacking import LARGEST_FILE, member_names
from zcproxy.storage.files import cannot_read, check_size
from zcproxy.text.visible import shortened
from zcproxy.user_code.border import running
from zcproxy.user_code.references import load_object

if TYPE_CHECKING:
    from PIL import Image

MOST = 256
"""Images that are kept: the first in an order in which classes take turns."""

LARGEST_SIDE = 224
"""Photographs are kept at this height and width."""

LARGEST_PICTURE = 2**28
"""Bytes of the file of a picture."""

_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
_IMAGES_IN_NPZ = ("X_train", "images", "inputs", "pixels", "data", "x", "X", "arr_0")
_CLASSES_IN_NPZ = ("y_train", "labels", "targets", "classes", "y", "arr_1")
_CHANNELS = (1, 3, 4)


@dataclass(frozen=True, eq=False)
class Pictures:
    """Images of one size with their classes.

    Attributes:
        pixels: samples x height x width x channels (1 or 3), uint8 or float32 of any scale.
        targets: int64, samples.
    """

    pixels: NDArray[Any]
    targets: NDArray[np.int64]


def read_pictures(reference: str) -> Pictures:
    """Return at most `MOST` images of what a user names.

    Raises:
        BenchmarkError: there are none, one cannot be read, or they do not fit each other.
        ConfigurationError: it is not a folder, an npz file, or a function.
        ModelError: the function fails.
        StorageError: a file is too large, or may not be read.
    """
    path = Path(os.path.expanduser(reference))
    if os.path.isdir(path):
        return _of_folder(path)
    if os.path.isfile(path):
        return _of_npz(path)
    if ":" in reference:
        return _of_function(reference)
    raise ConfigurationError(
        f"there are no images at '{shortened(reference, 200)}': give a folder of pictures, an npz file, or "
        "package.module:function"
    )


def _first(targets: NDArray[np.int64]) -> NDArray[np.int64]:
    return alternating_order(targets, array_generator("own images"))[:MOST]


def _of_folder(folder: Path) -> Pictures:
    """Return the pictures of a folder; folders in it are classes, without any each picture is a class of its own."""
    try:
        files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES and path.is_file())
    except OSError as error:
        raise cannot_read(folder, error) from error
    if not files:
        raise BenchmarkError(f"the folder {folder} holds no pictures ({', '.join(_SUFFIXES)})")
    parts = [path.relative_to(folder).parts for path in files]
    names = [part[0] if len(part) > 1 else str(path) for part, path in zip(parts, files, strict=True)]
    ranks = {name: rank for rank, name in enumerate(sorted(set(names)))}
    targets = np.array([ranks[name] for name in names], np.int64)
    order = _first(targets)
    chosen = [files[index] for index in order]
    side = min(LARGEST_SIDE, *map(_least_side, chosen))
    return Pictures(np.stack([_square(path, side) for path in chosen]), targets[order])


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Yield a picture that Pillow's own decoders read. Raises `BenchmarkError` where it is damaged or too large."""
    with extra("images", "a folder of pictures"):
        from PIL import Image
    check_size(path, LARGEST_PICTURE)
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        warnings.filterwarnings("ignore", category=UserWarning)  # metadata that is damaged, colours not kept
        try:
            with Image.open(path, formats=_FORMATS) as picture:
                yield picture
        except (*_DAMAGED, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            reason = shortened(" ".join(str(error).split()), 100)
            raise BenchmarkError(
                f"{path} is not a picture that can be read: take it out of the folder ({reason})"
            ) from error


def _least_side(path: Path) -> int:
    with _opened(path) as picture:
        return min(picture.size)


def _square(path: Path, side: int) -> NDArray[np.uint8]:
    """Return the middle of a picture, shrunk to side x side, in RGB."""
    with _opened(path) as picture:
        from PIL import Image, ImageOps

        return np.asarray(ImageOps.fit(picture.convert("RGB"), (side, side), Image.Resampling.BILINEAR))


def _of_npz(path: Path) -> Pictures:
    check_size(path, LARGEST_FILE)
    if not zipfile.is_zipfile(path):
        raise BenchmarkError(f"{path} is not an npz file of images: it is not an archive of arrays")
    known = [name.removesuffix(".npy") for name in member_names(path)]
    images = next((name for name in _IMAGES_IN_NPZ if name in known), None)
    classes = next((name for name in _CLASSES_IN_NPZ if name in known), None)
    if images is None:
        raise BenchmarkError(
            f"{path} is not an npz file of images: it has {shortened(', '.join(known), 100) or 'nothing'}, no "
            f"{' nor '.join(_IMAGES_IN_NPZ)}"
        )
    found = read_npz(path, [name for name in (images, classes) if name is not None], str(path))
    return _pictures(str(path), found[images], None if classes is None else found[classes])


def _of_function(reference: str) -> Pictures:
    function = load_object(reference)
    if not callable(function):
        raise ConfigurationError(f"{reference} is a {type(function).__name__} that cannot be called: name a function")
    with running(f"the function {reference} failed"):
        made = function()
        if isinstance(made, tuple) and len(made) == 2 and hasattr(made[0], "shape"):
            return _pictures(reference, _array(made[0]), _array(made[1]))
        if hasattr(made, "shape"):
            return _pictures(reference, _array(made), None)
        return _of_items(reference, made)


def _of_items(reference: str, items: Any) -> Pictures:
    """Return the beginning of a torch dataset: its items are images, or images and classes."""
    if not hasattr(items, "__len__") or not hasattr(items, "__getitem__") or len(items) == 0:
        raise BenchmarkError(
            f"{reference} returned a {type(items).__name__}: expected images, (images, classes), or a torch dataset"
        )
    found = [items[index] for index in range(min(len(items), MOST))]
    pairs = [
        item if isinstance(item, tuple | list) and len(item) == 2 else (item, place) for place, item in enumerate(found)
    ]
    images = [_array(image) for image, _ in pairs]
    if len({image.shape for image in images}) > 1:
        raise BenchmarkError(f"{reference}: images are of different shapes: resize them to one")
    return _pictures(reference, np.stack(images), np.array([int(target) for _, target in pairs]))


def _array(value: Any) -> NDArray[Any]:
    return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)


def _pictures(name: str, images: NDArray[Any], targets: NDArray[Any] | None) -> Pictures:
    """Return images in any order of axes, checked; classes are numbered from 0."""
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim == 4 and images.shape[-1] not in _CHANNELS and images.shape[1] in _CHANNELS:
        images = images.transpose(0, 2, 3, 1)
    if images.ndim != 4 or images.shape[-1] not in _CHANNELS or 0 in images.shape:
        raise BenchmarkError(
            f"{name}: an array of shape {images.shape} is not a set of images: expected samples x height x width x 1 "
            "or 3 channels, or the channels before the height"
        )
    if not (np.issubdtype(images.dtype, np.floating) or np.issubdtype(images.dtype, np.integer)):
        raise BenchmarkError(f"{name}: pixels are {images.dtype}, expected whole numbers or floats")
    if np.issubdtype(images.dtype, np.floating) and not np.isfinite(images).all():
        raise BenchmarkError(f"{name}: an image holds NaN or infinity")
    classes = np.arange(len(images)) if targets is None else _classes(name, targets, len(images))
    order = _first(classes)
    kept = images[order][..., : 3 if images.shape[-1] == 4 else None]
    return Pictures(kept if kept.dtype == np.uint8 else kept.astype(np.float32), classes[order])


def _classes(name: str, targets: NDArray[Any] | Sequence[int], samples: int) -> NDArray[np.int64]:
    found = np.asarray(targets).reshape(-1)
    if found.shape != (samples,) or not np.issubdtype(found.dtype, np.integer):
        raise BenchmarkError(f"{name}: {samples} images need {samples} classes that are whole numbers")
    return np.unique(found, return_inverse=True)[1].astype(np.int64)


# What Pillow raises over damaged pictures, and over those so large that they would fill the memory.
_DAMAGED = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    LookupError,
    TypeError,
    OverflowError,
    NotImplementedError,
    struct.error,
    zlib.error,
)
