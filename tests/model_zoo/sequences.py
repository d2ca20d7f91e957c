"""Networks on sequences and tokens: attention, mixing, recurrence."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model_zoo import Case

TOKENS = (5, 6)
WIDTH = 8


class Encoder(nn.Module):
    """torch's own encoder, with samples or tokens first."""

    def __init__(self, *, batch_first: bool, norm_first: bool = False) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(WIDTH, 2, 12, batch_first=batch_first, norm_first=norm_first)
        self.batch_first = batch_first
        self.embed, self.head = nn.Linear(6, WIDTH), nn.Linear(WIDTH, 3)
        self.body = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, x: Tensor) -> Tensor:
        y = self.embed(x)
        y = self.body(y) if self.batch_first else self.body(y.transpose(0, 1)).transpose(0, 1)
        return self.head(y.mean(1))


class Cross(nn.Module):
    """Attention between two sequences, with widths of its own for keys and values."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(6, WIDTH), nn.Linear(6, 4)
        self.mix = nn.MultiheadAttention(WIDTH, 2, kdim=4, vdim=4, batch_first=True)
        self.head = nn.Linear(WIDTH, 3)

    def forward(self, x: Tensor) -> Tensor:
        a, b = self.first(x), self.second(x)
        return self.head(self.mix(a, b, b, need_weights=False)[0].mean(1))


Project = Callable[[], nn.Module]


class Conv1D(nn.Module):
    """GPT-2's linear layer: its weight has the inputs first."""

    def __init__(self, source: int, target: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.randn(source, target) / 3), nn.Parameter(torch.zeros(target))

    def forward(self, x: Tensor) -> Tensor:
        y = torch.addmm(self.bias, x.reshape(-1, x.shape[-1]), self.weight)
        return y.view(*x.shape[:-1], -1)


class Matmul(Conv1D):
    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight + self.bias


class Einsum(Conv1D):
    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("...i,io->...o", x, self.weight) + self.bias


class Tensordot(Conv1D):
    def forward(self, x: Tensor) -> Tensor:
        return torch.tensordot(x, self.weight, dims=([-1], [0])) + self.bias


class Block(nn.Module):
    """Self-attention and a perceptron, with the projections that are asked for."""

    def __init__(self, project, width: int = WIDTH, *, gate: float | None = None) -> None:
        super().__init__()
        self.norm, self.norm_of_perceptron = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mixed, self.joined = project(width, 3 * width), project(width, width)
        self.up, self.down = project(width, 2 * width), project(2 * width, width)
        self.gate = None if gate is None else nn.Parameter(torch.full((width,), gate))

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.mixed(self.norm(x)).unflatten(-1, (3, 2, -1)).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        y = self.joined(y)
        x = x + (y if self.gate is None else self.gate * y)
        return x + self.down(F.gelu(self.up(self.norm_of_perceptron(x))))


class Language(nn.Module):
    def __init__(self, project, **options) -> None:
        super().__init__()
        self.embed, self.block, self.head = nn.Linear(6, WIDTH), Block(project, **options), nn.Linear(WIDTH, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.block(self.embed(x)).mean(1))


class ViT(nn.Module):
    """Patches, a class token, positions."""

    def __init__(self, *, zero: bool = False) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, 4, stride=4)
        self.token, self.positions = nn.Parameter(torch.randn(1, 1, WIDTH)), nn.Parameter(torch.randn(1, 5, WIDTH))
        self.block, self.norm, self.head = Block(nn.Linear), nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 3)
        if zero:
            nn.init.zeros_(self.head.weight)

    def forward(self, x: Tensor) -> Tensor:
        y = self.patches(x).flatten(2).transpose(1, 2)
        y = torch.cat([self.token.expand(len(y), -1, -1), y], 1) + self.positions
        return self.head(self.norm(self.block(y))[:, 0])


