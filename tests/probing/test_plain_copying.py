"""The quick copies: of which models, and that they share nothing with what they are copies of."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zcproxy.probing.plain_copying import plain_copy


class Plain(nn.Module):
    """Two names for one layer, a list of constants, and a function of torch."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3))
        self.again = self.first[0]
        self.sizes = [1, (2, "x")]
        self.limits = ([1], {})
        self.activation = F.relu
        self.register_buffer("steps", torch.arange(3))

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.again(self.first(x))).mean((2, 3))


@pytest.mark.parametrize("dtype", [None, torch.float64])
def test_a_copy_computes_the_same_and_shares_nothing(dtype: torch.dtype | None) -> None:
    model = Plain().eval()
    model.first[0].weight.requires_grad_(False)
    made = plain_copy(model, dtype)
    assert isinstance(made, Plain) and made.again is made.first[0] and made.sizes == model.sizes
    assert made.limits == model.limits and made.limits[0] is not model.limits[0]
    assert made.sizes is not model.sizes and not made.training and made.steps.dtype == torch.int64
    assert [parameter.requires_grad for parameter in made.parameters()] == [False, True, True, True]
    inputs = torch.randn(2, 3, 5, 5)
    kept = model(inputs)
    torch.testing.assert_close(made(inputs.to(dtype or inputs.dtype)), kept.to(dtype or kept.dtype))
    with torch.no_grad():
        for tensor in (*made.parameters(), *made.buffers()):
            tensor.zero_()
    assert torch.equal(model(inputs), kept)


def holder(value: object) -> nn.Module:
    model = nn.Sequential(nn.Linear(2, 2))
    model[0].extra = value  # type: ignore[assignment]
    return model


def closure() -> Callable[[], Tensor]:
    layer = nn.Linear(2, 2)
    return lambda: layer.weight


class Lazy(nn.Linear):
    """Has a way of its own to be copied."""

    def __deepcopy__(self, memo: dict[int, object]) -> Lazy:
        return self


@pytest.mark.parametrize(
    "model",
    [
        holder([torch.zeros(2)]),
        holder({"layer": [nn.Linear(1, 1)]}),
        holder(closure()),
        holder(functools.partial(F.relu, inplace=True)),
        holder(nn.Linear(2, 2).weight.sum),
        nn.utils.parametrizations.weight_norm(nn.Linear(2, 2)),
        nn.LSTM(2, 2),
        Lazy(2, 2),
    ],
    ids=["tensor", "layer", "closure", "partial", "method", "parametrization", "recurrent", "own way"],
)
def test_other_models_are_left_to_the_thorough_way(model: nn.Module) -> None:
    assert plain_copy(model) is None
