"""Crops of the two photographs that scikit-learn ships: real pixels where no dataset is at hand.

`china.jpg` and `flower.jpg` (CC BY 2.0, by danielbuechele and vultilion on Flickr) lie in the installed package. Two
photographs are not a dataset, but crops of any scale have the spectrum, the edges and the colours of natural images.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zcproxy.extras import extra
from zcproxy.random import array_generator

if TYPE_CHECKING:
    from PIL import Image

VERSION = 1
"""Increased when other crops are drawn."""

CROPS = 1024
SMALLEST = 64
"""Least side of a crop in pixels of the photograph; the largest is the photograph's height."""

_NAMES = ("china.jpg", "flower.jpg")


def photograph_crops(size: int, side: int) -> NDArray[np.uint8]:
    """Return the first `size` of `CROPS` square crops, shrunk to `side` pixels: size x side x side x 3."""
    return np.stack([_crop(index, side) for index in range(size)])


@cache
def photograph_moments() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation of the pixels of both photographs, per RGB channel, in units of 0..255."""
    pixels = np.concatenate([np.asarray(_photograph(name), np.float64).reshape(-1, 3) for name in _NAMES])
    return pixels.mean(axis=0), pixels.std(axis=0)


@cache
def _photograph(name: str) -> Image.Image:
    with extra("images", "a crop of the photographs that stand in for images"):
        from PIL import Image
        from sklearn.datasets import load_sample_image

    return Image.fromarray(load_sample_image(name))


@cache
def _crop(index: int, side: int) -> NDArray[np.uint8]:
    rng = array_generator("photograph crop", index)
    photograph = _photograph(_NAMES[index % len(_NAMES)])
    from PIL.Image import Resampling

    width, height = photograph.size
    extent = math.exp(rng.uniform(math.log(SMALLEST), math.log(min(width, height))))
    left, top = rng.uniform(0, width - extent), rng.uniform(0, height - extent)
    box = (left, top, left + extent, top + extent)
    pixels = np.asarray(photograph.resize((side, side), Resampling.BILINEAR, box))
    return pixels[:, ::-1] if rng.random() < 0.5 else pixels
