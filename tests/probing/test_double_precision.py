"""What stands in for torch's own operations in float64 has their values, and their first and second derivatives."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from zcproxy.formula.text import parse
from zcproxy.probing import double_convolution, double_precision
from zcproxy.probing.double_precision import layer_result, normalisation_result
from zcproxy.probing.measure import measure


def normal(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed + sum(shape))
    return torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()


def derivatives(result: Tensor, by: Sequence[Tensor]) -> list[Tensor]:
    """Return the result, first derivatives of a function of it, and second ones of a function of these."""
    first = torch.autograd.grad(result.pow(3).sum() + result.sin().sum(), by, create_graph=True)
    mixed = sum(((number + 1) * gradient.pow(2)).sum() for number, gradient in enumerate(first))
    assert isinstance(mixed, Tensor)
    return [result, *first, *torch.autograd.grad(mixed, by, allow_unused=True, materialize_grads=True)]


def assert_same(found: Sequence[Tensor], expected: Sequence[Tensor]) -> None:
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)


STEPS = list(itertools.product((1, 2), (0, 2), (1, 2), (1, 2)))


@pytest.mark.parametrize("samples_at_a_time", [1, 2])
@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), STEPS)
def test_convolutions_are_those_of_torch(
    monkeypatch: pytest.MonkeyPatch, stride: int, padding: int, dilation: int, groups: int, samples_at_a_time: int
) -> None:
    monkeypatch.setattr(double_convolution, "_PATCH_NUMBERS", 4 * 3 * 2 * 7 * 6 * samples_at_a_time // groups)
    x, weight, bias = normal(3, 4, 7, 6), normal(6, 4 // groups, 3, 2), normal(6)
    arguments = (x, weight, bias, (stride, 1), padding, dilation, groups)
    found = layer_result(F.conv2d, arguments, {})
    assert found.grad_fn is not None and "Convolution" not in str(found.grad_fn)  # the bias is added to ours
    assert_same(derivatives(found, (x, weight, bias)), derivatives(F.conv2d(*arguments), (x, weight, bias)))


@pytest.mark.parametrize("function", [F.conv1d, F.conv3d])
def test_so_are_those_of_other_dimensions(monkeypatch: pytest.MonkeyPatch, function: Callable[..., Tensor]) -> None:
    monkeypatch.setattr(double_convolution, "_PATCH_NUMBERS", 1)
    sizes = (5,) if function is F.conv1d else (5, 4, 3)
    x, weight = normal(2, 3, *sizes), normal(2, 3, *(2 for _ in sizes))
    found = layer_result(function, (x,), {"weight": weight, "padding": 1})
    assert type(found.grad_fn) is not type(function(x, weight).grad_fn)
    assert_same(derivatives(found, (x, weight)), derivatives(function(x, weight, padding=1), (x, weight)))


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("shape", [(5, 3, 4, 6), (7, 3), (4, 2, 5)])
def test_normalisations_are_those_of_torch(shape: tuple[int, ...], affine: bool) -> None:
    x = normal(*shape)
    scales = (normal(shape[1]), normal(shape[1], seed=1)) if affine else (None, None)
    by = [tensor for tensor in (x, *scales) if tensor is not None]
    kept = {"running_mean": None, "running_var": None, "training": True, "eps": 1e-3}
    given: dict[str, Any] = {"input": x, "weight": scales[0], "bias": scales[1], **kept}
    found, expected = normalisation_result(F.batch_norm, given, twice=False), F.batch_norm(**given)
    assert type(found.grad_fn) is not type(expected.grad_fn)
    assert_same(derivatives(found, by), derivatives(expected, by))


class Checkpointed(nn.Module):
    """Its second convolution is computed once more in the backward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
        self.second = nn.Conv2d(4, 5, 3, stride=2)
        self.last = nn.Sequential(nn.BatchNorm2d(5), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 3))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.last(checkpoint(self.second, self.first(x), use_reentrant=False))
        return result


def test_a_network_has_the_same_columns_with_and_without(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = [parse("dot(grad(weight)@curvature, weight)"), parse("frobenius_norm(grad(weight)@data64)")]
    monkeypatch.setattr(double_convolution, "_PATCH_NUMBERS", 1000)
    torch.manual_seed(0)
    model, inputs = Checkpointed(), torch.randn(6, 3, 9, 9)
    found = measure(model, inputs, None, columns)
    monkeypatch.setattr(double_precision, "_is_double_on_cpu", lambda tensor: False)
    expected = measure(model, inputs, None, columns)
    for column in columns:
        assert found.values[column] == pytest.approx(expected.values[column], rel=1e-9)
        assert abs(found.values[column]).max() > 0
