"""Distorted handwritten digits: small enough to train hundreds of networks on a laptop, hard enough to tell them apart.

The 1,797 images of 8 x 8 are the test set of the Optical Recognition of Handwritten Digits data (E. Alpaydin and C.
Kaynak, UCI Machine Learning Repository, 1998, doi 10.24432/C50P49, CC BY 4.0), the ones that scikit-learn's
`load_digits` gives. Clean, they are too easy: nearly every network gets them right. Here each is drawn several times on
a canvas of 12 x 12, rotated, scaled, shifted and noisy; test images come from other digits than training images.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from zcproxy.contracts.dataset import ImageDataset, dataset_of
from zcproxy.random import array_generator

FILE = Path(__file__).with_name("digits.npz")
SIDE = 12
TRAINING_DIGITS = 1200
DRAWINGS = 2
"""How often each digit is drawn."""

ROTATION = 30.0
"""Largest rotation, in degrees."""

SCALES = (0.75, 1.25)
SHIFT = 1.5
"""Largest shift along either axis, in pixels."""

NOISE = 2.0
"""Standard deviation of the noise; ink has up to 16."""


@cache
def load_digits() -> ImageDataset:
    """Return the distorted digits: 2,400 training and 1,194 test images of 1 x 12 x 12, ten classes."""
    with np.load(FILE, allow_pickle=False) as content:
        digits, classes = content["images"].astype(np.float64), content["classes"].astype(np.int64)
    order = array_generator("digits", "split").permutation(len(digits))
    parts = order[:TRAINING_DIGITS], order[TRAINING_DIGITS:]
    drawn = []
    for name, chosen in zip(("training", "test"), parts, strict=True):
        rng = array_generator("digits", name)
        repeated = np.tile(chosen, DRAWINGS)
        images = np.stack([_drawn(digits[index], rng) for index in repeated])
        drawn.append((images[..., None], classes[repeated]))
    return dataset_of("digits", drawn[0], drawn[1])


def _drawn(digit: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a digit on the canvas: rotated, scaled and shifted about its centre, with noise."""
    angle = np.deg2rad(rng.uniform(-ROTATION, ROTATION))
    turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / rng.uniform(*SCALES)
    centre = np.array([(SIDE - 1) / 2, (SIDE - 1) / 2]) + rng.uniform(-SHIFT, SHIFT, 2)
    offset = (np.array(digit.shape) - 1) / 2 - turned @ centre
    canvas = scipy.ndimage.affine_transform(digit, turned, offset, (SIDE, SIDE), order=1)
    return canvas + rng.normal(0.0, NOISE, canvas.shape)
