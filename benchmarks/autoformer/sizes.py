"""The choices of AutoFormer's super-networks (Chen et al., ICCV 2021, table 1), and of a small one for the digits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Choices:
    """The options of one size of the space.

    Attributes:
        widths: entries of a token, the hidden size.
        depths: numbers of blocks, without gaps.
        heads: heads of a block.
        ratios: width of the MLP of a block, as a multiple of the width.
        head_width: entries of queries, keys and values per head, whatever the width.
        patch: side of a patch in pixels unless another is asked for.
        deviation: standard deviation of linear weights and class token at first.
        position_deviation: that of the positions.
    """

    widths: tuple[int, ...]
    depths: tuple[int, ...]
    heads: tuple[int, ...]
    ratios: tuple[float, ...]
    head_width: int = 64
    patch: int = 16
    deviation: float = 0.02
    position_deviation: float = 0.02


SIZES: Mapping[str, Choices] = {
    "tiny": Choices((192, 216, 240), (12, 13, 14), (3, 4), (3.5, 4.0)),
    "small": Choices((320, 384, 448), (12, 13, 14), (5, 6, 7), (3.0, 3.5, 4.0)),
    "base": Choices((528, 576, 624), (14, 15, 16), (8, 9, 10), (3.0, 3.5, 4.0)),
    "digits": Choices((16, 24, 32), (2, 3, 4), (1, 2, 3), (1.0, 2.0, 3.0), 8, 3, 0.2, 1.0),
}
"""The options by name: three published ones, and `digits`, whose networks train in seconds on images of 12 x 12.

Tokens as narrow as its own need larger weights and positions at first: with .02 its smallest network and its largest
have less than 14 % after ten epochs.
"""
