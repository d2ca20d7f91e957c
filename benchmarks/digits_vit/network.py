"""A small vision transformer (Dosovitskiy et al., ICLR 2021, section 3.1), made to learn in a hundred steps.

For that, a convolution stands before the patches (Xiao et al., NeurIPS 2021), and the classifier sees all tokens, not
one of a class. Dropout is left out; queries, keys and values are linear layers of their own.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zcproxy.benchmarks.shared.layers import conv_norm

STEM = 8
"""Channels of the convolution before the patches."""

POSITION_DEVIATION = 0.02
"""Standard deviation of the position embeddings at the start."""


class Attention(nn.Module):
    """Scaled dot-product attention of every token to all (Vaswani et al., NeurIPS 2017, section 3.2)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.output = nn.Linear(width, width)
        self._heads = heads

    def forward(self, tokens: Tensor) -> Tensor:
        """Return samples x tokens x width: what each token collects from all."""
        query, key, value = (
            part(tokens).unflatten(-1, (self._heads, -1)).transpose(1, 2) for part in (self.query, self.key, self.value)
        )
        scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
        collected: Tensor = self.output((scores.softmax(-1) @ value).transpose(1, 2).flatten(2))
        return collected


class Block(nn.Module):
    """Attention and feed-forward part, each normalised before and added to its input."""

    def __init__(self, width: int, heads: int, ratio: int) -> None:
        super().__init__()
        self.attention = nn.Sequential(nn.LayerNorm(width), Attention(width, heads))
        inner = ratio * width
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, inner), nn.GELU(), nn.Linear(inner, width)
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """Return samples x tokens x width."""
        attended = tokens + self.attention(tokens)
        outputs: Tensor = attended + self.feed_forward(attended)
        return outputs


class VisionTransformer(nn.Module):
    """Maps images (samples x channels x height x width) to logits (samples x classes).

    Args:
        input_shape: channels, height and width of an image.
        classes: number of logits.
        patch: side of a patch in pixels; divides height and width.
        width: entries of a token.
        heads: heads of each attention; divides `width`.
        depth: blocks.
        ratio: width of the feed-forward parts, as a multiple of `width`.
    """

    def __init__(
        self, input_shape: tuple[int, ...], classes: int, *, patch: int, width: int, heads: int, depth: int, ratio: int
    ) -> None:
        super().__init__()
        channels, height, breadth = input_shape
        self.stem = nn.Sequential(*conv_norm(channels, STEM, 3), nn.ReLU())
        self.patches = nn.Conv2d(STEM, width, patch, patch)
        tokens = (height // patch) * (breadth // patch)
        self.positions = nn.Parameter(POSITION_DEVIATION * torch.randn(1, tokens, width))
        self.blocks = nn.Sequential(*(Block(width, heads, ratio) for _ in range(depth)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(tokens * width, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, samples x classes."""
        tokens = self.patches(self.stem(images)).flatten(2).transpose(1, 2) + self.positions
        logits: Tensor = self.head(self.norm(self.blocks(tokens)).flatten(1))
        return logits
