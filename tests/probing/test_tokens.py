"""Models of token ids: the network that is measured begins after the embedding."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from zcproxy import Proxy
from zcproxy.errors import ModelError
from zcproxy.primitives import parse
from zcproxy.probing.measure import measure
from zcproxy.probing.tokens import after_embedding
from zcproxy.random import derive_seed

IDS = torch.tensor([[1, 4, 2, 7, 3], [5, 1, 6, 0, 0], [2, 2, 9, 0, 0], [8, 3, 1, 1, 4]])
TARGETS = torch.tensor([0, 1, 2, 0])


class Tail(nn.Module):
    """What follows the embedding: positions, a layer, the mean over tokens that are not padding, a classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.positions, self.layer, self.head = nn.Embedding(5, 8), nn.Linear(8, 6), nn.Linear(6, 3)

    def forward(self, embedded: Tensor, mask: Tensor | None = None) -> Tensor:
        y = torch.tanh(self.layer(embedded + self.positions(torch.arange(embedded.shape[1]))))
        weights = torch.ones_like(y[..., :1]) if mask is None else mask[..., None].to(y)
        return self.head((y * weights).sum(1) / weights.sum(1))


class Language(nn.Module):
    def __init__(self, *, masks: bool = False) -> None:
        super().__init__()
        self.masks, self.words, self.tail = masks, nn.Embedding(10, 8), Tail()

    def forward(self, ids: Tensor) -> Tensor:
        return self.tail(self.words(ids), ids != 0 if self.masks else None)


def language(**options: bool) -> Language:
    torch.manual_seed(1)
    return Language(**options)


COLUMNS = [
    parse(text)
    for text in (
        *("frobenius_norm(grad(weight)@data)", "frobenius_norm(output@noise)", "frobenius_norm(output@delta)"),
        *("sum(weight@ones * grad(weight)@ones)", "max(abs(mean(grad(weight)@chunks)))", "macs", "total_macs"),
    )
]


def test_a_model_of_ids_scores_as_what_follows_its_embedding() -> None:
    model = language()
    embedded = model.words(IDS).detach()
    found, expected = (
        measure(network, inputs, TARGETS, COLUMNS) for network, inputs in ((model, IDS), (model.tail, embedded))
    )
    for column in COLUMNS:
        assert found.values[column].tolist() == expected.values[column].tolist(), column
    assert found.layers == 2 and found.coverage == expected.coverage and not found.coverage.unseen
    assert torch.equal(model.words(IDS), embedded)


def test_noise_stands_in_the_place_of_what_is_looked_up() -> None:
    model = language()
    noise = torch.randn((4, 5, 8), generator=torch.Generator().manual_seed(derive_seed("probe input", "noise", 0)))
    hidden = model.tail.layer(noise + model.tail.positions.weight)
    score = Proxy(parse("first(frobenius_norm(output@noise))"))(model, IDS.int())
    assert score == pytest.approx(float(hidden.detach().norm()), rel=1e-5)


def test_masks_are_those_of_the_ids() -> None:
    model = language(masks=True)
    loss = functional.cross_entropy(model(IDS), TARGETS)
    (gradient,) = torch.autograd.grad(loss, [model.tail.layer.weight])
    score = Proxy(parse("first(frobenius_norm(grad(weight)@data))"))(model, IDS, TARGETS)
    assert score == pytest.approx(float(gradient.norm()), rel=1e-5)
    halves = [
        torch.autograd.grad(functional.cross_entropy(model(IDS[part]), TARGETS[part]), [model.tail.layer.weight])[0]
        for part in (slice(0, 2), slice(2, 4))
    ]
    chunks = Proxy(parse("first(max(abs(mean(grad(weight)@chunks))))"))(model, IDS, TARGETS)
    assert chunks == pytest.approx(float((halves[0] + halves[1]).div(2).abs().max()), rel=1e-5)


def test_embeddings_are_a_number_of_the_network() -> None:
    found = measure(language(), IDS, None, [parse("embedding_params"), parse("total_params")])
    assert [values.tolist() for values in found.values.values()] == [[120.0], [120.0 + 54 + 21]]


def test_a_model_is_called_up_to_the_lookup_alone() -> None:
    calls: list[int] = []
    model = language()
    model.tail.register_forward_hook(lambda *_: calls.append(1))
    wrapped, embedded = after_embedding(model, IDS)
    assert not calls and embedded.shape == (4, 5, 8)
    assert torch.equal(wrapped(embedded), model(IDS))


@pytest.mark.parametrize(
    ("make", "ids", "message"),
    [
        (lambda: nn.Linear(5, 3), IDS, "inputs are torch.int64, taken for token ids, and the model failed on them"),
        (nn.Flatten, IDS, "inputs are torch.int64, expected floating-point numbers: the model looks them up"),
        (language, IDS + 5, "and the model failed on them: index out of range"),
        (language, IDS.bool(), "inputs are torch.bool, expected floating-point numbers"),
    ],
)
def test_ids_that_are_not_looked_up_are_one_line(make, ids: Tensor, message: str) -> None:
    with pytest.raises(ModelError) as raised:
        Proxy(parse("depth"))(make(), ids)
    assert message in str(raised.value) and len(str(raised.value).splitlines()) == 1
