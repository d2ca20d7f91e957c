"""Architectures as numbers, read off their texts: what a predictor learns from, for any space."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_GROUPS = "/"
_PARTS = re.compile(r"[^\s|+.:,=~]+")
_DIGITS = re.compile(r"\d+")

Feature = tuple[int, int, str, int]
"""Group, place in it, word, and index of a number in the word; -1 for the word itself."""


class Encoder:
    """Turns texts into numbers.

    A text is parts between separators, in groups between slashes. A part at its place gives its numbers (the widths of
    `8:16:32`, the kernel and expansion of `k3e6`) and, for each word that occurs there (`k3e6`, `nor_conv_3x3`),
    whether it is this one. A place that a text does not have gives zeros, so that texts of different length have as
    many features.

    Args:
        architectures: texts of one space; what occurs in none of them is not a feature.
    """

    def __init__(self, architectures: Sequence[str]) -> None:
        self._places: dict[Feature, int] = {}
        for text in architectures:
            for feature in _features(text):
                self._places.setdefault(feature, len(self._places))

    def __call__(self, architectures: Sequence[str]) -> NDArray[np.float64]:
        """Return architectures x features."""
        found = np.zeros((len(architectures), len(self._places)))
        for row, text in enumerate(architectures):
            for feature, value in _features(text).items():
                if feature in self._places:
                    found[row, self._places[feature]] = value
        return found


def _features(text: str) -> dict[Feature, float]:
    found: dict[Feature, float] = {}
    for group, content in enumerate(text.split(_GROUPS)):
        for place, part in enumerate(_PARTS.findall(content)):
            found[group, place, part, -1] = 1.0
            for index, digits in enumerate(_DIGITS.findall(part)):
                found[group, place, "", index] = float(digits)
    return found
