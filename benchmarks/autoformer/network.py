"""The networks of AutoFormer (Chen et al., ICCV 2021): vision transformers whose blocks differ in heads and MLP.

Relative positions, dropout and stochastic depth are left out; logits are those of the class token, as in ViT.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class BlockChoice:
    """One block.

    Attributes:
        heads: of its attention.
        ratio: width of its MLP, as a multiple of the width of a token.
    """

    heads: int
    ratio: float


class Attention(nn.Module):
    """Attention whose queries, keys and values have `head_width` entries per head, whatever the width of a token."""

    def __init__(self, width: int, heads: int, head_width: int) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(width, heads * head_width) for _ in range(3))
        self.output = nn.Linear(heads * head_width, width)
        self._heads = heads

    def forward(self, tokens: Tensor) -> Tensor:
        """Return samples x tokens x width: what each token collects from all."""
        query, key, value = (
            part(tokens).unflatten(-1, (self._heads, -1)).transpose(1, 2) for part in (self.query, self.key, self.value)
        )
        collected = F.scaled_dot_product_attention(query, key, value)
        output: Tensor = self.output(collected.transpose(1, 2).flatten(2))
        return output


class Block(nn.Module):
    """Attention and MLP, each normalised before and added to its input."""

    def __init__(self, width: int, choice: BlockChoice, head_width: int) -> None:
        super().__init__()
        self.attention = nn.Sequential(nn.LayerNorm(width), Attention(width, choice.heads, head_width))
        inner = int(choice.ratio * width)
        self.mlp = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, inner), nn.GELU(), nn.Linear(inner, width))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return samples x tokens x width."""
        attended = tokens + self.attention(tokens)
        outputs: Tensor = attended + self.mlp(attended)
        return outputs


class VisionTransformer(nn.Module):
    """Maps images (samples x channels x height x width) to logits (samples x classes).

    Args:
        input_shape: channels, height and width of an image.
        classes: number of logits.
        width: entries of a token.
        blocks: the blocks.
        head_width: entries of queries, keys and values per head.
        patch: side of a patch in pixels; divides height and width.
        deviation: standard deviation of linear weights and class token, which are normal; linear biases are 0, and the
            convolution has torch's own weights.
        position_deviation: that of the positions.
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        classes: int,
        *,
        width: int,
        blocks: Sequence[BlockChoice],
        head_width: int,
        patch: int,
        deviation: float,
        position_deviation: float,
    ) -> None:
        super().__init__()
        channels, height, breadth = input_shape
        patches = (height // patch) * (breadth // patch)
        self.patches = nn.Conv2d(channels, width, patch, patch)
        self.class_token = nn.Parameter(torch.empty(1, 1, width))
        self.positions = nn.Parameter(torch.empty(1, 1 + patches, width))
        self.blocks = nn.Sequential(*(Block(width, choice, head_width) for choice in blocks))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, classes)
        nn.init.normal_(self.class_token, std=deviation)
        nn.init.normal_(self.positions, std=position_deviation)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=deviation)
                nn.init.zeros_(module.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, samples x classes."""
        patches = self.patches(images).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.class_token.expand(len(patches), -1, -1), patches], 1) + self.positions
        logits: Tensor = self.head(self.norm(self.blocks(tokens))[:, 0])
        return logits