class Windows(nn.Module):
    """Attention inside windows of an image, which are samples of their own on the way."""

    def __init__(self, order: str) -> None:
        super().__init__()
        self.order = order
        self.embed, self.block, self.head = nn.Linear(3, WIDTH), Block(nn.Linear), nn.Linear(WIDTH, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = self.embed(x.permute(0, 2, 3, 1)).unflatten(2, (2, 4)).unflatten(1, (2, 4)).transpose(2, 3)
        if self.order == "windows":  # windows of the first sample, then those of the second
            y = self.block(y.flatten(0, 2).flatten(1, 2))
        elif self.order == "samples":  # the first window of all samples, then the second
            y = self.block(y.permute(1, 2, 0, 3, 4, 5).flatten(0, 2).flatten(1, 2))
            return self.head(y.mean(1).unflatten(0, (4, -1)).mean(0))
        elif self.order == "rows":  # rows of windows, samples, columns
            y = self.block(y.permute(1, 0, 2, 3, 4, 5).flatten(0, 2).flatten(1, 2))
            return self.head(y.mean(1).unflatten(0, (2, -1, 2)).mean((0, 2)))
        return self.head(y.mean(1).unflatten(0, (-1, 4)).mean(1))


class Mixer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.norm = nn.Linear(6, WIDTH), nn.LayerNorm(WIDTH)
        self.tokens = nn.Sequential(nn.Linear(5, 7), nn.GELU(), nn.Linear(7, 5))
        self.channels = nn.Sequential(nn.Linear(WIDTH, 12), nn.GELU(), nn.Linear(12, WIDTH))
        self.head = nn.Linear(WIDTH, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = self.embed(x)
        y = y + self.tokens(self.norm(y).transpose(1, 2)).transpose(1, 2)
        return self.head((y + self.channels(y)).mean(1))


class Heads(nn.Module):
    """Projections with one matrix a head."""

    def __init__(self, *, apart: bool) -> None:
        super().__init__()
        self.apart = apart
        self.weight = nn.Parameter(torch.randn(2, 4, 6) / 2)
        self.head = nn.Linear(WIDTH, 3)

    def forward(self, x: Tensor) -> Tensor:
        if self.apart:
            y = torch.einsum("btd,hkd->bthk", x, self.weight).flatten(2)
        else:
            y = F.linear(x, self.weight.flatten(0, 1))
        return self.head(torch.relu(y).mean(1))


class Recurrent(nn.Module):
    def __init__(self, kind: type[nn.RNNBase], *, batch_first: bool = True, **options) -> None:
        super().__init__()
        self.batch_first = batch_first
        self.body = kind(6, 4, batch_first=batch_first, **options)
        self.head = nn.Linear(8 if options.get("bidirectional") else 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = self.body(x if self.batch_first else x.transpose(0, 1))[0]
        return self.head(y.mean(1 if self.batch_first else 0))


class Steps(nn.Module):
    """A cell, step by step."""

    def __init__(self, kind) -> None:
        super().__init__()
        self.cell, self.head = kind(6, 4), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        state = None
        for step in x.unbind(1):
            state = self.cell(step, state)
        return self.head(state[0] if isinstance(state, tuple) else state)


class CachedMask(nn.Module):
    """Builds a mask at its first call and keeps it."""

    def __init__(self, *, keep: bool) -> None:
        super().__init__()
        self.keep, self.kept = keep, {}
        self.embed, self.mix, self.head = nn.Linear(6, WIDTH), nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 3)

    def mask(self, x: Tensor) -> Tensor:
        if "mask" not in self.kept:
            self.kept["mask"] = torch.arange(x.shape[1]).float().neg().exp()[:, None] + torch.zeros_like(x[0, :, :1])
        return self.kept["mask"] if self.keep else self.kept.pop("mask")

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.embed(x) + self.mask(x))
        return self.head((y + torch.relu(self.mix(y))).mean(1))


def convolved_tokens() -> nn.Module:
    """Weight-normalised, with channels first in between."""
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(6, WIDTH))
    return nn.Sequential(layer, nn.Tanh(), nn.Flatten(), nn.Linear(5 * WIDTH, 3))


