"""What mixes the tokens of an encoder layer: attention, transforms, attention beside a dynamic convolution.

All map samples x tokens x width to the same shape. Dropout is left out.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def split_heads(tokens: Tensor, heads: int) -> Tensor:
    """Return samples x heads x tokens x width / heads."""
    return tokens.reshape(*tokens.shape[:2], heads, -1).transpose(1, 2)


def joined_heads(parts: Tensor) -> Tensor:
    """Return samples x tokens x width: the inverse of `split_heads`."""
    return parts.transpose(1, 2).flatten(2)


class SelfAttention(nn.Module):
    """Attention by scaled dot products (Vaswani et al., NeurIPS 2017), or by weighted ones.

    Args:
        width: of the tokens.
        heads: number of heads.
        weighted: whether a matrix stands between queries and keys (multiplicative attention, Luong et al., EMNLP 2015).
    """

    def __init__(self, width: int, heads: int, *, weighted: bool) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.weight = nn.Linear(width, width, bias=False) if weighted else nn.Identity()
        self._heads = heads

    def forward(self, tokens: Tensor) -> Tensor:
        """Return what each token collects."""
        query = split_heads(self.weight(self.query(tokens)), self._heads)
        key, value = (split_heads(each(tokens), self._heads) for each in (self.key, self.value))
        return joined_heads(F.scaled_dot_product_attention(query, key, value))


def fourier_transform(parts: Tensor) -> Tensor:
    """Return the real part of the discrete Fourier transform over the last two axes."""
    return torch.fft.fft2(parts).real


def cosine_transform(parts: Tensor) -> Tensor:
    """Return the discrete cosine transform (type II, not normalised) over the last two axes."""
    return _along_last(_along_last(parts).mT).mT


def _along_last(x: Tensor) -> Tensor:
    """Return the transform over the last axis, by a Fourier transform of as many numbers (Makhoul, 1980)."""
    count = x.shape[-1]
    order = torch.cat([x[..., ::2], x[..., 1::2].flip(-1)], -1)
    angles = torch.arange(count, dtype=x.dtype, device=x.device) * (math.pi / (2 * count))
    spectrum = torch.fft.fft(order)
    return 2.0 * (spectrum.real * angles.cos() + spectrum.imag * angles.sin())


class LinearTransform(nn.Module):
    """A projection, then a transform over tokens and features of each head (FNet, Lee-Thorp et al., NAACL 2022).

    Args:
        width: of the tokens.
        heads: parts of the features that are transformed by themselves.
        cosine: whether the transform is that of cosines, not Fourier's.
    """

    def __init__(self, width: int, heads: int, *, cosine: bool) -> None:
        super().__init__()
        self.input = nn.Linear(width, width)
        self._heads, self._transform = heads, cosine_transform if cosine else fourier_transform

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the transformed tokens."""
        return joined_heads(self._transform(split_heads(self.input(tokens), self._heads)))


class SpanConvolution(nn.Module):
    """Attention in one half of the heads, a dynamic span convolution in the other (ConvBERT, Jiang et al., 2020).

    Args:
        width: of the tokens.
        heads: of both halves together.
        kernel: positions that a convolution spans.
    """

    def __init__(self, width: int, heads: int, kernel: int) -> None:
        super().__init__()
        self._heads, self._kernel = heads // 2, kernel
        half = width // heads * self._heads
        self.query, self.key, self.value, self.convolved = (nn.Linear(width, half) for _ in range(4))
        self.depthwise = nn.Conv1d(width, width, kernel, groups=width, padding=kernel // 2, bias=False)
        self.pointwise = nn.Conv1d(width, half, 1)
        self.kernels = nn.Linear(half, self._heads * kernel)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return both halves, the attended one first."""
        query = self.query(tokens)
        key, value = (split_heads(each(tokens), self._heads) for each in (self.key, self.value))
        attended = F.scaled_dot_product_attention(split_heads(query, self._heads), key, value).transpose(1, 2)
        spans = self.pointwise(self.depthwise(tokens.transpose(1, 2))).transpose(1, 2)
        kernels = self.kernels(spans * query).reshape(*tokens.shape[:2], self._heads, self._kernel).softmax(-1)
        side = self._kernel // 2
        around = F.pad(self.convolved(tokens), (0, 0, side, side)).unfold(1, self._kernel, 1)
        by_head = around.reshape(*tokens.shape[:2], self._heads, -1, self._kernel)
        spanned = (by_head @ kernels[..., None]).squeeze(-1)
        return torch.cat([attended, spanned], 2).flatten(2)
