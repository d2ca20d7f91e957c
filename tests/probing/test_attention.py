"""What formulas see of attention, whoever computes it, and of what stands before normalisations."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zcproxy.formula import Node
from zcproxy.primitives import parse
from zcproxy.probing.attention import attention_weights
from zcproxy.probing.measure import measure

WIDTH, HEADS = 8, 2
TOKENS = torch.randn(3, 5, WIDTH, generator=torch.Generator().manual_seed(0))


class Stack(nn.Module):
    """Layers over tokens, their mean, a classifier."""

    def __init__(self, *layers: nn.Module, tokens_first: bool = False) -> None:
        super().__init__()
        self.layers, self.head, self.tokens_first = nn.Sequential(*layers), nn.Linear(WIDTH, 3), tokens_first

    def forward(self, tokens: Tensor) -> Tensor:
        y = self.layers(tokens.transpose(0, 1) if self.tokens_first else tokens)
        return self.head(y.mean(0 if self.tokens_first else 1))


def _by_head(parts: list[Tensor]) -> list[list[Tensor]]:
    """Queries, keys and values of each head, samples x tokens x channels."""
    return [list(head) for head in zip(*(part.chunk(HEADS, -1) for part in parts), strict=True)]


def _scores(query: Tensor, key: Tensor) -> Tensor:
    return query @ key.mT / math.sqrt(query.shape[-1])


def _packed(parts: list[Tensor]) -> Tensor:
    query, key, value = torch.cat(parts, -1).unflatten(-1, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
    return F.scaled_dot_product_attention(query, key, value)


def _head_after_head(parts: list[Tensor]) -> Tensor:
    collected = [torch.softmax(_scores(query, key), -1) @ value for query, key, value in _by_head(parts)]
    return torch.cat(collected, dim=-1).unflatten(-1, (HEADS, -1)).transpose(1, 2)


def _head_after_head_fused(parts: list[Tensor]) -> Tensor:
    return torch.stack([F.scaled_dot_product_attention(*head) for head in _by_head(parts)], 1)


def _weights_together(parts: list[Tensor]) -> Tensor:
    heads = _by_head(parts)
    weights = torch.stack(tensors=[torch.softmax(_scores(query, key), -1) for query, key, _ in heads], dim=1)
    return weights @ torch.stack([value for *_, value in heads], 1)


CONCATENATED = {
    "packed by hand": _packed,
    "by head": _head_after_head,
    "by head, fused": _head_after_head_fused,
    "weights together": _weights_together,
}
"""Samples x heads x tokens x channels, of queries, keys and values: samples x tokens x width."""


class Attention(nn.Module):
    """The same attention in several ways of writing it."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way = way
        self.attention = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.attention
        if self.way in ("weights", "fused"):
            return inner(x, x, x, need_weights=self.way == "weights")[0]
        weight, bias = inner.in_proj_weight, inner.in_proj_bias
        if self.way == "apart":
            pairs = zip(weight.chunk(3), bias.chunk(3), strict=True)
            parts = [F.linear(x, *pair).unflatten(-1, (HEADS, -1)).transpose(1, 2) for pair in pairs]
            scores = (parts[0] / math.sqrt(WIDTH // HEADS)) @ parts[1].transpose(-1, -2)
            collected = torch.softmax(scores, -1) @ parts[2]
        elif self.way in CONCATENATED:
            pairs = zip(weight.chunk(3), bias.chunk(3), strict=True)
            collected = CONCATENATED[self.way]([F.linear(x, *pair) for pair in pairs])
        else:
            query, key, value = F.linear(x, weight, bias).unflatten(-1, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
            collected = F.scaled_dot_product_attention(query, key, value)
        return inner.out_proj(collected.transpose(1, 2).flatten(2))


def built(way: str) -> Stack:
    torch.manual_seed(3)
    return Stack(Attention(way))


def measured(model: nn.Module, *texts: str) -> list[list[float]]:
    columns: list[Node] = [parse(text) for text in texts]
    values = measure(model, TOKENS, None, columns).values
    return [values[column].tolist() for column in columns]


def weights_of(model: Stack) -> Tensor:
    """Samples x heads x queries x keys, as torch returns them."""
    attention = model.layers[0].attention
    return attention(TOKENS, TOKENS, TOKENS, average_attn_weights=False)[1].detach()


@pytest.mark.parametrize("way", ["weights", "fused", "packed", "apart", *CONCATENATED])
def test_weights_of_attention(way: str) -> None:
    model = built(way)
    expected = weights_of(model)
    peaks, squares, heads = measured(
        model,
        *("mean(row_max(attention@logits))", "frobenius_norm(attention@logits)"),
        "frobenius_norm(token_max(attention@logits))",
    )
    projections = place = 3 if way in ("apart", *CONCATENATED) else 1
    assert [math.isnan(value) for value in peaks] == [place != index for index in range(projections + 2)]
    assert peaks[place] == pytest.approx(float(expected.amax(-1).mean()), rel=1e-5)
    assert squares[place] == pytest.approx(float(expected.norm()), rel=1e-5)
    first, reads = measured(model, "in_attention", "reads_attention")
    assert first == [1.0] * (projections + 1) + [0.0] and reads == [0.0] * projections + [1.0, 0.0]
    assert heads[place] == pytest.approx(float(expected.amax(1).norm()), rel=1e-5)


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("batch_first", [False, True])
def test_an_encoder_layer_of_torch_shows_its_parts(norm_first: bool, batch_first: bool) -> None:
    torch.manual_seed(4)
    options = {"norm_first": norm_first, "batch_first": batch_first, "dim_feedforward": 12, "dropout": 0.0}
    layer = nn.TransformerEncoderLayer(WIDTH, HEADS, **options)
    model = Stack(layer, tokens_first=not batch_first).eval()
    found = measured(
        model,
        *("params", "in_attention", "std(unnormalized@noise)", "std(input@noise)", "mean(row_max(attention@noise))"),
        "frobenius_norm(grad(unnormalized)@noise)",
    )
    params, in_attention, before, inputs, peaks, gradients = found
    assert params == [216.0, 72.0, 108.0, 104.0, 27.0] and in_attention == [1.0, 1.0, 0.0, 0.0, 0.0]
    normalised = [norm_first, False, True, False, False]
    for index, is_normalised in enumerate(normalised):
        assert (before[index] != inputs[index]) == is_normalised
        assert inputs[index] == pytest.approx(1.0, abs=1e-3) or not is_normalised
    assert 0.2 < peaks[1] < 1.0 and all(value > 0 for value in gradients)


class Beside(nn.Module):
    """A convolution whose kernels are a softmax in some channels, attention in the others, as in ConvBERT."""

    def __init__(self) -> None:
        super().__init__()
        self.packed, self.other, self.kernels = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, 4), nn.Linear(WIDTH, 2)
        self.out = nn.Linear(WIDTH + 2, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        spanned = self.other(x).unflatten(-1, (2, 2)) @ self.kernels(x).softmax(-1)[..., None]
        attended = F.scaled_dot_product_attention(*self.packed(x).chunk(3, -1))
        return self.out(torch.cat([spanned.flatten(2), attended], -1))


def test_attention_beside_something_else_is_that_of_the_layer_behind_both() -> None:
    torch.manual_seed(9)
    block = Beside()
    reads, peaks, counts = measured(
        Stack(block), "reads_attention", "mean(row_max(attention@logits))", "numel(attention@logits)"
    )
    query, key, _ = block.packed(TOKENS).chunk(3, -1)
    expected = _scores(query, key).softmax(-1).amax(-1).mean().item()
    assert reads == [0.0, 0.0, 0.0, 1.0, 0.0]
    assert counts[3] == 3 * 5 * 5 and peaks[3] == pytest.approx(expected, rel=1e-5)


class Rotated(nn.Module):
    """Attention with normalised heads and rotated positions, as in language models of today."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.norm = nn.RMSNorm(WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        places = torch.arange(x.shape[1], dtype=x.dtype)[:, None] * torch.logspace(0, -1, WIDTH // 2).repeat(2)
        query, key = (_rotated(self.norm(layer(x)), places) for layer in (self.query, self.key))
        return self.out(F.scaled_dot_product_attention(query, key, self.value(x)))


def _rotated(x: Tensor, angles: Tensor) -> Tensor:
    first, second = x.chunk(2, -1)
    return x / (1.0 / angles.cos()) + torch.cat([-second, first], -1) * angles.sin()


def test_rotated_and_normalised_heads_are_those_of_their_layers() -> None:
    torch.manual_seed(10)
    assert measured(Stack(Rotated()), "in_attention") == [[1.0, 1.0, 1.0, 1.0, 0.0]]


def test_a_sum_of_layers_makes_no_queries() -> None:
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)

        def forward(self, x: Tensor) -> Tensor:
            y = self.first(x)
            y = y + self.second(torch.relu(y))
            return F.scaled_dot_product_attention(y, y, y)

    torch.manual_seed(11)
    assert measured(Stack(Residual()), "in_attention") == [[0.0, 0.0, 0.0]]


def test_gradients_of_attention_where_scores_are_large() -> None:
    """Fused kernels compute weights once more, from scores and their rounded logarithm: wrong where these are large."""
    texts = "sum(grad(weight)@ones * weight@ones)", "frobenius_norm(grad(output)@redrawn)"
    found, expected = built("fused"), built("weights")
    for model in (found, expected):
        for parameter in model.parameters():
            parameter.data *= 1e8
    for values, others in zip(measured(found, *texts), measured(expected, *texts), strict=True):
        assert values == pytest.approx(others, rel=1e-5)


def test_forward_passes_alone_see_the_same() -> None:
    """Torch takes a fast path through a whole layer where no gradient is asked for."""
    torch.manual_seed(5)
    model = Stack(nn.TransformerEncoderLayer(WIDTH, HEADS, 12, batch_first=True)).eval()
    text = "frobenius_norm(output@noise)"
    (alone,) = measured(model, text)
    beside, _ = measured(model, text, "frobenius_norm(grad(weight)@noise)")
    assert len(alone) == 5 and alone == pytest.approx(beside, rel=1e-6)
    model.requires_grad_(False)
    assert measured(model, text)[0] == pytest.approx(alone, rel=1e-6)


def test_cross_attention_has_its_projections() -> None:
    class Crossed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention, self.source = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True), nn.Linear(WIDTH, WIDTH)

        def forward(self, x: Tensor) -> Tensor:
            y = torch.tanh(self.source(x))[:, :4]
            return self.attention(x, y, y)[0]

    torch.manual_seed(6)
    marks, counts = measured(Stack(Crossed()), "in_attention", "numel(attention@noise)")
    assert marks == [0.0, 1.0, 1.0, 1.0, 0.0]
    assert counts[3] == 3 * HEADS * 5 * 4


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"scale": 0.3},
        {"is_causal": True},
        {"attn_mask": torch.tensor([[True, False, True, True, False]]).expand(5, 5)},
        {"attn_mask": torch.linspace(-1, 1, 25).reshape(5, 5)},
    ],
)
def test_weights_are_those_that_torch_multiplies_with(options: dict[str, object]) -> None:
    query, key, value = torch.randn(3, 2, HEADS, 5, 4, generator=torch.Generator().manual_seed(7))
    expected = F.scaled_dot_product_attention(query, key, value, **options)
    found = attention_weights({"query": query, "key": key, "value": value, **options})
    torch.testing.assert_close(found @ value, expected)


def test_grouped_queries_share_keys() -> None:
    generator = torch.Generator().manual_seed(8)
    query, key, value = (torch.randn(2, heads, 5, 4, generator=generator) for heads in (4, 2, 2))
    expected = F.scaled_dot_product_attention(query, key, value, enable_gqa=True)
    weights = attention_weights({"query": query, "key": key, "value": value, "enable_gqa": True})
    torch.testing.assert_close(weights @ value.repeat_interleave(2, 1), expected)