def plain_tokens() -> nn.Module:
    return nn.Sequential(nn.Linear(6, WIDTH), nn.Tanh(), nn.Flatten(), nn.Linear(5 * WIDTH, 3))


CELL_USES = {"cell.weight_ih": 5, "cell.weight_hh": 4}
"""Before the first step the state is zero: its matrix has nothing to act on."""

VIT_USES = {"token": 0, "positions": 0}
CASES = {
    "encoder, samples first": Case(lambda: Encoder(batch_first=True), TOKENS),
    "encoder, tokens first": Case(lambda: Encoder(batch_first=False), TOKENS),
    "encoder, norm first": Case(lambda: Encoder(batch_first=True, norm_first=True), TOKENS),
    "cross-attention": Case(Cross, TOKENS),
    "gpt-2": Case(lambda: Language(Conv1D), TOKENS),
    "matmul": Case(lambda: Language(Matmul), TOKENS),
    "einsum": Case(lambda: Language(Einsum), TOKENS),
    "gated attention": Case(lambda: Language(nn.Linear, gate=0.0), TOKENS, gates=("block.gate",)),
    "layer scale": Case(lambda: Language(nn.Linear, gate=0.1), TOKENS),
    "vit": Case(ViT, (3, 8, 8), uses=VIT_USES),
    "vit, zero classifier": Case(lambda: ViT(zero=True), (3, 8, 8), uses=VIT_USES),
    "windows": Case(lambda: Windows("windows"), (3, 8, 8)),
    "windows, samples inside": Case(lambda: Windows("samples"), (3, 8, 8)),
    "mixer": Case(Mixer, TOKENS),
    "matrices of heads": Case(lambda: Heads(apart=True), TOKENS),
    "lstm": Case(lambda: Recurrent(nn.LSTM), TOKENS, is_counted=False),
    "two directions": Case(lambda: Recurrent(nn.GRU, bidirectional=True, num_layers=2), TOKENS),
    "rnn": Case(lambda: Recurrent(nn.RNN, nonlinearity="relu", batch_first=False), TOKENS),
    "lstm cells": Case(lambda: Steps(nn.LSTMCell), TOKENS, uses=CELL_USES),
    "gru cells": Case(lambda: Steps(nn.GRUCell), TOKENS, uses=CELL_USES),
    "rnn cells": Case(lambda: Steps(nn.RNNCell), TOKENS, uses=CELL_USES),
    "cached mask": Case(lambda: CachedMask(keep=True), TOKENS),
}
TWINS = {
    "samples and tokens first": (lambda: Encoder(batch_first=True), lambda: Encoder(batch_first=False)),
    "recurrence, samples and steps first": (
        lambda: Recurrent(nn.GRU, num_layers=2),
        lambda: Recurrent(nn.GRU, num_layers=2, batch_first=False),
    ),
    "windows and rows of windows": (lambda: Windows("windows"), lambda: Windows("rows")),
    "windows and samples": (lambda: Windows("windows"), lambda: Windows("samples")),
    "matrices of heads": (lambda: Heads(apart=False), lambda: Heads(apart=True)),
    "masks": (lambda: CachedMask(keep=False), lambda: CachedMask(keep=True)),
    "gpt-2 and linear": (lambda: Language(nn.Linear), lambda: _transposed(Language(Conv1D))),
    "einsum and linear": (lambda: Language(nn.Linear), lambda: _transposed(Language(Einsum))),
    "matmul and linear": (lambda: Language(nn.Linear), lambda: _transposed(Language(Matmul))),
    "tensordot and linear": (lambda: Language(nn.Linear), lambda: _transposed(Language(Tensordot))),
    "gates": (lambda: Language(nn.Linear, gate=1.0), lambda: Language(nn.Linear, gate=0.0)),
}


def _transposed(model: nn.Module) -> nn.Module:
    """Mark the weights that have inputs first."""
    for module in model.modules():
        if isinstance(module, Conv1D):
            module.weight.inputs_first = True  # type: ignore[attr-defined]  # a mark of transformers
    return model
