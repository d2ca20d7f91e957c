"""How often a weight counts that several layers share."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from model_zoo.convolutional import conv, head
from torch import Tensor, nn

from zcproxy import Proxy
from zcproxy.primitives import parse
from zcproxy.probing.measure import measure

IMAGES = torch.randn(6, 3, 8, 8, generator=torch.Generator().manual_seed(1))
CLASSES = torch.arange(6) % 3


def shared() -> nn.Module:
    """Return a network that has the weight of its second convolution three times."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        body, last = conv(4, 4), conv(4, 4)
        layers = [part for layer in (conv(3, 4), body, body, last, body) for part in (layer, nn.ReLU())]
        return nn.Sequential(*layers, *head(4))


def weights(model: nn.Module) -> list[Tensor]:
    """Return the weights of layers, each once."""
    return [parameter for parameter in model.parameters() if parameter.dim() > 1]


def by_loss(number: Callable[[Tensor, Tensor], Tensor]) -> float:
    model = shared()
    nn.functional.cross_entropy(model(IMAGES), CLASSES).backward()
    return sum(number(weight, weight.grad).item() for weight in weights(model) if weight.grad is not None)


def by_flow() -> float:
    model = copy.deepcopy(shared()).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.abs_()
    model(torch.ones(1, 3, 8, 8, dtype=torch.float64)).sum().backward()
    return sum((weight * weight.grad).sum().item() for weight in weights(model) if weight.grad is not None)


DIRECT: dict[str, Callable[[], float]] = {
    "abs_dot(grad(weight)@data, weight)": lambda: by_loss(lambda weight, gradient: (weight * gradient).abs().sum()),
    "frobenius_norm(grad(weight)@data)": lambda: by_loss(lambda weight, gradient: gradient.norm()),
    "sum(grad(weight)@ones * weight@ones)": by_flow,
    "params - channels": lambda: sum(weight.numel() for weight in weights(shared())),
}
"""Layers' numbers, and their sums over parameters as the authors compute them."""


@pytest.mark.parametrize("text", DIRECT)
def test_a_division_by_the_uses_counts_a_parameter_once(text: str) -> None:
    expected = DIRECT[text]()
    once, each = (Proxy(parse(f"sum({term})")) for term in (f"({text}) / weight_uses", text))
    assert once(shared(), IMAGES, CLASSES) == pytest.approx(expected, rel=1e-5)
    assert each(shared(), IMAGES, CLASSES) > 1.01 * expected


def test_uses_by_layers_that_no_signal_passes_do_not_count() -> None:
    class Dead(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.body, self.head = conv(3, 4), conv(4, 4), nn.Sequential(*head(4))

        def forward(self, x: Tensor) -> Tensor:
            y = torch.relu(self.body(torch.relu(self.first(x))))
            return self.head(torch.relu(self.body(y)) + 0.0 * self.body(y))

    column = parse("weight_uses")
    assert list(measure(shared(), IMAGES, None, [column]).values[column]) == [1, 3, 3, 1, 3, 1]
    assert list(measure(Dead(), IMAGES, None, [column]).values[column]) == [1, 2, 2, 1]
