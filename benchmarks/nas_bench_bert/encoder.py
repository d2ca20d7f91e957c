"""Encoders of FlexiBERT (Tuli et al., JAIR 2023), after ELECTRA, as the authors of NAS-Bench-BERT build them.

Width and feed-forward widths are those of the configuration. Dropout is left out: proxies see networks without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from zcproxy.benchmarks.nas_bench_bert.operations import LinearTransform, SelfAttention, SpanConvolution

VOCABULARY, EMBEDDING, LONGEST, KINDS_OF_TOKENS = 30522, 128, 512, 2
"""Tokens, width of their embeddings, positions, and kinds of tokens: those of ELECTRA-small."""

PADDING = 0
"""The token whose embedding is zero."""

DEVIATION, EPSILON = 0.02, 1e-12
"""Standard deviation of all weights at first, and what normalisations add to variances."""


@dataclass(frozen=True)
class EncoderLayer:
    """One layer.

    Attributes:
        operation: `sdp` or `wma` (attention), `dft` or `dct` (transforms), `dsc5` or `dsc9` (convolution beside
            attention).
        heads: of the operation.
        feed_forward: width of the feed-forward part.
        feed_forwards: hidden layers of the feed-forward part.
    """

    operation: str
    heads: int
    feed_forward: int
    feed_forwards: int


def _mixing(layer: EncoderLayer, width: int) -> nn.Module:
    if layer.operation in ("dft", "dct"):
        return LinearTransform(width, layer.heads, cosine=layer.operation == "dct")
    if layer.operation.startswith("dsc"):
        return SpanConvolution(width, layer.heads, int(layer.operation.removeprefix("dsc")))
    return SelfAttention(width, layer.heads, weighted=layer.operation == "wma")


class Block(nn.Module):
    """An operation and a feed-forward part; the sums with their inputs are normalised. A transform is not added."""

    def __init__(self, layer: EncoderLayer, width: int) -> None:
        super().__init__()
        self.operation = _mixing(layer, width)
        self.is_transform = isinstance(self.operation, LinearTransform)
        if not self.is_transform:
            self.output, self.output_norm = nn.Linear(width, width), nn.LayerNorm(width, EPSILON)
        widths = [width] + [layer.feed_forward] * layer.feed_forwards
        hidden: list[nn.Module] = []
        for before, after in pairwise(widths):
            hidden += [nn.Linear(before, after), nn.GELU()]
        self.feed_forward = nn.Sequential(*hidden, nn.Linear(layer.feed_forward, width))
        self.norm = nn.LayerNorm(width, EPSILON)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return samples x tokens x width."""
        mixed = self.operation(tokens)
        if not self.is_transform:
            mixed = self.output_norm(self.output(mixed) + tokens)
        result: Tensor = self.norm(self.feed_forward(mixed) + mixed)
        return result


class Encoder(nn.Module):
    """Maps token ids, samples x tokens, to logits: of the first token, as fine-tuning takes them.

    Args:
        width: of the layers.
        layers: the layers.
        classes: number of logits.

    Attributes:
        vocabulary: number of token ids.
    """

    def __init__(self, width: int, layers: Sequence[EncoderLayer], classes: int) -> None:
        super().__init__()
        self.vocabulary = VOCABULARY
        self.tokens = nn.Embedding(VOCABULARY, EMBEDDING, padding_idx=PADDING)
        self.positions = nn.Embedding(LONGEST, EMBEDDING)
        self.kinds = nn.Embedding(KINDS_OF_TOKENS, EMBEDDING)
        self.norm = nn.LayerNorm(EMBEDDING, EPSILON)
        self.projection = nn.Linear(EMBEDDING, width) if width != EMBEDDING else nn.Identity()
        self.blocks = nn.Sequential(*(Block(layer, width) for layer in layers))
        self.head = nn.Linear(width, classes)
        for module in self.modules():
            _initialise(module)

    def forward(self, ids: Tensor) -> Tensor:
        """Return the logits, samples x classes."""
        places = torch.arange(ids.shape[1], device=ids.device)
        embedded = self.tokens(ids) + self.kinds(torch.zeros_like(places)) + self.positions(places)
        logits: Tensor = self.head(self.blocks(self.projection(self.norm(embedded)))[:, 0])
        return logits


@torch.no_grad()
def _initialise(module: nn.Module) -> None:
    """Draw weights from N(0, `DEVIATION`) and set biases to 0, as ELECTRA does."""
    if isinstance(module, nn.Linear | nn.Conv1d | nn.Embedding):
        module.weight.normal_(0.0, DEVIATION)
    if isinstance(module, nn.Embedding) and module.padding_idx is not None:
        module.weight[module.padding_idx] = 0.0
    if isinstance(module, nn.Linear | nn.Conv1d) and module.bias is not None:
        module.bias.zero_()
