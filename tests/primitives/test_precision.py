"""Primitives in float32 against the same in float64, on tensors so large that sums one after the other lose digits."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from zcproxy.formula import Kind, Signature, vocabulary

SHAPES = {
    Kind.WEIGHTS: {1_000: (10, 4, 5, 5), 1_000_000: (40, 1_000, 5, 5), 40_000_000: (40, 40_000, 5, 5)},
    Kind.WEIGHT_SAMPLES: {1_000: (2, 10, 50), 1_000_000: (2, 20, 25_000), 40_000_000: (4, 20, 500_000)},
    Kind.ACTIVATIONS: {1_000: (5, 8, 5, 5), 1_000_000: (5, 8, 125, 200), 40_000_000: (5, 8, 1_000, 1_000)},
}
SMALL_SLICES = ("slice_logdet", "slice_logabsdet", "slice_det")
"""They work on slices of positions, whose determinants are not sums over the tensor."""


def _functions() -> dict[str, tuple[Signature, Callable[..., Tensor]]]:
    found = {}
    for item in vocabulary().primitives.values():
        for signature, function in item.functions.items():
            sized = all(kind in SHAPES for kind in signature.arguments)
            if sized and not signature.result.is_network_level and item.name not in SMALL_SLICES:
                found[f"{item.name}({', '.join(kind.value for kind in signature.arguments)})"] = signature, function
    return found


FUNCTIONS = _functions()


def _examples(signature: Signature, size: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(size)
    return [torch.rand(SHAPES[kind][size], generator=generator).square() for kind in signature.arguments]


def _difference(name: str, size: int) -> float:
    """Return by how much the value in float32 differs from that in float64, as a share of its norm."""
    signature, function = FUNCTIONS[name]
    arguments = _examples(signature, size)
    found = function(*arguments).double()
    exact = function(*(argument.double() for argument in arguments))
    known = ~exact.isnan()
    assert torch.equal(known, ~found.isnan())
    scale = exact[known].square().sum().sqrt()
    return float((found - exact)[known].square().sum().sqrt() / scale) if scale else float(found[known].abs().sum())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_thousand_and_a_million_numbers(name: str) -> None:
    assert _difference(name, 1_000) <= 1e-5
    assert _difference(name, 1_000_000) <= 1e-5


@pytest.mark.parametrize("name", ["abs_dot(Weights, Weights)", "frobenius_norm(Activations)"])
def test_forty_million_numbers(name: str) -> None:
    assert _difference(name, 40_000_000) <= 1e-5
