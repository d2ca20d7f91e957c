"""Images of the user (`--images`): a folder, an npz file, or a function, kept under their digest in the cache.

They are read once, where the user names them. Worker processes and resumed runs take the kept copy: they run no code of
the user and see the same images, even if the folder has changed.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from zcproxy.contracts.task import Batch
from zcproxy.errors import BenchmarkError, ConfigurationError
from zcproxy.images.image_sets import OWN, ImageSet
from zcproxy.images.own_files import Pictures, read_pictures
from zcproxy.images.published import TILES, TILES_A_SIDE, puzzles
from zcproxy.reading.npz import read_npz
from zcproxy.reading.unpacking import LARGEST_FILE
from zcproxy.storage.cache_directory import default_cache
from zcproxy.storage.files import replacing
from zcproxy.text.visible import shortened

DIGITS = 16
_LUMINANCE = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in grey (ITU-R BT.601)."""


def import_images(reference: str) -> str:
    """Read images, keep them in the cache, and return the token that every process finds them by.

    Args:
        reference: a folder of pictures (each a class, or each folder in it), an npz file, or `package.module:function`
            of what returns images, or images and classes; empty for none.

    Raises:
        BenchmarkError: there are no images, they do not fit each other, or they are too large.
        ConfigurationError: there is no such function.
        ModelError: the function fails.
        StorageError: the cache cannot be written.
    """
    if not reference:
        return ""
    pictures = read_pictures(reference)
    if pictures.pixels.nbytes > LARGEST_FILE // 2:
        raise BenchmarkError(
            f"{len(pictures.targets)} images of {pictures.pixels.shape[1]} x {pictures.pixels.shape[2]} pixels are too "
            f"large to keep: shrink them to 224 x 224, or give fewer ({shortened(reference, 100)})"
        )
    digest = _digest(pictures)
    place = _place(digest)
    if not place.is_file():
        with replacing(place) as temporary, temporary.open("wb") as stream:
            np.savez(stream, pixels=pictures.pixels, targets=pictures.targets)
    name = reference if ":" in reference else Path(reference).resolve().name
    return f"{OWN} {digest} {name}"


def restore_images(reference: str, token: str) -> None:
    """Read images again that a run was started with, where the cache has lost them.

    Args:
        reference: what the user names now; empty for nothing.
        token: token of the images that the run was started with; empty for what is at hand.

    Raises:
        ConfigurationError: the run was started with others. Other errors are those of `import_images`.
    """
    if reference and import_images(reference).split(" ")[1:2] != token.split(" ")[1:2]:
        begun = token.partition(" ")[2] or "what was at hand"
        raise ConfigurationError(f"the run was started with other images ({begun}): leave out `images`, or start again")


def own_image_set(token: str) -> ImageSet:
    """Return what a token of `import_images` stands for. Raises `BenchmarkError` if the cache no longer has it."""
    digest, name = _parts(token)
    return ImageSet(token, f"{name} ({len(_kept(token).targets)} images, sha256 {digest})")


def own_batch(token: str, input_shape: tuple[int, ...], classes: int, size: int) -> Batch:
    """Return the first `size` images of the user in the shape that a task asks for, normalised by their moments.

    Args:
        token: the one that `import_images` returned.
        input_shape: channels x height x width, or nine tiles of that; images are resized to it, and made grey or given
            three equal channels.
        classes: targets are taken modulo this.
        size: how many.

    Raises:
        BenchmarkError: there are too few, their channels do not fit, or the cache no longer has them.
        ConfigurationError: the task takes no images.
    """
    pictures = _kept(token)
    _, name = _parts(token)
    is_puzzle = len(input_shape) == 4 and input_shape[0] == TILES
    if len(input_shape) != 3 and not is_puzzle:
        shape = "x".join(map(str, input_shape))
        raise ConfigurationError(f"inputs of shape {shape} are not images: leave out images={name}")
    if not 1 <= size <= len(pictures.targets):
        raise BenchmarkError(f"a batch of {size} images is not available: {name} has 1 to {len(pictures.targets)}")
    channels, height, width = input_shape[-3:]
    factor = TILES_A_SIDE if is_puzzle else 1
    inputs = _normalised(token, channels)[:size]
    if inputs.shape[2:] != (factor * height, factor * width):
        inputs = torch.nn.functional.interpolate(
            inputs, (factor * height, factor * width), mode="bilinear", antialias=True
        )
    targets = torch.from_numpy(pictures.targets[:size] % classes)
    return puzzles(inputs, classes) if is_puzzle else Batch(inputs.clone(), targets)


@lru_cache(maxsize=2)
def _normalised(token: str, channels: int) -> Tensor:
    """Return all images with mean 0 and standard deviation 1 per channel: samples x channels x height x width."""
    pixels = torch.from_numpy(_kept(token).pixels.astype(np.float32)).permute(0, 3, 1, 2)
    _, name = _parts(token)
    if pixels.shape[1] == 1:
        pixels = pixels.repeat(1, channels, 1, 1)
    elif channels == 1 and pixels.shape[1] == 3:
        pixels = (pixels * torch.tensor(_LUMINANCE)[:, None, None]).sum(dim=1, keepdim=True)
    elif pixels.shape[1] != channels:
        raise BenchmarkError(f"the images of {name} have {pixels.shape[1]} channels, the task takes {channels}")
    std, mean = torch.std_mean(pixels, dim=(0, 2, 3), keepdim=True, correction=0)
    if not bool((std > 0).all()):
        raise BenchmarkError(f"a channel of the images of {name} is constant: there is nothing to see")
    return ((pixels - mean) / std).contiguous()


@lru_cache(maxsize=2)
def _kept(token: str) -> Pictures:
    """Return images from the cache. Raises `BenchmarkError` if they are gone or changed."""
    digest, name = _parts(token)
    place = _place(digest)
    try:
        content = read_npz(place, ("pixels", "targets"), place.name)
    except BenchmarkError as error:
        raise BenchmarkError(
            f"the images {name} (sha256 {digest}) are not in the cache any more: give them again with `images`"
        ) from error
    pictures = Pictures(content["pixels"], content["targets"])
    if _digest(pictures) != digest:
        raise BenchmarkError(f"{place} has changed: delete it, and give the images {name} again with `images`")
    return pictures


def _parts(token: str) -> tuple[str, str]:
    """Return the digest in a token, and the user's name of the images. Raises `ConfigurationError`."""
    found = re.fullmatch(rf"{OWN} ([0-9a-f]{{{DIGITS}}}) (.+)", token, re.DOTALL)
    if found is None:
        raise ConfigurationError(f"'{shortened(token, 80)}' names no images: give `images`, or call `import_images`")
    return found[1], found[2]


def _place(digest: str) -> Path:
    return default_cache() / "images" / f"{digest}.npz"


def _digest(pictures: Pictures) -> str:
    """Return the first digits of the sha256 of the pixels, the classes and their shape."""
    content = hashlib.sha256(f"{pictures.pixels.dtype.name} {pictures.pixels.shape}".encode())
    for array in (pictures.pixels, pictures.targets):
        content.update(np.ascontiguousarray(array).tobytes())
    return content.hexdigest()[:DIGITS]
